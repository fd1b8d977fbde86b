using Marl.Native.Rl;

namespace Marl.Native.Cli.Playing;

/// <summary>The frames of episodes, collected for the files that are written at the end.</summary>
internal sealed class Recording(Performance performance)
{
    /// <summary>The episodes.</summary>
    public Performance Performance => performance;

    /// <summary>The frames of all episodes in order.</summary>
    public List<Frame> Frames { get; } = [];

    /// <summary>The number of agents.</summary>
    public int Agents => performance.Spec.Agents.Length;

    /// <summary>The first scene; null if the environment has none.</summary>
    public Scene? FirstScene => Frames.Count > 0 ? Frames[0].Scene : null;
}
