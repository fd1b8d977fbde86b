using ILGPU.Runtime;

namespace Marl.Native.Gpu;

/// <summary>How long a device worked on a kernel.</summary>
/// <param name="Kernel">its name, with the op that it was made for.</param>
/// <param name="Launches">how often.</param>
/// <param name="Seconds">all of them together, by the device's clock.</param>
internal sealed record KernelTime(string Kernel, int Launches, double Seconds);

/// <summary>Times what is launched on a stream, by marks on it before and after each kernel. For measurements: the marks cost time of their own, between the kernels.</summary>
internal sealed class KernelClock(AcceleratorStream stream)
{
    private readonly List<(Type Kernel, ProfilingMarker Begin, ProfilingMarker End)> launches = [];

    /// <summary>The place on the stream where everything that was launched ends.</summary>
    public ProfilingMarker Mark() => stream.AddProfilingMarker();

    /// <summary>A kernel was launched after a mark.</summary>
    public void Add(Type kernel, ProfilingMarker begin) => launches.Add((kernel, begin, Mark()));

    /// <summary>What was timed, the longest first.</summary>
    public IReadOnlyList<KernelTime> Times()
    {
        var times = launches.GroupBy(launch => launch.Kernel)
            .Select(same => new KernelTime(Name(same.Key), same.Count(), same.Sum(launch => launch.End.MeasureFrom(launch.Begin).TotalSeconds)))
            .OrderByDescending(time => time.Seconds).ToList();
        foreach (var (_, begin, end) in launches)
        {
            begin.Dispose();
            end.Dispose();
        }
        launches.Clear();
        return times;
    }

    private static string Name(Type kernel)
    {
        string name = kernel.Name.Split('`')[0].Replace("Kernel", "", StringComparison.Ordinal);
        return kernel.IsGenericType ? $"{name}<{string.Join(", ", kernel.GetGenericArguments().Select(Name))}>" : name;
    }
}
