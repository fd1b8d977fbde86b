using ILGPU.Runtime;

namespace Marl.Native.Gpu;

/// <summary>The time of a kernel on a device.</summary>
/// <param name="Kernel">The name, with its operation.</param>
/// <param name="Launches">The number of launches.</param>
/// <param name="Seconds">The total time, by the clock of the device.</param>
internal sealed record KernelTime(string Kernel, int Launches, double Seconds);

/// <summary>Measures kernels by markers on a stream before and after each launch. The markers take time of their own, between the kernels.</summary>
/// <param name="stream">The stream.</param>
internal sealed class KernelProfiler(AcceleratorStream stream)
{
    private readonly List<(Type Kernel, ProfilingMarker Begin, ProfilingMarker End)> launches = [];

    /// <summary>Adds a marker to the stream.</summary>
    public ProfilingMarker Mark() => stream.AddProfilingMarker();

    /// <summary>Adds a launch that began at a marker and ends here.</summary>
    public void Add(Type kernel, ProfilingMarker begin) => launches.Add((kernel, begin, Mark()));

    /// <summary>Returns the times by kernel, longest first.</summary>
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

    /// <summary>Returns the name of a kernel with its operation.</summary>
    internal static string Name(Type kernel)
    {
        string name = kernel.Name.Split('`')[0].Replace("Kernel", "", StringComparison.Ordinal);
        return kernel.IsGenericType ? $"{name}<{string.Join(", ", kernel.GetGenericArguments().Select(Name))}>" : name;
    }
}
