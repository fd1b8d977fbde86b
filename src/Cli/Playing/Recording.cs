using Marl.Native.Rl;

namespace Marl.Native.Cli.Playing;

/// <summary>The frames of a performance, kept for the files that are written at its end.</summary>
internal sealed class Recording(Performance performance)
{
    /// <summary>What was played.</summary>
    public Performance Performance => performance;

    /// <summary>All frames so far, episode after episode.</summary>
    public List<Frame> Frames { get; } = [];

    /// <summary>The number of agents.</summary>
    public int Agents => performance.Spec.Agents.Length;

    /// <summary>The first scene; null if there is none.</summary>
    public Scene? FirstScene => Frames.Count > 0 ? Frames[0].Scene : null;
}
