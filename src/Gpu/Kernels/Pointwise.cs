using ILGPU;

namespace Marl.Native.Gpu;

// The ops are the CPU's own, in lanes of one float: a thread is a lane.

/// <summary>y = f(x)</summary>
internal struct MapKernel<TOp> : IKernel where TOp : unmanaged, IUnary
{
    public TOp Op;
    public int Count;
    public ArrayView<float> X, Y;

    public readonly void Run()
    {
        for (int i = Thread.Index; i < Count; i += Thread.Count)
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

    public readonly void Run()
    {
        for (int i = Thread.Index; i < Count; i += Thread.Count)
        {
            var before = new F1(Accumulate != 0 ? Z[i] : 0f);
            Z[i] = F1.Fma(Op.D(new F1(X[i]), new F1(Y[i])), new F1(DY[i]), before).Value;
        }
    }
}

/// <summary>y = f(a, b), nothing broadcast.</summary>
internal struct PlainZipKernel<TOp> : IKernel where TOp : unmanaged, IBinary
{
    public TOp Op;
    public int Count;
    public ArrayView<float> A, B, Y;

    public readonly void Run()
    {
        for (int i = Thread.Index; i < Count; i += Thread.Count)
        {
            Y[i] = Op.F(new F1(A[i]), new F1(B[i])).Value;
        }
    }
}

/// <summary>y = f(a, b), y dense, a and b at strides that may be 0.</summary>
internal struct ZipKernel<TOp> : IKernel where TOp : unmanaged, IBinary
{
    public TOp Op;
    public Four Lengths, AStrides, BStrides;
    public ArrayView<float> A, B, Y;

    public readonly void Run()
    {
        int n = Lengths.Count;
        for (int i = Thread.Index; i < n; i += Thread.Count)
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
    public Four Lengths, AStrides, BStrides, DYStrides;
    public ArrayView<float> A, B, Y, DY, Z;

    public readonly void Run()
    {
        int n = Lengths.Count;
        for (int i = Thread.Index; i < n; i += Thread.Count)
        {
            var at = Lengths.At(i);
            F1 a = new(A[at.Dot(AStrides)]), b = new(B[at.Dot(BStrides)]), y = new(Y[i]);
            F1 partial = Second != 0 ? Op.DB(a, b, y) : Op.DA(a, b, y);
            Z[i] = F1.Fma(partial, new F1(DY[at.Dot(DYStrides)]), new F1(Z[i])).Value;
        }
    }
}

/// <summary>A step of an optimiser; a memory that the rule lacks is read as 0 and not written.</summary>
internal struct UpdateKernel<TRule> : IKernel where TRule : unmanaged, IUpdate
{
    public TRule Rule;
    public int Count, HasM, HasV;
    public ArrayView<float> P, G, M, V;

    public readonly void Run()
    {
        for (int i = Thread.Index; i < Count; i += Thread.Count)
        {
            F1 p = new(P[i]), m = new(HasM != 0 ? M[i] : 0f), v = new(HasV != 0 ? V[i] : 0f);
            Rule.Step(ref p, new F1(G[i]), ref m, ref v);
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
