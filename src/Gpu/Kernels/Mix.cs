using ILGPU;

namespace Marl.Native.Gpu;

/// <summary>y[r, e] = sum_n |w[r, n, e]| x[r, n] + b[r, e]: one thread per element, one chain over n from b.</summary>
internal struct MixKernel : IKernel
{
    public int Count, Inputs, Width;
    public ArrayView<float> W, X, B, Y;

    public void Arrays(LaunchArrays arrays)
    {
        arrays.Read(ref W);
        arrays.Read(ref X);
        arrays.Read(ref B);
        arrays.Write(ref Y);
    }

    public readonly void Run(LaunchGroup group)
    {
        for (int i = group.Thread; i < Count; i += group.Threads)
        {
            int row = i / Width, weight = row * Inputs * Width + i % Width;
            var sum = new F1(B[i]);
            for (int n = 0; n < Inputs; n++)
            {
                sum = F1.Fma(F1.Abs(new F1(W[weight + n * Width])), new F1(X[row * Inputs + n]), sum);
            }
            Y[i] = sum.Value;
        }
    }
}

/// <summary>y[r] (+)= sum_k |a[r, k]| b[r / Repeat, k], plus c[r] if present: monotone mixing with one output, and dx of the other cases.</summary>
internal struct AbsoluteDotKernel : IKernel
{
    public int Lanes, Rows, Columns, Repeat, HasC;
    public ArrayView<float> A, B, C, Y;

    public void Arrays(LaunchArrays arrays)
    {
        arrays.Read(ref A);
        arrays.Read(ref B);
        arrays.Read(ref C);
        arrays.Write(ref Y);
    }

    public readonly void Run(LaunchGroup group)
    {
        var row = new SharedRow(group, Lanes, Rows, Columns);
        int second = row.Row / Repeat * Columns;
        var lane = F1.Of(0f);
        for (int i = row.Lane; i < row.Columns; i += Lanes)
        {
            lane = F1.Fma(F1.Abs(new F1(A[row.Start + i])), new F1(B[second + i]), lane);
        }
        float sum = row.ReduceLanes(default(Sum), lane.Value);
        if (row.Lane == 0 && row.Row < Rows)
        {
            Y[row.Row] = (HasC != 0 ? C[row.Row] : Y[row.Row]) + sum;
        }
    }
}

/// <summary>dw[r, n, e] (+)= sign(w) x[r, n] dy[r, e]; with one output also dx[r, n] += |w| dy.</summary>
internal struct MixBackwardKernel : IKernel
{
    public int Count, Inputs, Width, Accumulate, NeedsW, NeedsX;
    public ArrayView<float> W, X, DY, DW, DX;

    public void Arrays(LaunchArrays arrays)
    {
        arrays.Read(ref W);
        arrays.Read(ref X);
        arrays.Read(ref DY);
        arrays.Write(ref DW);
        arrays.Write(ref DX);
    }

    public readonly void Run(LaunchGroup group)
    {
        for (int i = group.Thread; i < Count; i += group.Threads)
        {
            int input = i / Width;
            F1 zero = F1.Of(0f), w = new(W[i]), x = new(X[input]), dy = new(DY[input / Inputs * Width + i % Width]);
            if (NeedsW != 0)
            {
                F1 signed = F1.IfGreater(w, zero, x, F1.IfGreater(zero, w, -x, zero));
                DW[i] = F1.Fma(signed, dy, new F1(Accumulate != 0 ? DW[i] : 0f)).Value;
            }
            if (NeedsX != 0)
            {
                DX[i] = F1.Fma(F1.Abs(w), dy, new F1(DX[i])).Value;
            }
        }
    }
}
