using System.Runtime.InteropServices;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;

namespace Marl.Native.Gpu;

/// <summary>
/// CUDA graphs, by the driver's own recording of a stream. Every time all launches are recorded, because their arguments change (divisors, where rows are, how often
/// an optimizer stepped); a graph that was made of as many before takes the new arguments over, if it is of the same launches, and is made again otherwise.
/// </summary>
internal sealed unsafe class CudaGraphs : ILaunchGraphs
{
    // Of cuda.h: what other streams and threads do meanwhile is no business of the recording.
    private const int Relaxed = 2;

    private readonly Accelerator accelerator;
    private readonly nint stream, library;
    private readonly delegate* unmanaged<nint, int, int> beginCapture;
    private readonly delegate* unmanaged<nint, nint*, int> endCapture;
    private readonly delegate* unmanaged<nint, nint*, nuint*, int> getNodes;
    private readonly delegate* unmanaged<nint*, nint, ulong, int> instantiate;
    private readonly delegate* unmanaged<nint, nint, nint*, int*, int> update;
    private readonly delegate* unmanaged<nint, nint, int> launch;
    private readonly delegate* unmanaged<nint, int> destroyGraph, destroyExecutable;

    // By the number of launches.
    private readonly Dictionary<nuint, nint> executables = [];

    /// <summary>Of a stream.</summary>
    /// <param name="name">of the device, for people.</param>
    /// <param name="accelerator">the device.</param>
    /// <param name="stream">CUDA's.</param>
    /// <exception cref="DeviceException">the driver is too old.</exception>
    public CudaGraphs(string name, Accelerator accelerator, nint stream)
    {
        (this.accelerator, this.stream, library) = (accelerator, stream, NativeLibrary.Load(GpuDevices.CudaDriver));
        beginCapture = (delegate* unmanaged<nint, int, int>)Export("cuStreamBeginCapture_v2");
        endCapture = (delegate* unmanaged<nint, nint*, int>)Export("cuStreamEndCapture");
        getNodes = (delegate* unmanaged<nint, nint*, nuint*, int>)Export("cuGraphGetNodes");
        instantiate = (delegate* unmanaged<nint*, nint, ulong, int>)Export("cuGraphInstantiateWithFlags");
        update = (delegate* unmanaged<nint, nint, nint*, int*, int>)Export("cuGraphExecUpdate");
        launch = (delegate* unmanaged<nint, nint, int>)Export("cuGraphLaunch");
        destroyGraph = (delegate* unmanaged<nint, int>)Export("cuGraphDestroy");
        destroyExecutable = (delegate* unmanaged<nint, int>)Export("cuGraphExecDestroy");

        nint Export(string function) => NativeLibrary.TryGetExport(library, function, out nint address) ? address
            : throw new DeviceException($"{name} cannot take launches together: its driver has no {function}; a newer one has, and without +graphs the device can be used");
    }

    /// <inheritdoc/>
    public void Begin()
    {
        accelerator.Bind();
        Check(beginCapture(stream, Relaxed));
    }

    /// <inheritdoc/>
    public void Launch()
    {
        accelerator.Bind();
        nint graph, executable;
        nuint count = 0;
        Check(endCapture(stream, &graph));
        try
        {
            Check(getNodes(graph, null, &count));
            if (count == 0)
            {
                return;
            }
            if (!executables.Remove(count, out executable) || !TakesOver(executable, graph))
            {
                Check(instantiate(&executable, graph, 0));
            }
            executables.Add(count, executable);
            Check(launch(executable, stream));
        }
        finally
        {
            _ = destroyGraph(graph);
        }
    }

    /// <inheritdoc/>
    public void Abandon()
    {
        nint graph;
        if (endCapture(stream, &graph) == 0 && graph != 0)
        {
            _ = destroyGraph(graph);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        accelerator.Bind();
        foreach (nint executable in executables.Values)
        {
            _ = destroyExecutable(executable);
        }
        NativeLibrary.Free(library);
    }

    /// <summary>Whether a graph has the arguments of another now; one of other launches is gone.</summary>
    private bool TakesOver(nint executable, nint graph)
    {
        nint node;
        int result;
        if (update(executable, graph, &node, &result) == 0)
        {
            return true;
        }
        Check(destroyExecutable(executable));
        return false;
    }

    private static void Check(int status)
    {
        if (status != 0)
        {
            throw new CudaException((CudaError)status);
        }
    }
}
