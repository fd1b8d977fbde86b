using System.CommandLine;
using System.Runtime;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Marl.Native.Cli.Commands;

/// <summary>marl doctor: prints the properties of this machine that training depends on.</summary>
internal static class DoctorCommand
{
    public static Command Create()
    {
        ExampledCommand command = new("doctor", "Show the processors, SIMD width, memory and GPUs of this machine.", "marl doctor");
        command.SetAction(_ =>
        {
            foreach (var (name, value) in Properties())
            {
                Console.Out.WriteLine($"{name,-12}{value}");
            }
            return ExitCode.Success;
        });
        return command;
    }

    private static IEnumerable<(string Name, string Value)> Properties() =>
    [
        ("system", $"{RuntimeInformation.OSDescription}, {RuntimeInformation.ProcessArchitecture}"),
        ("runtime", RuntimeInformation.FrameworkDescription),
        ("simd", Simd()),
        ("fma", Fma.IsSupported || AdvSimd.IsSupported ? "in hardware" : "in software: same results, many times slower"),
        ("processors", $"{Environment.ProcessorCount}; one thread each by default"),
        ("memory", $"{GC.GetGCMemoryInfo().TotalAvailableMemoryBytes >> 20} MiB"),
        ("gc", $"{(GCSettings.IsServerGC ? "server" : "workstation")}, " +
            (GCSettings.LatencyMode == GCLatencyMode.Batch ? "not concurrent" : "concurrent")),
        ("cpu", "ready"),
        .. Devices.ListGpus(),
    ];

    /// <summary>The width of the widest registers in use; <c>DOTNET_EnableAVX512=0</c> and <c>DOTNET_EnableAVX2=0</c> limit it.</summary>
    private static string Simd() => Vector512.IsHardwareAccelerated ? "512 bits"
        : Vector256.IsHardwareAccelerated ? "256 bits"
        : Vector128.IsHardwareAccelerated ? "128 bits"
        : "none";
}
