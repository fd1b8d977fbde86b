using System.Globalization;

namespace Marl.Native.Gpu;

/// <summary>What a device is opened by: its kind, its number among those of its kind, and after a plus each, words on how it works.</summary>
/// <param name="Kind">one of the two.</param>
/// <param name="Index">counted from 0.</param>
/// <param name="Tf32">of factors rounded to TF32, on tensor cores.</param>
/// <param name="CuBlas">by NVIDIA's library.</param>
/// <param name="Graphs">whether an update is taken as one CUDA graph.</param>
internal readonly record struct DeviceId(string Kind, int Index, bool Tf32, bool CuBlas, bool Graphs)
{
    public const string Cuda = "cuda", OpenCL = "opencl";

    private const string Tf32Word = "tf32", CuBlasWord = "cublas", GraphsWord = "graphs";

    /// <summary>What CUDA devices have, in any order.</summary>
    private static readonly string[] Words = [Tf32Word, CuBlasWord, GraphsWord];

    /// <summary>"cuda", "cuda:1", "cuda:1+tf32+cublas", "opencl:0".</summary>
    /// <exception cref="ArgumentException">it is none; says what is.</exception>
    public static DeviceId Parse(string id)
    {
        string[] parts = id.Split('+'), said = parts[1..];
        string kind = parts[0].Split(':')[0], number = parts[0][kind.Length..];
        int index = 0;
        bool known = kind is Cuda or OpenCL && (number.Length == 0 || int.TryParse(number[1..], NumberStyles.None, CultureInfo.InvariantCulture, out index));
        known &= said.Length == 0 || kind == Cuda && said.All(Words.Contains) && said.Distinct().Count() == said.Length;
        return known ? new(kind, index, said.Contains(Tf32Word), said.Contains(CuBlasWord), said.Contains(GraphsWord))
            : throw new ArgumentException($"'{id}' is no device: {Cuda}, {Cuda}:i, {OpenCL} or {OpenCL}:i is, {Cuda} also with any of " +
                $"{string.Join(", ", Words.Select(word => "+" + word))} after it");
    }

    /// <summary>In full.</summary>
    public override string ToString() => $"{Kind}:{Index}{(Tf32 ? "+" + Tf32Word : "")}{(CuBlas ? "+" + CuBlasWord : "")}{(Graphs ? "+" + GraphsWord : "")}";
}
