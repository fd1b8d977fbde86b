using Marl.Native.Rl;

namespace Marl.Native.Tests;

public sealed class FixedOpponentsTests
{
    /// <summary>Opponents that remember, draw, are several, or act by numbers; the snapshot has to hold what they remember.</summary>
    [Theory]
    [InlineData("ippo", "mpe:push", "agent=gru", "lastAction=true")]
    [InlineData("ippo", "mpe:adversary", "agent=mlp")]
    [InlineData("iql", "mpe:world-comm", "agent=gru", "observation=state")]
    [InlineData("maddpg", "mpe:tag?actions=continuous", "ensembleSize=2")]
    public void TheContractIsKeptByEitherTeam(string algorithm, string environment, params string[] settings)
    {
        using var trainer = new Trainer(Games.Configure(algorithm, environment, 10, settings: ["hidden=8", .. settings]));
        for (int team = 0; team < 2; team++)
        {
            Assert.Empty(EnvironmentChecker.Check(() => Against(trainer.Policy, environment, team), episodes: 6));
        }
    }

    /// <summary>An episode of two policies is lived again by one of them in the environment that is left of the other.</summary>
    [Theory]
    [InlineData("iql", "mpe:tag")]
    [InlineData("iql", "mpe:push")]
    [InlineData("ddpg", "mpe:tag?actions=continuous")]
    public void ItIsWhatTheOtherTeamMakesOfTheEnvironment(string algorithm, string environment)
    {
        using var trainer = new Trainer(Games.Configure(algorithm, environment, 10, settings: ["hidden=16", "shareParameters=false"]));
        var inner = Catalog.CreateEnvironment(environment);
        // A seed with which a team earns something.
        var (seed, whole) = Enumerable.Range(1, 100).Select(seed => (seed, Play(seed))).First(played => played.Item2.TeamReturns.Any(earned => earned != 0));
        for (int team = 0; team < 2; team++)
        {
            var left = Against(trainer.Policy, environment, team);
            int[] agents = [.. Enumerable.Range(0, whole.Agents).Where(agent => inner.Spec.Agents[agent].Team == team)];
            Assert.Equal(agents.Select(agent => inner.Spec.Agents[agent]), left.Spec.Agents);
            var (part, recorder) = (new Episode(left.Spec), new EpisodeRecorder(left.Spec));
            Rng chance = new((ulong)seed);
            left.Reset(ref chance);
            recorder.Begin(left, part);
            bool goesOn = true;
            while (goesOn)
            {
                int row = part.Length;
                for (int i = 0; i < agents.Length; i++)
                {
                    int size = left.Spec.Agents[i].ObservationSize;
                    Assert.Equal(whole.Observation(row, agents[i])[..size], part.Observation(row, i)[..size]);
                    if (left.Spec.ActionLayout.VectorSize > 0)
                    {
                        whole.ContinuousAction(row, agents[i]).CopyTo(part.ContinuousAction(row, i));
                    }
                    else
                    {
                        part.ActionsAt(row)[i] = whole.ActionsAt(row)[agents[i]];
                    }
                }
                goesOn = recorder.Step(ref chance);
            }
            Assert.Equal(whole.Length, part.Length);
            Assert.Equal(whole.States.ToArray(), part.States.ToArray());
            Assert.Equal(whole.TeamReturns[team], Assert.Single(part.TeamReturns));
        }

        Episode Play(int seed)
        {
            Rng chance = new((ulong)seed), choice = new(6);
            return Policy.Play([trainer.Policy, trainer.Policy], inner, ref chance, ref choice);
        }
    }

    [Fact]
    public void ARunIsAnOpponentByItsPath()
    {
        using var folder = new TemporaryFolder();
        string first = folder["first"], second = folder["second"];
        Train("mpe:adversary", first);
        Train($"against:{first}?team=1", second);
        Train($"against:{Path.Combine(first, "policy.safetensors")}?team=1", folder["third"]);
        var policy = Policy.Load(new RunFolder(second).Policy);
        var environment = Catalog.CreateEnvironment(policy.Description.Environment);
        Assert.True(policy.IsCompatibleWith(environment));
        Assert.Equal(2, environment.Spec.Agents.Length);

        var again = Assert.Throws<UsageException>(() => Catalog.CreateEnvironment($"against:{second}"));
        Assert.Contains("has no opponents: all agents are one team", again.Message, StringComparison.Ordinal);
        var team = Assert.Throws<UsageException>(() => Catalog.CreateEnvironment($"against:{first}?team=2"));
        Assert.Contains("mpe:adversary has no team 2; its teams are 0 to 1", team.Message, StringComparison.Ordinal);
        string broken = folder["broken.safetensors"];
        File.WriteAllText(broken, "no policy");
        Assert.Contains(broken, Assert.Throws<UsageException>(() => Catalog.CreateEnvironment($"against:{broken}")).Message, StringComparison.Ordinal);

        static void Train(string environment, string path)
        {
            using var run = RunFolder.New(path);
            using var trainer = new Trainer(Games.Configure("ippo", environment, 100, settings: ["agent=mlp", "hidden=8", "criticHidden=8", "environments=2"]), folder: run);
            trainer.Run();
        }
    }

    [Fact]
    public void APictureHasTheNumbersOfThoseWhoPlay()
    {
        using var trainer = new Trainer(Games.Configure("iql", "mpe:adversary", 10, settings: ["hidden=8"]));
        var environment = Against(trainer.Policy, "mpe:adversary", team: 1);
        var rng = new Rng(1);
        environment.Reset(ref rng);
        var pictured = Assert.IsAssignableFrom<IRenderable>(environment);
        var agents = Assert.IsType<PlaneScene>(pictured.Render()).Discs.Where(disc => disc.Role.IsAgent());
        Assert.Equal([(SceneRole.Agent, null), (SceneRole.Opponent, 0), (SceneRole.Opponent, 1)], agents.Select(disc => (disc.Role, disc.Agent)));
        Assert.Equal("left", pictured.ActionName(0, 1));
    }

    /// <summary>Each with a policy of its own: policies remember.</summary>
    private static FixedOpponents Against(Policy opponents, string environment, int team)
        => FixedOpponents.Create("against", Catalog.CreateEnvironment(environment), opponents, team);
}
