using ILGPU;

namespace Marl.Native.Gpu;

// The functions are those of the CPU, in lanes of one float: a thread is a lane.

/// <summary>y = f(x)</summary>
internal struct MapKernel<TOp> : IKernel where TOp : unmanaged, IUnary
{
    public TOp Op;
    public int Count;
    public ArrayView<float> X, Y;

    public void Arrays(LaunchArrays arrays)
    {
        arrays.Read(ref X);
        arrays.Write(ref Y);
    }

    public readonly void Run(LaunchGroup group)
    {
        for (int i = group.Thread; i < Count; i += group.Threads)
        {
            Y[i] = Op.F(new F1(X[i])).Value;
        }
    }
}

/// <summary>z (+)= f'(x) dy</summary>
internal struct MapDerivativeKernel<TOp> : IKernel where TOp : unmanaged, IUnary
{
    public TOp Op;
    public int Count, Accumulate;
    public ArrayView<float> X, Y, DY, Z;

    public void Arrays(LaunchArrays arrays)
    {
        arrays.Read(ref X);
        arrays.Read(ref Y);
        arrays.Read(ref DY);
        arrays.Write(ref Z);
    }

    public readonly void Run(LaunchGroup group)
    {
        for (int i = group.Thread; i < Count; i += group.Threads)
        {
            var before = new F1(Accumulate != 0 ? Z[i] : 0f);
            Z[i] = F1.Fma(Op.D(new F1(X[i]), new F1(Y[i])), new F1(DY[i]), before).Value;
        }
    }
}

/// <summary>y = f(a, b) without broadcasting.</summary>
internal struct SameShapeZipKernel<TOp> : IKernel where TOp : unmanaged, IBinary
{
    public TOp Op;
    public int Count;
    public ArrayView<float> A, B, Y;

    public void Arrays(LaunchArrays arrays)
    {
        arrays.Read(ref A);
        arrays.Read(ref B);
        arrays.Write(ref Y);
    }

    public readonly void Run(LaunchGroup group)
    {
        for (int i = group.Thread; i < Count; i += group.Threads)
        {
            Y[i] = Op.F(new F1(A[i]), new F1(B[i])).Value;
        }
    }
}

/// <summary>y = f(a, b) with y dense; the strides of a and b may be 0.</summary>
internal struct ZipKernel<TOp> : IKernel where TOp : unmanaged, IBinary
{
    public TOp Op;
    public Int4 Lengths, AStrides, BStrides;
    public ArrayView<float> A, B, Y;

    public void Arrays(LaunchArrays arrays)
    {
        arrays.Read(ref A);
        arrays.Read(ref B);
        arrays.Write(ref Y);
    }

    public readonly void Run(LaunchGroup group)
    {
        int n = Lengths.Count;
        for (int i = group.Thread; i < n; i += group.Threads)
        {
            var at = Lengths.At(i);
            Y[i] = Op.F(new F1(A[at.Dot(AStrides)]), new F1(B[at.Dot(BStrides)])).Value;
        }
    }
}

/// <summary>z += df/da dy or df/db dy; y and z dense.</summary>
internal struct ZipDerivativeKernel<TOp> : IKernel where TOp : unmanaged, IBinary
{
    public TOp Op;
    public int Second;
    public Int4 Lengths, AStrides, BStrides, DYStrides;
    public ArrayView<float> A, B, Y, DY, Z;

    public void Arrays(LaunchArrays arrays)
    {
        arrays.Read(ref A);
        arrays.Read(ref B);
        arrays.Read(ref Y);
        arrays.Read(ref DY);
        arrays.Write(ref Z);
    }

    public readonly void Run(LaunchGroup group)
    {
        int n = Lengths.Count;
        for (int i = group.Thread; i < n; i += group.Threads)
        {
            var at = Lengths.At(i);
            F1 a = new(A[at.Dot(AStrides)]), b = new(B[at.Dot(BStrides)]), y = new(Y[i]);
            var partial = Second != 0 ? Op.DB(a, b, y) : Op.DA(a, b, y);
            Z[i] = F1.Fma(partial, new F1(DY[at.Dot(DYStrides)]), new F1(Z[i])).Value;
        }
    }
}

/// <summary>An accumulator of squares.</summary>
internal interface ISum
{
    /// <summary>Adds a square.</summary>
    void Add(float square);

    /// <summary>The square root of the sum.</summary>
    F1 Root { get; }
}

/// <summary>Sums in double precision, as the CPU does.</summary>
internal struct DoubleSum : ISum
{
    private double sum;

    public void Add(float square) => sum += square;

    public readonly F1 Root => new((float)Math.Sqrt(sum));
}

/// <summary>Sums in single precision, for devices without doubles.</summary>
internal struct SingleSum : ISum
{
    private float sum;

    public void Add(float square) => sum += square;

    public readonly F1 Root => F1.Sqrt(new(sum));
}

/// <summary>The clipping factor of a gradient, by one thread: the squares are few and their order is fixed.</summary>
internal struct ClipScaleKernel<TSum> : IKernel where TSum : struct, ISum
{
    public int Count, HasLoss, LogRows;
    public float Max;
    public ArrayView<float> Squares, Loss, Scale, Log;

    public void Arrays(LaunchArrays arrays)
    {
        arrays.Read(ref Squares);
        arrays.Read(ref Loss);
        arrays.Write(ref Scale);
        arrays.Write(ref Log);
    }

    public readonly void Run(LaunchGroup group)
    {
        TSum sum = default;
        for (int i = 0; i < Count; i++)
        {
            sum.Add(Squares[i]);
        }
        F1 norm = sum.Root, loss = new(HasLoss != 0 ? Loss[0] : 0f), one = F1.Of(1f), none = F1.Of(-1f), infinite = F1.Of(float.PositiveInfinity);
        var part = new F1(Max) / (norm + F1.Of(1e-6f));
        // Comparisons with NaN are false.
        F1 scale = F1.IfGreater(one, part, part, one);
        scale = F1.IfGreater(infinite, F1.Abs(loss), scale, none);
        scale = F1.IfGreater(infinite, norm, scale, none);
        Scale[0] = F1.IfGreater(F1.Of(0f), new F1(Scale[0]), none, scale).Value;
        if (LogRows > 0)
        {
            int row = (int)Log[0], first = 1 + row * (Count + 1);
            for (int i = 0; i < Count; i++)
            {
                Log[first + i] = Squares[i];
            }
            Log[first + Count] = loss.Value;
            Log[0] = row + 1 < LogRows ? row + 1 : 0;
        }
    }
}

/// <summary>An optimizer step. A state that the rule does not have is read as 0 and never written. The scale is never NaN.</summary>
internal struct UpdateKernel<TRule> : IKernel where TRule : unmanaged, IUpdate
{
    public TRule Rule;
    public int Count, HasM, HasV, HasScale;
    public ArrayView<float> P, G, M, V, Scale;

    public void Arrays(LaunchArrays arrays)
    {
        arrays.Read(ref G);
        arrays.Read(ref Scale);
        arrays.Write(ref P);
        arrays.Write(ref M);
        arrays.Write(ref V);
    }

    public readonly void Run(LaunchGroup group)
    {
        float scale = HasScale != 0 ? Scale[0] : 1f;
        if (scale < 0f)
        {
            return;
        }
        for (int i = group.Thread; i < Count; i += group.Threads)
        {
            F1 p = new(P[i]), m = new(HasM != 0 ? M[i] : 0f), v = new(HasV != 0 ? V[i] : 0f);
            F1 g = new(G[i]);
            Rule.Step(ref p, HasScale != 0 ? F1.Fma(g, new(scale), F1.Of(0f)) : g, ref m, ref v);
            P[i] = p.Value;
            if (HasM != 0)
            {
                M[i] = m.Value;
            }
            if (HasV != 0)
            {
                V[i] = v.Value;
            }
        }
    }
}
