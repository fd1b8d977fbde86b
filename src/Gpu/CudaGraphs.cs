using System.Runtime.InteropServices;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;

namespace Marl.Native.Gpu;

/// <summary>
/// CUDA graphs, by the stream capture of the driver. The executable graph of a shape is launched as it is if its arguments have not changed, and is updated to
/// other arguments otherwise.
/// </summary>
internal sealed unsafe class CudaGraphs : ILaunchGraphs
{
    // CU_STREAM_CAPTURE_MODE_RELAXED of cuda.h: calls of other threads do not affect the capture.
    private const int Relaxed = 2;

    private readonly Accelerator accelerator;
    private readonly nint stream, library;
    private readonly delegate* unmanaged<nint, int, int> beginCapture;
    private readonly delegate* unmanaged<nint, nint*, int> endCapture;
    private readonly delegate* unmanaged<nint*, nint, ulong, int> instantiate;
    private readonly delegate* unmanaged<nint, nint, nint*, int*, int> update;
    private readonly delegate* unmanaged<nint, nint, int> launch;
    private readonly delegate* unmanaged<nint, int> destroyGraph, destroyExecutable;

    private readonly Dictionary<ulong, (nint Executable, ulong Arguments)> executables = [];

    private CudaGraphs(Accelerator accelerator, nint stream, nint library)
    {
        (this.accelerator, this.stream, this.library) = (accelerator, stream, library);
        beginCapture = (delegate* unmanaged<nint, int, int>)Export("cuStreamBeginCapture_v2");
        endCapture = (delegate* unmanaged<nint, nint*, int>)Export("cuStreamEndCapture");
        instantiate = (delegate* unmanaged<nint*, nint, ulong, int>)Export("cuGraphInstantiateWithFlags");
        update = (delegate* unmanaged<nint, nint, nint*, int*, int>)Export("cuGraphExecUpdate");
        launch = (delegate* unmanaged<nint, nint, int>)Export("cuGraphLaunch");
        destroyGraph = (delegate* unmanaged<nint, int>)Export("cuGraphDestroy");
        destroyExecutable = (delegate* unmanaged<nint, int>)Export("cuGraphExecDestroy");

        nint Export(string function) => NativeLibrary.GetExport(library, function);
    }

    /// <summary>Creates graphs for a stream, or returns null if the driver is too old to have them.</summary>
    /// <param name="accelerator">The device.</param>
    /// <param name="stream">The CUDA stream.</param>
    public static CudaGraphs? TryCreate(Accelerator accelerator, nint stream)
    {
        nint library = NativeLibrary.Load(GpuDevices.CudaDriver);
        try
        {
            return new(accelerator, stream, library);
        }
        catch (EntryPointNotFoundException)
        {
            NativeLibrary.Free(library);
            return null;
        }
    }

    /// <inheritdoc/>
    public void Begin()
    {
        accelerator.Bind();
        Check(beginCapture(stream, Relaxed));
    }

    /// <inheritdoc/>
    public bool TryReplay(ulong shape, ulong arguments)
    {
        if (!executables.TryGetValue(shape, out var known) || known.Arguments != arguments)
        {
            return false;
        }
        accelerator.Bind();
        Check(launch(known.Executable, stream));
        return true;
    }

    /// <inheritdoc/>
    public void Launch(ulong shape, ulong arguments)
    {
        accelerator.Bind();
        nint graph;
        Check(endCapture(stream, &graph));
        try
        {
            if (!executables.Remove(shape, out var known) || !TryUpdate(known.Executable, graph))
            {
                nint created;
                Check(instantiate(&created, graph, 0));
                known.Executable = created;
            }
            executables.Add(shape, (known.Executable, arguments));
            Check(launch(known.Executable, stream));
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
    public void Clear()
    {
        accelerator.Bind();
        foreach (var (executable, _) in executables.Values)
        {
            _ = destroyExecutable(executable);
        }
        executables.Clear();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Clear();
        NativeLibrary.Free(library);
    }

    /// <summary>Updates an executable graph to the arguments of another graph. If the launches differ, the executable graph is destroyed.</summary>
    private bool TryUpdate(nint executable, nint graph)
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
