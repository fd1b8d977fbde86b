using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.Intrinsics.X86;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Marl.Native.Bench.Compare;

/// <summary>
/// How the peer is run at its best. OpenBLAS chooses its kernels, and PyTorch its vector loops, by the model of the processor; models newer
/// than they are, and many virtual machines, get slow ones. So the settings that the processor allows are tried, and the fastest are taken.
/// </summary>
/// <param name="Python">the interpreter.</param>
/// <param name="Core">OPENBLAS_CORETYPE; null: not set, detected.</param>
/// <param name="Capability">ATEN_CPU_CAPABILITY; null: not set, detected.</param>
/// <param name="Torch">PyTorch's version.</param>
/// <param name="Blas">what its BLAS says it is.</param>
/// <param name="GemmRate">FLOP/s of its Gemm with one thread.</param>
internal sealed record PeerSettings(string Python, string? Core, string? Capability, string Torch, string Blas, double GemmRate)
{
    /// <summary>What has to be installed, where there is no PyTorch or a slow BLAS.</summary>
    public const string Remedy = "apt-get install python3-torch libopenblas0-pthread";

    /// <summary>Tries all settings; null if this Python has no PyTorch.</summary>
    public static PeerSettings? Probe(string python)
    {
        List<(string? Core, string? Capability)> candidates = [(null, null)];
        if (Avx2.IsSupported)
        {
            candidates.Add(("HASWELL", "avx2"));
        }
        if (Avx512F.IsSupported)
        {
            candidates.AddRange([("SKYLAKEX", "avx512"), ("COOPERLAKE", "avx512"), ("SAPPHIRERAPIDS", "avx512")]);
        }
        PeerSettings? best = null;
        double bestPointwise = 0;
        string? capability = null;
        foreach (var (core, vectors) in candidates)
        {
            var tried = new PeerSettings(python, core, vectors, "", "", 0);
            if (tried.Report() is not { } report)
            {
                if (core is null)
                {
                    return null;
                }
                continue; // This one cannot run here.
            }
            double Number(string name) => report[name]!.GetValue<double>();
            string Text(string name) => report[name]!.GetValue<string>();
            // What is detected is kept unless another is clearly faster.
            if (best is null || Number("gemm") > 1.03 * best.GemmRate)
            {
                best = tried with { Torch = Text("torch"), Blas = Text("blas"), GemmRate = Number("gemm") };
            }
            if (Number("pointwise") > 1.03 * bestPointwise)
            {
                (bestPointwise, capability) = (Number("pointwise"), vectors);
            }
        }
        return best! with { Capability = capability };
    }

    /// <summary>"PyTorch 1.13.1; OpenBLAS, core SkylakeX (OPENBLAS_CORETYPE=SKYLAKEX), .."</summary>
    public override string ToString() => $"PyTorch {Torch}; {Blas} ({Setting("OPENBLAS_CORETYPE", Core)}), {GemmRate / 1e9:F0} GFLOP/s; " +
        $"vector loops: {Setting("ATEN_CPU_CAPABILITY", Capability)}";

    /// <summary>A script of bench/peers, to be started with some threads.</summary>
    public ProcessStartInfo Describe(string script, int threads)
        => Describe([Path.Combine(Repository.Root, "bench", "peers", script)], threads);

    /// <summary>Python with some arguments.</summary>
    public ProcessStartInfo Describe(string[] arguments, int threads)
    {
        ProcessStartInfo start = new(Python, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        string count = $"{threads}";
        (string Name, string? Value)[] variables =
        [
            ("OMP_NUM_THREADS", count), ("OPENBLAS_NUM_THREADS", count), ("MKL_NUM_THREADS", count),
            // Threads that wait for work must not take the processor from the other side.
            ("OMP_WAIT_POLICY", "PASSIVE"),
            ("OPENBLAS_CORETYPE", Core), ("ATEN_CPU_CAPABILITY", Capability),
            ("PYTHONDONTWRITEBYTECODE", "1"), ("PYTHONWARNINGS", "ignore"),
        ];
        foreach (var (name, value) in variables)
        {
            start.Environment.Remove(name);
            if (value is not null)
            {
                start.Environment[name] = value;
            }
        }
        return start;
    }

    private static string Setting(string variable, string? value)
        => value is null ? $"{variable} not set: as detected" : $"{variable}={value}";

    /// <summary>What probe.py says under these settings; null if it fails.</summary>
    private JsonObject? Report()
    {
        try
        {
            using var process = Process.Start(Describe("probe.py", threads: 1))!;
            process.ErrorDataReceived += (_, _) => { };
            process.BeginErrorReadLine();
            string output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0 ? JsonNode.Parse(output)!.AsObject() : null;
        }
        catch (Exception e) when (e is Win32Exception or JsonException)
        {
            return null;
        }
    }
}
