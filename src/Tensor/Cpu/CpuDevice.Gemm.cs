using System.Runtime.CompilerServices;

namespace Marl.Native;

/// <summary>Products of matrices.</summary>
internal sealed partial class CpuDevice
{
    /// <inheritdoc/>
    public override void Gemm(Matrix a, Matrix b, Matrix c, bool accumulate, Tensor bias)
    {
        if (c.Transposed)
        {
            (a, b, c) = (b.T, a.T, c.T);
        }
        int m = c.M, n = c.N, k = a.N;
        (int aRow, int aColumn) = a.Transposed ? (1, a.Stride) : (a.Stride, 1);
        (int bRow, int bColumn) = b.Transposed ? (1, b.Stride) : (b.Stride, 1);
        Span<float> sa = a.Data.Span, sb = b.Data.Span, sc = c.Data.Span;
        for (int batch = 0; batch < c.Batch; batch++)
        {
            int a0 = a.Batch == 1 ? 0 : batch * a.Step, b0 = b.Batch == 1 ? 0 : batch * b.Step, c0 = batch * c.Step;
            for (int i = 0; i < m; i++)
            {
                for (int j = 0; j < n; j++)
                {
                    ref float target = ref sc[c0 + i * c.Stride + j];
                    float sum = accumulate ? target : bias.IsNone ? 0f : bias.Span[bias.Count == n ? j : batch * n + j];
                    for (int p = 0; p < k; p++)
                    {
                        sum = MathF.FusedMultiplyAdd(sa[a0 + i * aRow + p * aColumn], sb[b0 + p * bRow + j * bColumn], sum);
                    }
                    target = sum;
                }
            }
        }
    }
}
