using Marl.Native;
using Marl.Native.Rl;

namespace MyEnvironment.Tests;

public sealed class GameTests
{
    /// <summary>Random episodes keep the rules of <see cref="IEnvironment"/>: reproducible, restorable, finite, no allocation.</summary>
    [Fact]
    public void TheEnvironmentIsValid() => Assert.Empty(EnvironmentChecker.Check(() => new Game()));

    [Fact]
    public void BothAgentsAtTheGoalEndTheEpisode()
    {
        var (game, rng, rewards) = (new Game(), new Rng(1), new double[2]);
        game.Restore([1, 3, 2, 0]);
        Assert.Equal(".A*B.", game.ToString());
        Assert.Equal(StepResult.Terminated, game.Step([2, 0], rewards, ref rng));
        Assert.Equal([0.5, 0.5], rewards);
    }

    [Fact]
    public void AnEpisodeIsCutOffAfterTenSteps()
    {
        var (game, rng, rewards) = (new Game(), new Rng(1), new double[2]);
        game.Restore([0, 0, 4, 9]);
        Assert.Equal(StepResult.Truncated, game.Step([1, 1], rewards, ref rng));
        Assert.Equal([0, 0], rewards);
    }
}
