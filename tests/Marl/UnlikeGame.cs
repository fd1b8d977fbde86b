using Marl.Native.Rl;

namespace Marl.Native.Tests;

/// <summary>
/// The identity game for agents that have little in common: agent i sees one of its own symbols, one-hot, before some ones of no use, and earns
/// its worth for repeating it; nothing else counts. Every agent can do another number of things and sees another number of things.
/// </summary>
/// <param name="teams">[3] the agents' teams.</param>
internal sealed class UnlikeGame(params int[] teams) : IEnvironment
{
    public const int Steps = 5;
    private readonly int[] symbols = new int[3];
    private int step;

    /// <summary>[3] what an agent earns when it is right.</summary>
    public static ReadOnlySpan<double> Worth => [1, 2, 4];

    public EnvironmentSpec Spec { get; } = new()
    {
        Id = "unlike",
        Agents = [new(4, 4, teams[0]), new(7, 2, teams[1]), new(3, 3, teams[2])],
        StateSize = 4 + 7 + 3,
        EpisodeLimit = Steps,
        SnapshotSize = 4,
    };

    public void Reset(ref Rng rng)
    {
        step = 0;
        Draw(ref rng);
    }

    public StepResult Step(JointAction actions, Span<double> rewards, ref Rng rng)
    {
        for (int agent = 0; agent < symbols.Length; agent++)
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(actions[agent], Spec.Agents[agent].ActionCount);
            rewards[agent] = actions[agent] == symbols[agent] ? Worth[agent] : 0;
        }
        Draw(ref rng);
        return ++step == Steps ? StepResult.Terminated : StepResult.Running;
    }

    public void Observe(int agent, Span<float> observation)
    {
        observation.Fill(1f);
        observation[..Spec.Agents[agent].ActionCount].Clear();
        observation[symbols[agent]] = 1f;
    }

    public void Save(Span<double> snapshot) => (snapshot[0], snapshot[1], snapshot[2], snapshot[3]) = (step, symbols[0], symbols[1], symbols[2]);

    public void Restore(ReadOnlySpan<double> snapshot)
        => (step, symbols[0], symbols[1], symbols[2]) = ((int)snapshot[0], (int)snapshot[1], (int)snapshot[2], (int)snapshot[3]);

    private void Draw(ref Rng rng)
    {
        for (int agent = 0; agent < symbols.Length; agent++)
        {
            symbols[agent] = rng.NextInt(Spec.Agents[agent].ActionCount);
        }
    }
}
