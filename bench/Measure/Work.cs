using System.Globalization;

namespace Marl.Native.Bench;

/// <summary>The work of one call of a kernel, independent of its implementation.</summary>
/// <param name="Operations">additions, multiplications, comparisons, roots, divisions and functions such as exp as its formula
/// writes them, each counted once; a fused multiply-add is two. 0 where a kernel only moves numbers.</param>
/// <param name="Bytes">read and written once each, at the least.</param>
public readonly record struct Work(double Operations, double Bytes);

/// <summary>What the process of a benchmark tells the one that makes the table: one line of its output, which BenchmarkDotNet keeps
/// beside the measurements.</summary>
/// <param name="Work">of one call.</param>
/// <param name="Peak">of fused multiply-adds, operations per second, in that process.</param>
/// <param name="Bits">the widest register that it used.</param>
internal readonly record struct CaseReport(Work Work, double Peak, int Bits)
{
    private const string Prefix = "// kernel: ";

    /// <summary>Of this process: measures its peak.</summary>
    public static CaseReport Of(Work work) => new(work, FmaPeak.Measure(), SimdLevel.Bits);

    /// <summary>The line; see <see cref="Parse"/>.</summary>
    public override string ToString()
        => Prefix + string.Create(CultureInfo.InvariantCulture, $"{Work.Operations:R} {Work.Bytes:R} {Peak:R} {Bits}");

    /// <summary>The report among lines of output; none if the process did not come to print it.</summary>
    public static CaseReport? Parse(IEnumerable<string> lines)
    {
        if (lines.LastOrDefault(line => line.StartsWith(Prefix, StringComparison.Ordinal)) is not { } line)
        {
            return null;
        }
        double[] numbers = [.. line[Prefix.Length..].Split(' ').Select(word => double.Parse(word, CultureInfo.InvariantCulture))];
        return new(new(numbers[0], numbers[1]), numbers[2], (int)numbers[3]);
    }
}
