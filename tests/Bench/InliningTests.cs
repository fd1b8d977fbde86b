using Marl.Native.Bench;
using Marl.Native.Bench.Kernels;

namespace Marl.Native.Tests;

/// <summary>The machine code of loops over lanes has no calls: the lanes stay in registers.</summary>
public sealed class InliningTests
{
    /// <summary>The levels of this machine that have lanes of their own.</summary>
    public static TheoryData<string> Levels => [.. SimdLevel.Here.Where(level => level.Width >= 256).Select(level => level.Name)];

    [Theory]
    [MemberData(nameof(Levels))]
    public void LoopsOverLanesHaveNoCalls(string level)
    {
        var (loops, calls) = Inlining.Of(SimdLevel.Parse(level)[0]);
        Assert.True(loops > 80, $"{loops} loops");
        Assert.Empty(calls);
    }
}
