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

/// <summary>Samples actions uniformly: from the available choices of each branch, and within the bounds of continuous actions.</summary>
internal sealed class RandomPlayer(EnvironmentSpec spec, Rng rng) : IPlayer
{
    private readonly ActionLayout layout = spec.ActionLayout;
    private readonly int[] choices = new int[spec.Agents.Length * spec.ActionLayout.Branches];
    private readonly float[] vectors = new float[spec.Agents.Length * spec.ActionLayout.VectorSize];
    private Rng episodeRng;

    /// <inheritdoc/>
    public void Begin(int episode) => episodeRng = rng.Split(RngPurpose.Exploration, episode);

    /// <inheritdoc/>
    public JointAction Act(IEnvironment environment)
    {
        for (int agent = 0; agent < spec.Agents.Length; agent++)
        {
            var size = spec.Agents[agent];
            bool[] available = new bool[size.ActionCount];
            environment.ReadAvailable(agent, available);
            for (int branch = 0, first = 0; branch < size.BranchCount; first += size.BranchSize(branch++))
            {
                int[] own = [.. Enumerable.Range(0, size.BranchSize(branch)).Where(choice => available[first + choice])];
                choices[agent * layout.Branches + branch] = own[episodeRng.NextInt(own.Length)];
            }
            if (size.Box is { } box)
            {
                foreach (ref float element in vectors.AsSpan(agent * layout.VectorSize, size.VectorSize))
                {
                    element = episodeRng.NextSingle(box.Low, box.High);
                }
            }
        }
        return JointAction.Create(choices, layout.Branches, vectors, layout.VectorSize);
    }
}
