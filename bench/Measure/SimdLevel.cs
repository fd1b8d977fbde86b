using System.Runtime.Intrinsics;
using Marl.Native.Rl;

namespace Marl.Native.Bench;

/// <summary>How wide the vectors of a process may be. The runtime decides that once, when it starts, from environment variables; a
/// benchmark at another level than this process's own is therefore another process.</summary>
/// <param name="Name">as in <c>--levels</c> and in the tables.</param>
/// <param name="Width">bits of the widest register; 0: scalar code alone.</param>
/// <param name="Environment">what keeps the runtime from using more.</param>
internal sealed record SimdLevel(string Name, int Width, params (string Name, string Value)[] Environment)
{
    /// <summary>From the widest on. On x64 the processor's fused multiply-add goes away together with AVX, so that at "128" and
    /// "scalar" each one is a call of the C library. (DOTNET_PreferredVectorBitWidth=128 would keep it, but code that asks for Vector256
    /// without asking whether that is wise, as the engine's lanes do, goes on using 256 bits.)</summary>
    private static readonly SimdLevel[] Known =
    [
        new("avx512", 512),
        new("avx2", 256, ("DOTNET_EnableAVX512", "0")),
        new("128", 128, ("DOTNET_EnableAVX", "0")),
        new("scalar", 0, ("DOTNET_EnableHWIntrinsic", "0")),
    ];

    /// <summary>Bits of the widest register that this process uses; 0: none.</summary>
    public static int Bits => Vector512.IsHardwareAccelerated ? 512 : Vector256.IsHardwareAccelerated ? 256
        : Vector128.IsHardwareAccelerated ? 128 : 0;

    /// <summary>The levels that this machine has, from the widest on.</summary>
    public static SimdLevel[] Here => [.. Known.Where(level => level.Width <= Bits)];

    /// <summary>"all", or names separated by commas.</summary>
    /// <exception cref="UsageException">a level that does not exist, or not here.</exception>
    public static SimdLevel[] Parse(string names)
    {
        return names == "all" ? Here : [.. names.Split(',').Select(Find)];

        static SimdLevel Find(string name)
        {
            var level = Array.Find(Known, level => level.Name == name)
                ?? throw UsageException.Unknown("SIMD level", name, Known.Select(level => level.Name).Append("all"));
            return level.Width <= Bits ? level
                : throw new UsageException($"this machine has no {name}; it has {string.Join(", ", Here.Select(here => here.Name))}");
        }
    }
}
