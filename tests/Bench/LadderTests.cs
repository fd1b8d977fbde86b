using Marl.Native.Bench.Ladders;

namespace Marl.Native.Tests;

/// <summary>Every rung of a ladder computes the naive one's bits: sizes around the lanes, the register tile and the blocks.</summary>
public sealed class LadderTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(31)]
    [InlineData(33)]
    [InlineData(130)]
    public void Gemm(int k)
    {
        foreach (int m in new[] { 1, 5, 6, 13 })
        {
            Assert.All([1, 15, 16, 33, 300], n => AssertSameBits(GemmLadder.Of(m, k, n)));
        }
    }

    [Theory]
    [InlineData(1, 1, 1, 1)]
    [InlineData(3, 5, 7, 9)]
    [InlineData(2, 13, 33, 17)]
    [InlineData(4, 7, 130, 64)]
    public void Gru(int steps, int rows, int inputs, int hidden) => AssertSameBits(GruLadder.Of(steps, rows, inputs, hidden));

    private static void AssertSameBits(Ladder ladder)
        => Assert.All(ladder.Rungs, rung => Assert.Equal((rung.Name, default), (rung.Name, ladder.Check(rung))));
}
