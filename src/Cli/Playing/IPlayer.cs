using Marl.Native.Rl;

namespace Marl.Native.Cli.Playing;

/// <summary>Chooses the actions of all agents.</summary>
internal interface IPlayer
{
    /// <summary>Begins an episode.</summary>
    /// <param name="episode">The index of the episode, from 0.</param>
    void Begin(int episode);

    /// <summary>Returns the joint action for the current observations; valid until the next call.</summary>
    JointAction Act(IEnvironment environment);
}

/// <summary>Acts by a trained policy.</summary>
internal sealed class PolicyPlayer(Policy policy, Rng rng) : IPlayer
{
    private Rng episodeRng;

    /// <inheritdoc/>
    public void Begin(int episode)
    {
        episodeRng = rng.Split(RngPurpose.Exploration, episode);
        policy.Begin(ref episodeRng);
    }

    /// <inheritdoc/>
    public JointAction Act(IEnvironment environment) => policy.Act(environment, ref episodeRng);
}

/// <summary>Samples actions uniformly from the available ones, and continuous actions uniformly within their bounds.</summary>
internal sealed class RandomPlayer(EnvironmentSpec spec, Rng rng) : IPlayer
{
    private readonly int[] actions = new int[spec.Agents.Length];
    private readonly float[] vectors = spec.IsContinuous ? new float[spec.Agents.Length * spec.ActionCount] : [];
    private Rng episodeRng;

    /// <inheritdoc/>
    public void Begin(int episode) => episodeRng = rng.Split(RngPurpose.Exploration, episode);

    /// <inheritdoc/>
    public JointAction Act(IEnvironment environment)
    {
        for (int agent = 0; agent < actions.Length; agent++)
        {
            var size = spec.Agents[agent];
            if (size.Box is { } box)
            {
                foreach (ref float element in vectors.AsSpan(agent * spec.ActionCount, size.ActionCount))
                {
                    element = episodeRng.NextSingle(box.Low, box.High);
                }
                continue;
            }
            bool[] available = new bool[size.ActionCount];
            environment.ReadAvailable(agent, available);
            int[] choices = [.. Enumerable.Range(0, available.Length).Where(action => available[action])];
            actions[agent] = choices[episodeRng.NextInt(choices.Length)];
        }
        return spec.IsContinuous ? JointAction.Create(vectors, spec.ActionCount) : actions;
    }
}
