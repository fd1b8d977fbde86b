using System.Runtime.InteropServices;

namespace Marl.Native.Tests.Gpu;

/// <summary>What the host does wrong with memory, streams, captures and graphs is reported by the driver of the tests, by the call or by the next wait.</summary>
public sealed unsafe class HostFaultTests
{
    private const int Size = 64;

    private delegate int Calls(Host host);

    /// <summary>By name: calls of which the last one fails, its status, and words of its error.</summary>
    private static readonly Dictionary<string, (Calls Calls, int Status, string Words)> Faults = new()
    {
        // Memory.
        ["released twice"] = (h => h.Ok(CudaDriver.cuMemFree_v2(h.Memory)) + CudaDriver.cuMemFree_v2(h.Memory), 1, "is released, but not allocated"),
        ["released in its middle"] = (h => CudaDriver.cuMemFree_v2(h.Memory + 4), 1, "is released, but not allocated"),
        ["filled after its release"] = (h => h.Ok(CudaDriver.cuMemFree_v2(h.Memory)) + h.Fill(), 1, "64 bytes at offset 0 of 64 bytes that were freed"),
        ["copied after its release"] = (h => h.Ok(CudaDriver.cuMemFree_v2(h.Memory)) + CudaDriver.cuMemcpyAsync(h.Pinned, h.Memory, 4, h.Stream), 1, "reads 4 bytes at offset 0"),
        ["used by a kernel after its release"] = (h => h.Ok(CudaDriver.cuMemFree_v2(h.Memory)) + h.Ok(h.Launch()) + h.Wait(), 700, "that were freed"),
        ["used by a graph after its release"] = (h => h.Ok(CudaDriver.cuGraphLaunch(h.Executable(h.Fill), h.Stream)) + h.Ok(h.Wait()) + h.Ok(CudaDriver.cuMemFree_v2(h.Memory))
            + h.Ok(CudaDriver.cuGraphLaunch(h.Executables[0], h.Stream)) + h.Wait(), 1, "that were freed"),
        ["a copy past the end"] = (h => CudaDriver.cuMemcpyAsync(h.Memory, h.Pinned, Size + 4, h.Stream), 1, "writes 68 bytes at offset 0 of 64 bytes"),
        ["too much"] = (_ => CudaDriver.cuMemAlloc_v2(out ulong _, (nuint)1 << 40), 2, "out of memory"),
        ["page-locked memory released before its copy"] = (h => h.Ok(CudaDriver.cuMemcpyAsync(h.Memory, h.Pinned, 4, h.Stream)) + CudaDriver.cuMemFreeHost(h.Pinned), 1,
            "released before a copy is done with it"),
        ["page-locked memory that is none"] = (h => CudaDriver.cuMemFreeHost(h.Memory), 1, "is not page-locked"),

        // Captures.
        ["begun twice"] = (h => h.Ok(h.Begin()) + h.Begin(), 900, "begins while the stream is captured"),
        ["ended and not begun"] = (h => CudaDriver.cuStreamEndCapture(h.Stream, out _), 901, "ends that was not begun"),
        ["ended twice"] = (h => h.Ok(h.Begin()) + h.Ok(CudaDriver.cuStreamEndCapture(h.Stream, out _)) + CudaDriver.cuStreamEndCapture(h.Stream, out _), 901, "not begun"),
        ["a capture of the default stream"] = (_ => CudaDriver.cuStreamBeginCapture_v2(0, 2), 400, "not a created stream"),
        ["a wait in a capture"] = (h => h.Ok(h.Begin()) + h.Wait(), 900, "a wait for a stream while a stream is captured"),
        ["a wait for the device in a capture"] = (h => h.Ok(h.Begin()) + CudaDriver.cuCtxSynchronize(), 900, "a wait for the device"),
        ["an allocation in a capture"] = (h => h.Ok(h.Begin()) + CudaDriver.cuMemAlloc_v2(out ulong _, 4), 900, "an allocation"),
        ["a release in a capture"] = (h => h.Ok(h.Begin()) + CudaDriver.cuMemFree_v2(h.Memory), 900, "a release of memory"),
        ["a module in a capture"] = (h => h.Ok(h.Begin()) + CudaDriver.cuModuleLoadData(out nint _, Snippet.Module("")), 900, "a module is loaded"),
        ["pageable memory in a capture"] = (h => h.Ok(h.Begin()) + CudaDriver.cuMemcpyAsync(h.Memory, h.Pageable, 4, h.Stream), 900, "a copy of pageable memory"),
        ["an event in a capture"] = (h => h.Ok(h.Begin()) + CudaDriver.cuEventRecord(h.Event, h.Stream), 900, "an event while"),
        ["a graph in a capture"] = (h => h.Ok(h.Executable(h.Fill) == 0 ? 1 : 0) + h.Ok(h.Begin()) + CudaDriver.cuGraphLaunch(h.Executables[0], h.Stream), 900, "a graph is launched"),
        ["a stream destroyed in its capture"] = (h => h.Ok(h.Begin()) + CudaDriver.cuStreamDestroy_v2(h.Stream), 900, "destroyed while it is captured"),

        // Graphs.
        ["an update by other nodes"] = (h => CudaDriver.cuGraphExecUpdate(h.Executable(h.Fill), h.Capture(h.Launch), out _, out _), 910, "other nodes"),
        ["an update by more nodes"] = (h => CudaDriver.cuGraphExecUpdate(h.Executable(h.Fill), h.Capture(() => h.Fill() + h.Fill()), out _, out _), 910, "other nodes"),
        ["an update by an executable"] = (h => CudaDriver.cuGraphExecUpdate(h.Executable(h.Fill), h.Executables[0], out _, out _), 400, "not a graph"),
        ["a graph destroyed twice"] = (h => h.Ok(CudaDriver.cuGraphDestroy(h.Capture(h.Fill))) + CudaDriver.cuGraphDestroy(h.Graphs[0]), 400, "does not exist"),
        ["a graph launched, not its executable"] = (h => CudaDriver.cuGraphLaunch(h.Capture(h.Fill), h.Stream), 400, "not an executable graph"),
        ["an executable launched after its end"] = (h => h.Ok(CudaDriver.cuGraphExecDestroy(h.Executable(h.Fill))) + CudaDriver.cuGraphLaunch(h.Executables[0], h.Stream), 400,
            "not an executable graph"),
        ["an instance of a destroyed graph"] = (h => h.Ok(CudaDriver.cuGraphDestroy(h.Capture(h.Fill))) + CudaDriver.cuGraphInstantiateWithFlags(out nint _, h.Graphs[0], 0), 400,
            "not a graph"),

        // Streams, events, modules, launches.
        ["a stream after its end"] = (h => h.Ok(CudaDriver.cuStreamDestroy_v2(h.Stream)) + h.Fill(), 400, "not a stream"),
        ["a wait for a stream after its end"] = (h => h.Ok(CudaDriver.cuStreamDestroy_v2(h.Stream)) + h.Wait(), 400, "not a stream"),
        ["an event after its end"] = (h => h.Ok(CudaDriver.cuEventDestroy_v2(h.Event)) + CudaDriver.cuEventRecord(h.Event, h.Stream), 400, "not an event"),
        ["the time of an event to come"] = (h => h.Ok(CudaDriver.cuEventRecord(h.Event, h.Stream)) + CudaDriver.cuEventElapsedTime(out _, h.Event, h.Event), 600, "yet to be recorded"),
        ["a function after its module"] = (h => h.Ok(CudaDriver.cuModuleUnload(h.Module)) + h.Launch(), 400, "not a function"),
        ["a function that is not there"] = (h => CudaDriver.cuModuleGetFunction(out nint _, h.Module, "nowhere"), 500, "no kernel nowhere"),
        ["too few arguments"] = (h => Snippet.Launch(h.Function, h.Memory, argumentBytes: 4), 1, "4 bytes of arguments, not 8"),
        ["too many threads"] = (h => Snippet.Launch(h.Function, h.Memory, threads: 1025), 1, "1025 x 1 x 1 threads"),
        ["no groups"] = (h => Snippet.Launch(h.Function, h.Memory, groups: 0), 1, "0 x 1 x 1 groups"),
        ["too much shared memory"] = (h => Snippet.Launch(h.Function, h.Memory, shared: 48 << 10), 1, "bytes of shared memory"),
        ["anything after a kernel that failed"] = (h => h.Ok(Snippet.Launch(h.Function, 64)) + (CudaDriver.cuCtxSynchronize() == 700 ? 0 : 1) + h.Fill(), 700, ""),
    };

    public static TheoryData<string> Names => [.. Faults.Keys];

    [DriverTheory]
    [MemberData(nameof(Names))]
    public void IsReported(string name)
    {
        var (calls, status, words) = Faults[name];
        using var host = new Host();
        int result = calls(host);
        string text = CudaDriver.Describe(result);
        Assert.True(result == status, $"{result}: {text}");
        Assert.Contains(words, text, StringComparison.Ordinal);
    }

    /// <summary>A stream begins its work as late as it may: a copy from page-locked memory takes what is there when the host waits.</summary>
    [DriverFact]
    public void WorkBeginsWhenTheHostWaits()
    {
        using var host = new Host();
        *(int*)host.Pinned = 1;
        host.Ok(CudaDriver.cuMemcpyAsync(host.Memory, host.Pinned, 4, host.Stream));
        *(int*)host.Pinned = 2;
        host.Ok(CudaDriver.cuMemcpyAsync(host.Pinned + 4, host.Memory, 4, host.Stream));
        Assert.Equal(0, ((int*)host.Pinned)[1]);
        host.Ok(host.Wait());
        Assert.Equal(2, ((int*)host.Pinned)[1]);
    }

    /// <summary>An update says which nodes it changed, and changes nothing that was launched before.</summary>
    [DriverFact]
    public void UpdatesOfGraphsAreCounted()
    {
        using var host = new Host();
        nint executable = host.Executable(() => host.Fill(7) + host.Launch());
        var before = TestDriver.Counters;
        host.Ok(CudaDriver.cuGraphLaunch(executable, host.Stream));
        host.Ok(CudaDriver.cuGraphExecUpdate(executable, host.Capture(() => host.Fill(7) + host.Launch()), out _, out _));
        Assert.Equal((1, 0), (TestDriver.Counters.Updates - before.Updates, TestDriver.Counters.ChangedNodes - before.ChangedNodes));
        host.Ok(CudaDriver.cuGraphExecUpdate(executable, host.Capture(() => host.Fill(9) + host.Launch()), out _, out _));
        Assert.Equal((2, 1), (TestDriver.Counters.Updates - before.Updates, TestDriver.Counters.ChangedNodes - before.ChangedNodes));
        Assert.Equal("fill: other memory, size or value\n", TestDriver.Changes);
        host.Ok(CudaDriver.cuMemcpyAsync(host.Pinned, host.Memory, Size, host.Stream));
        host.Ok(host.Wait());
        Assert.Equal(7, ((byte*)host.Pinned)[Size - 1]);
    }

    /// <summary>A context with one of everything.</summary>
    private sealed class Host : IDisposable
    {
        private readonly nint context;

        public Host()
        {
            Ok(CudaDriver.cuCtxCreate_v2(out context, 0, 0));
            Ok(CudaDriver.cuMemAlloc_v2(out ulong memory, Size));
            Ok(CudaDriver.cuMemAllocHost_v2(out ulong pinned, 2 * Size));
            NativeMemory.Clear((void*)pinned, 2 * Size);
            Ok(CudaDriver.cuStreamCreate(out nint stream, 1));
            Ok(CudaDriver.cuEventCreate(out nint @event, 0));
            Ok(CudaDriver.cuModuleLoadData(out nint module, Snippet.Module("st.global.b32 [%rd1], 5;")));
            Ok(CudaDriver.cuModuleGetFunction(out nint function, module, "k"));
            (Memory, Pinned, Stream, Event, Module, Function) = (memory, pinned, stream, @event, module, function);
            Pageable = (ulong)NativeMemory.AllocZeroed(Size);
        }

        /// <summary>64 bytes of the device.</summary>
        public ulong Memory { get; }

        public ulong Pinned { get; }

        public ulong Pageable { get; }

        public nint Stream { get; }

        public nint Event { get; }

        public nint Module { get; }

        public nint Function { get; }

        public List<nint> Graphs { get; } = [];

        public List<nint> Executables { get; } = [];

        /// <summary>Calls before the last one succeed.</summary>
        public int Ok(int status)
        {
            Assert.True(status == 0, CudaDriver.Describe(status));
            return 0;
        }

        public int Fill() => Fill(0);

        public int Fill(byte value) => CudaDriver.cuMemsetD8Async(Memory, value, Size, Stream);

        public int Launch() => Snippet.Launch(Function, Memory, stream: Stream);

        public int Wait() => CudaDriver.cuStreamSynchronize(Stream);

        public int Begin() => CudaDriver.cuStreamBeginCapture_v2(Stream, 2);

        public nint Capture(Func<int> calls)
        {
            Ok(Begin());
            Ok(calls());
            Ok(CudaDriver.cuStreamEndCapture(Stream, out nint graph));
            Graphs.Add(graph);
            return graph;
        }

        public nint Executable(Func<int> calls)
        {
            Ok(CudaDriver.cuGraphInstantiateWithFlags(out nint executable, Capture(calls), 0));
            Executables.Add(executable);
            return executable;
        }

        public void Dispose()
        {
            CudaDriver.cuCtxDestroy_v2(context);
            NativeMemory.Free((void*)Pageable);
        }
    }
}
