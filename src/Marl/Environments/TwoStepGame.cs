namespace Marl.Native.Rl;

/// <summary>
/// The two-step game of QMIX (Rashid et al. 2018, section 5.1): two agents with two actions each. The first action of the first agent selects the game of the
/// second step. In game 2A every joint action has payoff 7; game 2B has payoffs [[0, 1], [1, 8]]. Each agent receives the full payoff. A sum of individual
/// values (VDN) cannot represent 2B and learns 7; a monotone mixture (QMIX) learns 8.
/// <para>Observation and global state [3]: the state 1, 2A or 2B, one-hot.</para>
/// </summary>
internal sealed class TwoStepGame : IEnvironment
{
    private const int States = 3, Start = 0, StateA = 1, StateB = 2;
    private int state;

    /// <inheritdoc/>
    public EnvironmentSpec Spec { get; } = EnvironmentSpec.Uniform("two-step", 2, States, 2, 2, 1) with { StateSize = States, Reward = RewardMode.Mean };

    // [action of the first agent, action of the second agent]
    private static ReadOnlySpan<double> PayoffB => [0, 1, 1, 8];

    internal static IEnvironment? TryCreate(EnvironmentId id)
    {
        if (id.Name != "two-step")
        {
            return null;
        }

        id.EnsureAllRead(hasLayout: false);
        return new TwoStepGame();
    }

    /// <inheritdoc/>
    public void Reset(ref Rng rng) => state = Start;

    /// <inheritdoc/>
    public StepResult Step(JointAction actions, Span<double> rewards, ref Rng rng)
    {
        if (state == Start)
        {
            state = actions[0] == 0 ? StateA : StateB;
            rewards.Clear();
            return StepResult.Running;
        }
        rewards.Fill(state == StateA ? 7 : PayoffB[2 * actions[0] + actions[1]]);
        return StepResult.Terminated;
    }

    /// <inheritdoc/>
    public void Observe(int agent, Span<float> observation) => ReadState(observation);

    /// <inheritdoc/>
    public void ReadState(Span<float> state)
    {
        state.Clear();
        state[this.state] = 1;
    }

    /// <inheritdoc/>
    public void Save(Span<double> snapshot) => snapshot[0] = state;

    /// <inheritdoc/>
    public void Restore(ReadOnlySpan<double> snapshot) => state = (int)snapshot[0];
}
