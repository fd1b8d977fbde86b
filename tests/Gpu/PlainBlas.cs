using Marl.Native.Gpu;

namespace Marl.Native.Tests.Gpu;

/// <summary>C = op(A) op(B) + beta C as it is written down, on the memory of the host: column by column, each sum one chain.</summary>
/// <param name="round">What is done to every factor, if anything.</param>
internal sealed unsafe class PlainBlas(Func<float, float>? round = null) : IBlas
{
    /// <summary>Asked for so far.</summary>
    public int Products { get; private set; }

    public void Multiply(in Sgemm p)
    {
        Products++;
        Assert.True(p.M > 0 && p.N > 0 && p.K > 0 && p.Batch > 0, $"{p}");
        Assert.True(p.LdA >= (p.TransposeA ? p.K : p.M) && p.LdB >= (p.TransposeB ? p.N : p.K) && p.LdC >= p.M, $"{p}");
        Assert.True(p.Batch == 1 || p.StrideC != 0, $"{p}");
        HashSet<nint> written = [];
        for (int batch = 0; batch < p.Batch; batch++)
        {
            float* a = (float*)p.A + batch * p.StrideA, b = (float*)p.B + batch * p.StrideB, c = (float*)p.C + batch * p.StrideC;
            for (int column = 0; column < p.N; column++)
            {
                for (int row = 0; row < p.M; row++)
                {
                    float* at = c + row + (long)column * p.LdC;
                    float sum = p.Beta == 0f ? 0f : p.Beta * *at;
                    for (int k = 0; k < p.K; k++)
                    {
                        float x = p.TransposeA ? a[k + (long)row * p.LdA] : a[row + (long)k * p.LdA];
                        float y = p.TransposeB ? b[column + (long)k * p.LdB] : b[k + (long)column * p.LdB];
                        sum = round is null ? MathF.FusedMultiplyAdd(x, y, sum) : MathF.FusedMultiplyAdd(round(x), round(y), sum);
                    }
                    *at = sum;
                    Assert.True(written.Add((nint)at), $"{p} writes a number twice");
                }
            }
        }
    }

    public void Dispose()
    {
    }
}
