using Marl.Native.Rl;

namespace Marl.Native.Cli.Playing;

/// <summary>Whoever chooses the agents' actions.</summary>
internal interface IPlayer
{
    /// <summary>An episode begins, the <paramref name="episode"/>th from 0.</summary>
    void Begin(int episode);

    /// <summary>The joint action for what is to be seen now; overwritten by the next call.</summary>
    JointAction Act(IEnvironment environment);
}

/// <summary>Trained agents.</summary>
internal sealed class PolicyPlayer(Policy policy, Rng chances) : IPlayer
{
    private Rng choice;

    /// <inheritdoc/>
    public void Begin(int episode)
    {
        choice = chances.Split(RngPurpose.Exploration, episode);
        policy.Begin(ref choice);
    }

    /// <inheritdoc/>
    public JointAction Act(IEnvironment environment) => policy.Act(environment, ref choice);
}

/// <summary>Every available action is as likely as any other, and every number within its bounds.</summary>
internal sealed class RandomPlayer(EnvironmentSpec spec, Rng chances) : IPlayer
{
    private readonly int[] actions = new int[spec.Agents.Length];
    private readonly float[] vectors = spec.IsContinuous ? new float[spec.Agents.Length * spec.ActionCount] : [];
    private Rng chance;

    /// <inheritdoc/>
    public void Begin(int episode) => chance = chances.Split(RngPurpose.Exploration, episode);

    /// <inheritdoc/>
    public JointAction Act(IEnvironment environment)
    {
        for (int agent = 0; agent < actions.Length; agent++)
        {
            var size = spec.Agents[agent];
            if (size.Box is { } box)
            {
                foreach (ref float number in vectors.AsSpan(agent * spec.ActionCount, size.ActionCount))
                {
                    number = chance.NextSingle(box.Low, box.High);
                }
                continue;
            }
            bool[] available = new bool[size.ActionCount];
            environment.ReadAvailable(agent, available);
            int[] choices = [.. Enumerable.Range(0, available.Length).Where(action => available[action])];
            actions[agent] = choices[chance.NextInt(choices.Length)];
        }
        return spec.IsContinuous ? JointAction.Create(vectors, spec.ActionCount) : actions;
    }
}
