using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.Intrinsics.X86;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Marl.Native.Bench.Compare;

/// <summary>
/// The fastest settings of the peer. OpenBLAS selects its kernels, and PyTorch its vector loops, by the processor model; unknown models and many virtual
/// machines get slow ones. All settings that the processor supports are tried, and the fastest are used.
/// </summary>
/// <param name="Python">The interpreter.</param>
/// <param name="Core">OPENBLAS_CORETYPE; null: not set, detected.</param>
/// <param name="Capability">ATEN_CPU_CAPABILITY; null: not set, detected.</param>
/// <param name="Torch">The version of PyTorch.</param>
/// <param name="Blas">The name of its BLAS.</param>
/// <param name="GemmRate">FLOP/s of its Gemm with one thread.</param>
internal sealed record PeerSettings(string Python, string? Core, string? Capability, string Torch, string Blas, double GemmRate)
{
    /// <summary>The command that installs PyTorch with a fast BLAS.</summary>
    public const string Remedy = "apt-get install python3-torch libopenblas0-pthread";

    /// <summary>Tries all settings; returns null if this Python has no PyTorch.</summary>
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
                continue; // These settings do not run here.
            }
            double Number(string name) => report[name]!.GetValue<double>();
            string Text(string name) => report[name]!.GetValue<string>();
            // The detected settings are kept unless others are clearly faster.
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

    /// <summary>Returns how to start a script of bench/peers with a number of threads.</summary>
    public ProcessStartInfo Describe(string script, int threads)
        => Describe([Path.Combine(Repository.Root, "bench", "peers", script)], threads);

    /// <summary>Returns how to start Python with arguments.</summary>
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
            // Waiting threads must not use the processor while the other side is measured.
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

    /// <summary>Returns the output of probe.py with these settings; null if it fails.</summary>
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
