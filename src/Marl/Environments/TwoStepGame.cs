namespace Marl.Native.Rl;

/// <summary>
/// The two-step game of QMIX (Rashid et al. 2018, section 5.1): two agents with two actions each. The first action of the first agent selects the game of the
/// second step. In game 2A every joint action has payoff 7; game 2B has payoffs [[0, 1], [1, 8]]. Each agent receives the full payoff. A sum of individual
/// values (VDN) cannot represent 2B and learns 7; a monotone mixture (QMIX) learns 8.
/// <para>Observation and global state [3]: the state 1, 2A or 2B, one-hot.</para>
/// </summary>
internal sealed class TwoStepGame() : BatchEnvironment<TwoStepRules>(default,
    EnvironmentSpec.Uniform("two-step", 2, TwoStepRules.States, 2, 2, 1) with { StateSize = TwoStepRules.States, Reward = RewardMode.Mean })
{
    internal static IEnvironment? TryCreate(EnvironmentId id)
    {
        if (id.Name != "two-step")
        {
            return null;
        }

        id.EnsureAllRead(hasLayout: false);
        return new TwoStepGame();
    }
}

/// <summary>The rules of a <see cref="TwoStepGame"/>.</summary>
internal readonly struct TwoStepRules : IBatchEnvironment
{
    /// <summary>The number of states.</summary>
    public const int States = 3;

    private const int Start = 0, StateA = 1, StateB = 2;

    /// <summary>The state.</summary>
    public int StateSize => 1;

    /// <inheritdoc/>
    public void Reset<TWorld>(TWorld world, ref Rng rng) where TWorld : struct, IWorld, allows ref struct => world[0] = Start;

    /// <inheritdoc/>
    public StepResult Step<TWorld>(TWorld world, ref Rng rng) where TWorld : struct, IWorld, allows ref struct
    {
        int state = world[0], first = world.Action(0), second = world.Action(1);
        // Game 2B pays 0, 1 or 8 for 0, 1 or 2 times action 1.
        double payoff = state == Start ? 0 : state == StateA ? 7 : first + second == 2 ? 8 : first + second;
        world.SetReward(0, payoff);
        world.SetReward(1, payoff);
        world[0] = state != Start ? state : first == 0 ? StateA : StateB;
        return state == Start ? StepResult.Running : StepResult.Terminated;
    }

    /// <inheritdoc/>
    public void Observe<TWorld>(TWorld world, int agent) where TWorld : struct, IWorld, allows ref struct
    {
        for (int state = 0; state < States; state++)
        {
            world.SetObservation(state, 0);
        }
        world.SetObservation(world[0], 1);
    }
}
