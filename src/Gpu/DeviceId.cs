using System.Globalization;

namespace Marl.Native.Gpu;

/// <summary>The identifier of a device: its kind, its index and its options, such as "cuda:1+tf32".</summary>
/// <param name="Kind"><see cref="Cuda"/> or <see cref="OpenCL"/>.</param>
/// <param name="Index">The index among the devices of its kind, from 0.</param>
/// <param name="Tf32">Whether matrix products use tensor cores, with factors rounded to TF32.</param>
/// <param name="CuBlas">Whether matrix products use cuBLAS.</param>
/// <param name="NoGraphs">Whether kernels are launched one by one, where CUDA graphs are the default.</param>
internal readonly record struct DeviceId(string Kind, int Index, bool Tf32, bool CuBlas, bool NoGraphs)
{
    public const string Cuda = "cuda", OpenCL = "opencl";

    private const string Tf32Flag = "tf32", CuBlasFlag = "cublas", NoGraphsFlag = "nographs";

    /// <summary>The options of CUDA devices, in any order.</summary>
    private static readonly string[] Flags = [Tf32Flag, CuBlasFlag, NoGraphsFlag];

    /// <summary>Parses "cuda", "cuda:1", "cuda:1+tf32+cublas", "opencl:0".</summary>
    /// <exception cref="ArgumentException">The identifier is invalid.</exception>
    public static DeviceId Parse(string id)
    {
        string[] parts = id.Split('+'), flags = parts[1..];
        string kind = parts[0].Split(':')[0], number = parts[0][kind.Length..];
        int index = 0;
        bool known = kind is Cuda or OpenCL && (number.Length == 0 || int.TryParse(number[1..], NumberStyles.None, CultureInfo.InvariantCulture, out index));
        known &= flags.Length == 0 || kind == Cuda && flags.All(Flags.Contains) && flags.Distinct().Count() == flags.Length;
        return known ? new(kind, index, flags.Contains(Tf32Flag), flags.Contains(CuBlasFlag), flags.Contains(NoGraphsFlag))
            : throw new ArgumentException($"'{id}' is not a device: expected {Cuda}, {Cuda}:i, {OpenCL} or {OpenCL}:i, for {Cuda} optionally followed by " +
                $"{string.Join(", ", Flags.Select(flag => "+" + flag))}");
    }

    /// <summary>Formats the full identifier.</summary>
    public override string ToString() => $"{Kind}:{Index}{(Tf32 ? "+" + Tf32Flag : "")}{(CuBlas ? "+" + CuBlasFlag : "")}{(NoGraphs ? "+" + NoGraphsFlag : "")}";
}
