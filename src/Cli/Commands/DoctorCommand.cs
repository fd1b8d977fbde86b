using System.CommandLine;
using System.Runtime;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Marl.Native.Cli.Commands;

/// <summary>marl doctor: what a run would find on this machine.</summary>
internal static class DoctorCommand
{
    public static Command Create()
    {
        ExampledCommand command = new("doctor", "Show what this machine offers: processors, SIMD, memory, GPUs.", "marl doctor");
        command.SetAction(_ =>
        {
            foreach (var (name, finding) in Findings())
            {
                Console.Out.WriteLine($"{name,-12}{finding}");
            }
            return ExitCode.Success;
        });
        return command;
    }

    private static IEnumerable<(string Name, string Finding)> Findings() =>
    [
        ("system", $"{RuntimeInformation.OSDescription}, {RuntimeInformation.ProcessArchitecture}"),
        ("runtime", RuntimeInformation.FrameworkDescription),
        ("simd", Simd()),
        ("fma", Fma.IsSupported || AdvSimd.IsSupported ? "in hardware" : "in software: the same results, many times slower"),
        ("processors", $"{Environment.ProcessorCount}, as many threads by default"),
        ("memory", $"{GC.GetGCMemoryInfo().TotalAvailableMemoryBytes >> 20} MiB"),
        ("gc", $"{(GCSettings.IsServerGC ? "server" : "workstation")}, " +
            (GCSettings.LatencyMode == GCLatencyMode.Batch ? "not concurrent" : "concurrent")),
        ("cpu", "ready"),
        .. Devices.Findings(),
    ];

    /// <summary>The widest registers in use; <c>DOTNET_EnableAVX512=0</c> and the like narrow them.</summary>
    private static string Simd() => Vector512.IsHardwareAccelerated ? "512 bits"
        : Vector256.IsHardwareAccelerated ? "256 bits"
        : Vector128.IsHardwareAccelerated ? "128 bits"
        : "none";
}
