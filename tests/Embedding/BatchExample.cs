using Marl.Native;
using Marl.Native.Rl;

namespace Example;

/// <summary>State: the color that each of two agents sees.</summary>
public readonly struct ColorRules : IBatchEnvironment
{
    public int StateSize => 2;
    public void Reset<TWorld>(TWorld world, ref Rng rng) where TWorld : struct, IWorld, allows ref struct
        => (world[0], world[1]) = (rng.NextInt(3), rng.NextInt(3));
    public StepResult Step<TWorld>(TWorld world, ref Rng rng) where TWorld : struct, IWorld, allows ref struct
    {
        int right = 0;
        for (int agent = 0; agent < 2; agent++)
        {
            right += world.Action(agent) == world[1 - agent] ? 1 : 0;
        }
        for (int agent = 0; agent < 2; agent++)
        {
            world.SetReward(agent, 0.5 * right);
        }
        return StepResult.Terminated;
    }
    public void Observe<TWorld>(TWorld world, int agent) where TWorld : struct, IWorld, allows ref struct
        => world.SetObservation(0, world[agent]);
}

/// <summary>One of them.</summary>
public sealed class Colors() : BatchEnvironment<ColorRules>(new(),
    EnvironmentSpec.Uniform("colors", agents: 2, observationSize: 1, actionCount: 3, episodeLimit: 1, snapshotSize: 2));

public sealed class ColorsTests
{
    [Fact]
    public void IsValid() => EnvironmentChecker.EnsureValid(() => new Colors());
}
