using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>Archives types of lower layers, which do not know <see cref="IArchive"/>.</summary>
internal static class ArchiveExtensions
{
    public static void Optimizer(this IArchive archive, string name, Optimizer optimizer)
    {
        var scope = archive.Scope(name);
        long steps = optimizer.Steps;
        scope.Value("steps", ref steps);
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
