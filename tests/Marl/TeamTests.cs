using Marl.Native.Rl;

namespace Marl.Native.Tests;

/// <summary>Agents that see, can do and want different things, all the way from the environment to the saved policy.</summary>
public sealed class TeamTests
{
    private static readonly string[] quick =
        ["agent=mlp", "hidden=32", "epsilonAnneal=6000", "learningRate=0.003", "targetTau=0.05", "targetUpdateInterval=1", "gamma=0.5"];

    private static UnlikeGame TwoTeams() => new(0, 1, 0);

    private static UnlikeGame OneTeam() => new(0, 0, 0);

    [Fact]
    public void TheGameKeepsTheContract() => EnvironmentChecker.EnsureValid(TwoTeams);

    [Theory]
    [InlineData(RewardMode.Natural, new[] { 5f, 2f, 5f })]
    [InlineData(RewardMode.Sum, new[] { 5f, 2f, 5f })]
    [InlineData(RewardMode.Mean, new[] { 2.5f, 2f, 2.5f })]
    [InlineData(RewardMode.Individual, new[] { 1f, 2f, 4f })]
    public void RewardsAreCommonWithinATeamOnly(RewardMode mode, float[] expected)
    {
        var episode = PlayRight(TwoTeams(), mode);
        Assert.Equal(3, episode.RewardStreams);
        Assert.Equal(expected, episode.Rewards[^3..]);
        Assert.Equal([5.0 * UnlikeGame.Steps, 2.0 * UnlikeGame.Steps], episode.TeamReturns);
        Assert.Equal(7.0 * UnlikeGame.Steps, episode.Return);
    }

    [Fact]
    public void TeamsNeedNotBeNumberedFromZero()
    {
        var episode = PlayRight(new(7, 3, 7), RewardMode.Mean);
        Assert.Equal([2.5f, 2f, 2.5f], episode.Rewards[^3..]);
        Assert.Equal([2.0 * UnlikeGame.Steps, 5.0 * UnlikeGame.Steps], episode.TeamReturns);
    }

    [Fact]
    public void OneTeamHasOneReward()
    {
        var episode = PlayRight(OneTeam(), RewardMode.Natural);
        Assert.Equal([7f, 7f, 7f, 7f, 7f], episode.Rewards);
        Assert.Equal([35.0], episode.TeamReturns);
    }

    [Fact]
    public void TeamReturnsAreEvaluatedApart()
    {
        var evaluation = EvaluationResult.Of([PlayRight(TwoTeams(), RewardMode.Natural), PlayRight(TwoTeams(), RewardMode.Individual)]);
        Assert.Equal((35.0, 0.0), (evaluation.Mean, evaluation.StandardDeviation));
        Assert.Equal([25.0, 10.0], evaluation.TeamMeans);
    }

    [Fact]
    public void MixersRefuseSeveralTeams()
    {
        foreach (string algorithm in new[] { "vdn", "qmix", "qtran" })
        {
            var error = Assert.Throws<UsageException>(() => new Trainer(Games.Configure(algorithm, "mpe:tag", 10, settings: "reward=sum")));
            Assert.Contains("the 2 teams of mpe:tag", error.Message, StringComparison.Ordinal);
        }
        using var scripted = new Trainer(Games.Configure("vdn", "mpe:tag?prey=scripted", 10, settings: Games.Tiny));
        Assert.Single(scripted.Spec.Teams);
    }

    [Fact]
    public void PaddingIsZeroAndUnavailable()
    {
        var episodes = new Episode[4];
        for (int i = 0; i < episodes.Length; i++)
        {
            episodes[i] = Games.Play(TwoTeams, i); // the game throws at an action that an agent does not have
        }
        var spec = TwoTeams().Spec;
        var batch = new EpisodeBatch(spec, 4, 3);
        batch.Load(episodes);
        Assert.Equal((7, 4), (batch.Observations.Shape[-1], batch.Available.Shape[-1]));
        for (int t = 0; t <= batch.Steps; t++)
        {
            for (int b = 0; b < 4; b++)
            {
                for (int n = 0; n < 3; n++)
                {
                    var agent = spec.Agents[n];
                    Assert.All(batch.Observations[t][b][n].ToArray()[agent.ObservationSize..], value => Assert.Equal(0f, value));
                    Assert.Equal(Enumerable.Range(0, 4).Select(action => action < agent.ActionCount ? 1f : 0f), batch.Available[t][b][n].ToArray());
                }
            }
        }
    }

    [Theory]
    [InlineData("doubleQ=true")]
    [InlineData("doubleQ=false")]
    [InlineData("lambda=0.5")]
    public void WhatAnAgentCannotDoIsNeverWorthAnything(string setting)
    {
        var configuration = Games.Configure("iql", "unlike", 10, settings: [.. quick, "shareParameters=false", "batchSize=4", setting]);
        using var workers = new Workers(1);
        var context = configuration.Training.Context(TwoTeams().Spec, workers);
        Episode[] episodes = [.. Enumerable.Range(0, 4).Select(i => Games.Play(TwoTeams, i))];
        ReplayLearner plain = (ReplayLearner)configuration.CreateLearner(context), tempted = (ReplayLearner)configuration.CreateLearner(context);
        Tempt(tempted.Parameters);
        Tempt(tempted.TargetParameters);

        for (int update = 0; update < 3; update++)
        {
            plain.Update(episodes);
            tempted.Update(episodes);
            Assert.Equal(plain.Statistics.Loss, tempted.Statistics.Loss);
            Assert.Equal(plain.Statistics.GradientNorm, tempted.Statistics.GradientNorm);
            Assert.Equal(plain.Statistics.Metrics, tempted.Statistics.Metrics);
        }

        // Greedily and by chance; the game throws at an action that an agent does not have.
        foreach (float exploration in new[] { 0f, 0.5f })
        {
            using var players = new Workers(1);
            Episode[] played = [.. Enumerable.Range(0, 20).Select(_ => new Episode(context.Spec))];
            IEnvironment[] stages = [.. Enumerable.Range(0, 20).Select(_ => TwoTeams())];
            new Rollout(stages, 20, tempted.Actors, tempted.Exploration, players, new Rng(5)).Play(played, exploration);
            Assert.All(played, episode => Assert.Equal(UnlikeGame.Steps, episode.Length));
        }

        // The network of each agent promises the most for what that agent cannot do.
        void Tempt(Parameters parameters)
        {
            var bias = parameters[parameters.Layout.Slices.Single(slice => slice.Name == "agent.fc2.bias")].Span;
            for (int agent = 0; agent < 3; agent++)
            {
                bias[(agent * 4 + context.Spec.Agents[agent].ActionCount)..((agent + 1) * 4)].Fill(1e6f);
            }
        }
    }

    [Theory]
    [InlineData("iql", true, "reward=natural")]
    [InlineData("iql", true, "reward=individual")]
    [InlineData("iql", false, "reward=mean")]
    [InlineData("vdn", true, "reward=natural")]
    [InlineData("qmix", false, "reward=natural")]
    [InlineData("qtran", true, "reward=natural")]
    [InlineData("qtran-alt", false, "reward=natural")]
    public void UnlikeAgentsLearn(string algorithm, bool shared, string reward)
    {
        bool alone = algorithm == "iql";
        var configuration = Games.Configure(algorithm, "unlike", 12_000, threads: 2, settings: [.. quick, $"shareParameters={shared}", reward]);
        using var trainer = new Trainer(configuration, alone ? TwoTeams : OneTeam);
        var summary = trainer.Run();
        Assert.Equal(alone ? [25.0, 10.0] : [35.0], summary.TeamReturnMeans);
        Assert.Equal(35.0, summary.ReturnMean);
    }

    [Fact]
    public void APolicyOfUnlikeAgentsIsSavedLoadedAndAsked()
    {
        using var folder = new TemporaryFolder();
        using var trainer = new Trainer(Games.Configure("iql", "unlike", 500, settings: [.. Games.Tiny, "lastAction=true"]), TwoTeams);
        trainer.Run();
        trainer.Policy.Save(folder["policy.safetensors"]);
        var (saved, loaded) = (trainer.Policy, Policy.Load(folder["policy.safetensors"]));
        for (int i = 0; i < 10; i++)
        {
            Rng one = new(7 + (ulong)i), other = new(7 + (ulong)i);
            Assert.Equal(saved.Play(TwoTeams(), ref one).Actions, loaded.Play(TwoTeams(), ref other).Actions);
        }
        Assert.False(loaded.IsCompatibleWith(OneTeam()));
    }

    [Theory]
    [InlineData("agent=gru", "reward=natural")]
    [InlineData("shareParameters=false", "reward=mean")]
    [InlineData("lastAction=true", "reward=individual")]
    public void AResumedRunOfSeveralTeamsEndsWithTheSameBits(string setting, string reward)
    {
        using var folder = new TemporaryFolder();
        var configuration = Games.Configure("iql", "unlike", 1_000, settings: [.. Games.Tiny, setting, reward, "checkpointInterval=200"]);
        string[] shas = [.. new[] { 1, 3, 8 }.Select(threads =>
        {
            using var whole = new Trainer(configuration with { Training = configuration.Training with { Threads = threads } }, TwoTeams);
            return whole.Run().WeightsSha256;
        })];
        Assert.Single(shas.Distinct());
        using (var stopped = new Trainer(configuration, TwoTeams, RunFolder.New(folder["run"])))
        using (var stop = new CancellationTokenSource())
        {
            Assert.False(stopped.Run(onRound: (steps, _) =>
            {
                if (steps > 450)
                {
                    stop.Cancel();
                }
            }, cancellationToken: stop.Token).Finished);
        }
        using var resumed = Trainer.Resume(new RunFolder(folder["run"]), TwoTeams);
        var summary = resumed.Run();
        Assert.Equal(shas[0], summary.WeightsSha256);
        string header = File.ReadLines(Path.Combine(folder["run"], "metrics.csv")).First();
        Assert.Contains(",returnMeanTeam0,returnMeanTeam1,", header, StringComparison.Ordinal);
    }

    /// <summary>An episode in which everyone is always right.</summary>
    private static Episode PlayRight(UnlikeGame game, RewardMode mode)
    {
        var (episode, recorder, rng) = (new Episode(game.Spec, mode.Streams(game.Spec)), new EpisodeRecorder(game.Spec, new() { Mode = mode }), new Rng(3));
        game.Reset(ref rng);
        recorder.Begin(game, episode);
        do
        {
            for (int agent = 0; agent < 3; agent++)
            {
                var symbols = episode.Observation(episode.Length, agent)[..game.Spec.Agents[agent].ActionCount];
                episode.ActionsAt(episode.Length)[agent] = symbols.IndexOf(1f);
            }
        }
        while (recorder.Step(ref rng));
        return episode;
    }
}
