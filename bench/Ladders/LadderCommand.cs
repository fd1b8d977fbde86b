using System.Globalization;
using Marl.Native.Rl;

namespace Marl.Native.Bench.Ladders;

/// <summary><c>bench ladder gemm|gru</c>: checks every rung against the naive one, then times it.</summary>
internal static class LadderCommand
{
    private static readonly (string Name, Func<Ladder[]> Make)[] Ladders =
    [
        ("gemm", () => [GemmLadder.Of(1920, 64, 192), GemmLadder.Of(512, 512, 512)]),
        ("gru", () => [GruLadder.Of(61, 32, 64, 64), GruLadder.Of(61, 160, 64, 64)]),
    ];

    /// <summary>Prints a table for every size.</summary>
    /// <returns>0, or 1 if a rung differs from the naive one.</returns>
    /// <exception cref="UsageException">there is no such ladder.</exception>
    public static int Run(string[] args)
    {
        string name = args is [var one] ? one : throw new UsageException("which ladder? 'ladder gemm' or 'ladder gru'");
        var make = Array.Find(Ladders, ladder => ladder.Name == name).Make
            ?? throw UsageException.Unknown("ladder", name, Ladders.Select(ladder => ladder.Name));
        double peak = FmaPeak.Measure();
        return make().Count(ladder => !Print(ladder, peak)) == 0 ? 0 : 1;
    }

    private static bool Print(Ladder ladder, double peak)
    {
        var invariant = CultureInfo.InvariantCulture;
        Console.WriteLine(string.Create(invariant,
            $"{ladder.Title}: {ladder.Operations / 1e6:F1} MFLOP, peak {peak / 1e9:F1} GFLOP/s ({SimdLevel.Bits} bits)"));
        Console.WriteLine($"{"rung",-8}{"ms",10}{"GFLOP/s",10}{"% peak",9}{"times",9}  {"against naive",-24}idea");
        bool equal = true;
        double naive = 0;
        foreach (var rung in ladder.Rungs)
        {
            var deviation = ladder.Check(rung);
            equal &= deviation.Different == 0;
            double seconds = Ladder.Time(rung), rate = ladder.Operations / seconds;
            naive = naive == 0 ? seconds : naive;
            string against = deviation.Different == 0 ? "same bits"
                : string.Create(invariant, $"{deviation.Different} differ by {deviation.Greatest:G2}");
            string figures = string.Create(invariant,
                $"{seconds * 1e3,10:F3}{rate / 1e9,10:F1}{100 * rate / peak,9:F1}{naive / seconds,9:F1}");
            Console.WriteLine($"{rung.Name,-8}{figures}  {against,-24}{rung.Idea}");
        }
        Console.WriteLine();
        return equal;
    }
}
