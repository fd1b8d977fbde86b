using Marl.Native.Rl;

namespace Marl.Native.Tests;

public sealed class SmallGameTests
{
    [Theory]
    [InlineData(0, 0, 0, 7)]
    [InlineData(0, 0, 1, 7)]
    [InlineData(0, 1, 0, 7)]
    [InlineData(0, 1, 1, 7)]
    [InlineData(1, 0, 0, 0)]
    [InlineData(1, 0, 1, 1)]
    [InlineData(1, 1, 0, 1)]
    [InlineData(1, 1, 1, 8)]
    public void TheTwoStepGamePaysAsInThePaper(int choice, int first, int second, double payoff)
    {
        var game = Catalog.CreateEnvironment("two-step");
        for (int idle = 0; idle < 2; idle++) // the second agent's first action does nothing
        {
            var rng = new Rng(1);
            game.Reset(ref rng);
            Assert.Equal([1, 0, 0], State(game));
            Assert.Equal((StepResult.Running, 0.0, 0.0), Play(game, choice, idle));
            Assert.Equal(choice == 0 ? [0, 1, 0] : [0, 0, 1], State(game));
            Assert.Equal(State(game), Observation(game, 0));
            Assert.Equal(State(game), Observation(game, 1));
            Assert.Equal((StepResult.Terminated, payoff, payoff), Play(game, first, second));
        }
    }

    [Fact]
    public void TheClimbingAndPenaltyGamesPayAsInThePaper()
    {
        Assert.Equal([11, -30, 0, -30, 7, 0, 0, 6, 5], Payoffs(Catalog.CreateEnvironment("climbing?steps=1")));
        Assert.Equal([0, 0, 10, 0, 2, 0, 10, 0, 0], Payoffs(Catalog.CreateEnvironment("penalty-0?steps=1")));
        Assert.Equal([-2.5, 0, 10, 0, 2, 0, 10, 0, -2.5], Payoffs(Catalog.CreateEnvironment("penalty-2.5?steps=1")));
    }

    [Fact]
    public void QtransGamePaysAsInThePaperAndIsOverAfterOneStep()
        => Assert.Equal([8, -12, -12, -12, 0, 0, -12, 0, 0], Payoffs(Catalog.CreateEnvironment("qtran-game"), StepResult.Terminated));

    [Fact]
    public void AMatrixGameIsTruncatedAfterItsSteps()
    {
        var game = Catalog.CreateEnvironment("climbing");
        var rng = new Rng(1);
        game.Reset(ref rng);
        for (int step = 1; step < 25; step++)
        {
            Assert.Equal(StepResult.Running, Play(game, 0, 0).Result);
        }

        Assert.Equal(StepResult.Truncated, Play(game, 0, 0).Result);
    }

    [Fact]
    public void AMatrixGameIsReadFromAFile()
    {
        var three = FromFile("""{"payoff": [[[1, 2, 3], [4, 5, 6]]], "steps": 2}""");
        Assert.Equal([1, 2, 3], three.Spec.Agents.Select(agent => agent.ActionCount));
        Assert.Equal([3, 3, 3], three.Spec.Agents.Select(agent => agent.ObservationSize));
        Assert.Equal(2, three.Spec.EpisodeLimit);
        double[] rewards = new double[3];
        var rng = new Rng(1);
        three.Step([0, 1, 2], rewards, ref rng);
        Assert.Equal([6, 6, 6], rewards);

        var own = FromFile("""{"payoffs": [[[3, 0], [5, 1]], [[3, 5], [0, 1]]]}""", "?steps=3");
        Assert.Equal((StepResult.Running, 5.0, 0.0), Play(own, 1, 0));
        Assert.Equal(3, own.Spec.EpisodeLimit);
    }

    [Theory]
    [InlineData("""{"payoff": [[1, 2], [3]]}""", "payoff[1] has 1 elements instead of 2")]
    [InlineData("""{"payoff": [[1, 2], 3]}""", "payoff[1] must be an array")]
    [InlineData("""{"payoff": [[1, 2], [3, [4]]]}""", "payoff[1][1] must be a finite number")]
    [InlineData("""{"payoff": [[1, 2], [3, "4"]]}""", "payoff[1][1] must be a finite number")]
    [InlineData("""{"payoff": [[1, 2], [3, 1e999]]}""", "payoff[1][1] must be a finite number")]
    [InlineData("""{"payoff": []}""", "payoff has 0 elements")]
    [InlineData("""{"payoff": 3}""", "payoff must be nested arrays")]
    [InlineData("""{"payoffs": [[[1]]]}""", "'payoffs' has 1 tensors, but payoffs[0] has 2 dimensions")]
    [InlineData("""{"payoffs": [[[1]], [[1, 2]]]}""", "payoffs[1][0] has 2 elements instead of 1")]
    [InlineData("""{"payoffs": {}}""", "'payoffs' must be a list")]
    [InlineData("""{"steps": 3}""", "either 'payoff'")]
    [InlineData("""{"payoff": [1], "payoffs": [[1]]}""", "either 'payoff'")]
    [InlineData("""{"payoff": [1], "steps": 0}""", "'steps' must be an integer")]
    [InlineData("""{"payof": [1]}""", "did you mean 'payoff'?")]
    [InlineData("""[1, 2]""", "must be an object")]
    [InlineData("""{"payoff": [1""", "cannot read the file")]
    public void ABadFileIsRefusedByName(string json, string problem)
    {
        var error = Assert.Throws<UsageException>(() => FromFile(json));
        Assert.Contains(problem, error.Message);
        Assert.Contains(".json", error.Message);
    }

    [Fact]
    public void AFileMayHaveAByteOrderMarkCommentsTrailingCommasAndNumbersInAnyNotation()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["game.json"], "{\"payoff\": [[8, 0], [0, 5e0],], \"steps\": 1e1} // mine\n", new System.Text.UTF8Encoding(encoderShouldEmitUTF8Identifier: true));
        Assert.Equal(10, Catalog.CreateEnvironment($"matrix:{folder["game.json"]}").Spec.EpisodeLimit);
    }

    [Fact]
    public void AMissingFileIsRefusedByName()
        => Assert.Contains("nowhere.json", Assert.Throws<UsageException>(() => Catalog.CreateEnvironment("matrix:nowhere.json")).Message);

    [Fact]
    public void TheIdentityGamePaysForRepeatingTheSymbol()
    {
        var game = Catalog.CreateEnvironment("identity?agents=2&actions=3&steps=40");
        var rng = new Rng(1);
        game.Reset(ref rng);
        int same = 0;
        for (int step = 1; step <= 40; step++)
        {
            int first = Array.IndexOf(Observation(game, 0), 1f), second = Array.IndexOf(Observation(game, 1), 1f);
            same += first == second ? 1 : 0;
            var (result, right, wrong) = Play(game, first, (second + 1) % 3, ref rng);
            Assert.Equal((1, 0), (right, wrong));
            Assert.Equal(step == 40 ? StepResult.Truncated : StepResult.Running, result);
        }
        Assert.InRange(same, 1, 39); // each agent has a symbol of its own
    }

    private static double[] Payoffs(IEnvironment game, StepResult end = StepResult.Truncated)
    {
        var payoffs = new List<double>();
        for (int joint = 0; joint < 9; joint++)
        {
            var rng = new Rng(1);
            game.Reset(ref rng);
            var (result, first, second) = Play(game, joint / 3, joint % 3);
            Assert.Equal((end, first), (result, second));
            payoffs.Add(first);
        }
        return [.. payoffs];
    }

    private static IEnvironment FromFile(string json, string options = "")
    {
        string path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName() + ".json");
        File.WriteAllText(path, json);
        try
        {
            return Catalog.CreateEnvironment($"matrix:{path}{options}");
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static float[] State(IEnvironment game)
    {
        float[] state = new float[game.Spec.StateSize];
        game.ReadState(state);
        return state;
    }

    private static float[] Observation(IEnvironment game, int agent)
    {
        float[] observation = new float[game.Spec.Agents[agent].ObservationSize];
        game.Observe(agent, observation);
        return observation;
    }

    private static (StepResult Result, double First, double Second) Play(IEnvironment game, int first, int second)
    {
        var rng = new Rng(1);
        return Play(game, first, second, ref rng);
    }

    private static (StepResult Result, double First, double Second) Play(IEnvironment game, int first, int second, ref Rng rng)
    {
        Span<double> rewards = stackalloc double[2];
        var result = game.Step([first, second], rewards, ref rng);
        return (result, rewards[0], rewards[1]);
    }
}
