using System.ComponentModel;
using Marl.Native;
using Marl.Native.Rl;

namespace OwnEnvironment;

/// <summary>
/// Two agents in a corridor of seven cells, with a button at each end. Both buttons pressed at once open the door: reward 1, and the episode ends. Every step
/// costs 0.01. Each agent observes both positions; the agents must coordinate which button each presses.
/// </summary>
[Description("two agents press the buttons at both ends of a corridor at once")]
public sealed class Buttons : IEnvironment
{
    private const int Cells = 7, Limit = 30, Agents = 2;
    private readonly int[] cell = new int[Agents];
    private int time;

    /// <summary>The id is the name for the command line: <c>marl --load OwnEnvironment.dll train vdn --env buttons</c>.</summary>
    public EnvironmentSpec Spec { get; } = EnvironmentSpec.Uniform("buttons", Agents, observationSize: 2, actionCount: 3, Limit, snapshotSize: Agents + 1);

    public void Reset(ref Rng rng) => (cell[0], cell[1], time) = (rng.NextInt(Cells), rng.NextInt(Cells), 0);

    public StepResult Step(JointAction actions, Span<double> rewards, ref Rng rng)
    {
        for (int agent = 0; agent < Agents; agent++)
        {
            cell[agent] = Math.Clamp(cell[agent] + actions[agent] - 1, 0, Cells - 1); // 0: left, 1: stay, 2: right
        }
        bool open = Math.Min(cell[0], cell[1]) == 0 && Math.Max(cell[0], cell[1]) == Cells - 1;
        rewards.Fill((open ? 1.0 : -0.01) / Agents); // the team's reward is the sum of its agents'
        return open ? StepResult.Terminated : ++time == Limit ? StepResult.Truncated : StepResult.Running;
    }

    public void Observe(int agent, Span<float> observation)
        => (observation[0], observation[1]) = (Scaled(cell[agent]), Scaled(cell[1 - agent]));

    public void Save(Span<double> snapshot) => (snapshot[0], snapshot[1], snapshot[2]) = (cell[0], cell[1], time);

    public void Restore(ReadOnlySpan<double> snapshot) => (cell[0], cell[1], time) = ((int)snapshot[0], (int)snapshot[1], (int)snapshot[2]);

    /// <summary>The corridor as a line of text.</summary>
    public override string ToString()
        => string.Concat(Enumerable.Range(0, Cells).Select(i => (cell[0] == i, cell[1] == i) switch { (true, true) => '2', (true, _) => 'A', (_, true) => 'B', _ => '.' }));

    private static float Scaled(int cell) => 2f * cell / (Cells - 1) - 1f;
}
