using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>Archives types of lower layers, which do not know <see cref="IArchive"/>.</summary>
internal static class ArchiveExtensions
{
    /// <summary>The greatest number of updates in an archive.</summary>
    public const long MaxUpdates = long.MaxValue / 4;

    public static void Optimizer(this IArchive archive, string name, Optimizer optimizer)
    {
        var scope = archive.Scope(name);
        long steps = optimizer.Steps;
        scope.Value("steps", ref steps, 0, MaxUpdates);
        optimizer.Steps = steps;
        foreach (var (memory, value) in optimizer.State)
        {
            scope.Tensor(memory, value);
        }
    }

    public static void Statistics(this IArchive archive, string name, RunningStatistics? statistics)
    {
        if (statistics is not null)
        {
            double[] state = statistics.State;
            archive.Array<double>(name, state);
            statistics.State = state;
        }
    }
}
