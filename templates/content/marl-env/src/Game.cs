using System.ComponentModel;
using Marl.Native;
using Marl.Native.Rl;

namespace MyEnvironment;

/// <summary>
/// Two agents walk in a corridor of five cells. The reward is 1 when both are at the goal, which only the first agent observes: the second has to follow. An
/// episode has at most ten steps.
/// </summary>
[Description("two agents meet at a goal that one of them observes")]
public sealed class Game : IEnvironment
{
    private const int Cells = 5, Agents = 2, Limit = 10;
    private readonly int[] cell = new int[Agents];
    private int goal, time;

    /// <summary>The number of agents, the sizes of observations and actions, the episode limit and the size of the snapshot, which holds the state of an episode.</summary>
    public EnvironmentSpec Spec { get; } = EnvironmentSpec.Uniform("my-environment", Agents, observationSize: 3, actionCount: 3, Limit, snapshotSize: 4);

    /// <summary>Begins an episode. All random numbers come from <paramref name="rng"/>.</summary>
    public void Reset(ref Rng rng) => (cell[0], cell[1], goal, time) = (rng.NextInt(Cells), rng.NextInt(Cells), rng.NextInt(Cells), 0);

    /// <summary>Applies a joint action: 0 is left, 1 stay, 2 right. The reward of the team is the sum of the agents' rewards.</summary>
    public StepResult Step(JointAction actions, Span<double> rewards, ref Rng rng)
    {
        for (int agent = 0; agent < Agents; agent++)
        {
            cell[agent] = Math.Clamp(cell[agent] + actions[agent] - 1, 0, Cells - 1);
        }
        bool met = cell[0] == goal && cell[1] == goal;
        rewards.Fill(met ? 1.0 / Agents : 0);
        return met ? StepResult.Terminated : ++time == Limit ? StepResult.Truncated : StepResult.Running;
    }

    /// <summary>Writes an agent's observation: both positions, and the goal if it is the first agent.</summary>
    public void Observe(int agent, Span<float> observation)
        => (observation[0], observation[1], observation[2]) = (cell[agent], cell[1 - agent], agent == 0 ? goal : -1);

    /// <summary>Saves or restores the complete state, for checkpoints.</summary>
    public void Save(Span<double> snapshot) => (snapshot[0], snapshot[1], snapshot[2], snapshot[3]) = (cell[0], cell[1], goal, time);

    /// <inheritdoc cref="Save"/>
    public void Restore(ReadOnlySpan<double> snapshot)
        => (cell[0], cell[1], goal, time) = ((int)snapshot[0], (int)snapshot[1], (int)snapshot[2], (int)snapshot[3]);

    /// <summary>Returns the corridor as text: A and B are the agents, * the goal.</summary>
    public override string ToString() => string.Concat(Enumerable.Range(0, Cells).Select(i =>
        cell[0] == i ? cell[1] == i ? '2' : 'A' : cell[1] == i ? 'B' : goal == i ? '*' : '.'));
}
