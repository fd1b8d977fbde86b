using ILGPU;

namespace Marl.Native.Gpu;

/// <summary>
/// A row and the threads that share it: thread l of <see cref="Lanes"/> (a power of two) processes elements l, l + Lanes, .., and <see cref="ReduceLanes"/>
/// combines their results in a tree. With sixteen lanes this is the order of the CPU's sixteen virtual lanes. Threads beyond the last row take part in
/// barriers, but process no element.
/// </summary>
internal readonly struct SharedRow
{
    /// <summary>The most threads of a group.</summary>
    private const int MaxThreads = 1024;
    private readonly ArrayView<float> shared;

    public SharedRow(LaunchGroup group, int lanes, int rows, int columns)
    {
        shared = SharedMemory.Allocate<float>(MaxThreads);
        Lanes = lanes;
        Lane = Group.IdxX % lanes;
        Row = group.Index * (Group.DimX / lanes) + Group.IdxX / lanes;
        Start = Row * columns;
        Columns = Row < rows ? columns : 0;
    }

    /// <summary>The index of this thread among them.</summary>
    public int Lanes { get; }

    /// <summary>Which of them this is.</summary>
    public int Lane { get; }

    /// <summary>The index of the row.</summary>
    public int Row { get; }

    /// <summary>The first element of the row.</summary>
    public int Start { get; }

    /// <summary>The length of the row; 0 beyond the last row.</summary>
    public int Columns { get; }

    /// <summary>Combines the values of all threads of the row: lane l with l + half, then half as many.</summary>
    public float ReduceLanes<TOp>(TOp op, float mine) where TOp : unmanaged, IReduction
    {
        int at = Group.IdxX;
        // Other threads may still read the result of the previous call.
        Group.Barrier();
        shared[at] = mine;
        Group.Barrier();
        for (int half = Lanes / 2; half > 0; half /= 2)
        {
            if (Lane < half)
            {
                shared[at] = op.Fold(new F1(shared[at]), new F1(shared[at + half])).Value;
            }
            Group.Barrier();
        }
        return shared[at - Lane];
    }
}

/// <summary>y (+)= x reduced along contiguous rows. Long rows may be split: y then has <see cref="Slices"/> elements per row.</summary>
internal struct ReduceRowsKernel<TOp> : IKernel where TOp : unmanaged, IReduction
{
    public TOp Op;
    public int Lanes, Rows, Columns, Slices, Depth, Accumulate;
    public ArrayView<float> X, Y;

    public void Arrays(LaunchArrays arrays)
    {
        arrays.Read(ref X);
        arrays.Write(ref Y);
    }

    public readonly void Run(LaunchGroup group)
    {
        var row = new SharedRow(group, Lanes, Rows, Depth);
        int begin = row.Row % Slices * Depth, first = row.Row / Slices * Columns + begin;
        int count = Columns - begin < row.Columns ? Columns - begin : row.Columns;
        var lane = new F1(Op.Identity);
        for (int i = row.Lane; i < count; i += Lanes)
        {
            lane = Op.Fold(lane, new F1(X[first + i]));
        }
        float folded = row.ReduceLanes(Op, lane.Value);
        if (row.Lane == 0 && row.Row < Rows)
        {
            Y[row.Row] = Accumulate != 0 ? Op.Fold(new F1(Y[row.Row]), new F1(folded)).Value : folded;
        }
    }
}

/// <summary>y[0] = sum_i x[i] w[i / Repeat], by one group.</summary>
internal struct WeightedSumKernel : IKernel
{
    public int Lanes, Count, Repeat;
    public ArrayView<float> X, W, Y;

    public void Arrays(LaunchArrays arrays)
    {
        arrays.Read(ref X);
        arrays.Read(ref W);
        arrays.Write(ref Y);
    }

    public readonly void Run(LaunchGroup group)
    {
        var row = new SharedRow(group, Lanes, 1, Count);
        var lane = new F1(default(Sum).Identity);
        for (int i = row.Lane; i < row.Columns; i += Lanes)
        {
            lane = default(Sum).Fold(lane, new F1(X[i]) * new F1(W[i / Repeat]));
        }
        float sum = row.ReduceLanes(default(Sum), lane.Value);
        if (row.Lane == 0 && row.Row == 0)
        {
            Y[0] = sum;
        }
    }
}

/// <summary>y[p] = the sum of x^2 over part p, one group per part. <see cref="Parts"/> holds the first element and the length of each.</summary>
internal struct SumSquaresKernel : IKernel
{
    public ArrayView<int> Parts;
    public ArrayView<float> X, Y;

    public void Arrays(LaunchArrays arrays)
    {
        arrays.Read(ref Parts);
        arrays.Read(ref X);
        arrays.Write(ref Y);
    }

    public readonly void Run(LaunchGroup group)
    {
        int part = group.Index, first = Parts[2 * part], count = Parts[2 * part + 1];
        var row = new SharedRow(group, Group.DimX, group.Count, count);
        var lane = F1.Of(0f);
        for (int i = row.Lane; i < count; i += row.Lanes)
        {
            var x = new F1(X[first + i]);
            lane += x * x;
        }
        float sum = row.ReduceLanes(default(Sum), lane.Value);
        if (row.Lane == 0)
        {
            Y[part] = sum;
        }
    }
}

/// <summary>y[s] = the sum of the parts of segment s, in order. <see cref="Begins"/> holds the first part of each segment.</summary>
internal struct SumPartsKernel : IKernel
{
    public int Count;
    public ArrayView<int> Begins;
    public ArrayView<float> X, Y;

    public void Arrays(LaunchArrays arrays)
    {
        arrays.Read(ref Begins);
        arrays.Read(ref X);
        arrays.Write(ref Y);
    }

    public readonly void Run(LaunchGroup group)
    {
        for (int s = group.Thread; s < Count; s += group.Threads)
        {
            float sum = X[Begins[s]];
            for (int part = Begins[s] + 1; part < Begins[s + 1]; part++)
            {
                sum += X[part];
            }
            Y[s] = sum;
        }
    }
}

/// <summary>
/// y [outer, inner] (+)= x [outer, length, inner] reduced along the middle axis: <see cref="Lanes"/> threads per element, row k to lane k mod Lanes, then
/// neighbors in a tree: (0 + 1) + (2 + 3). With four lanes this is the CPU's order. A long axis may be split: y is then [outer, slices, inner].
/// </summary>
internal struct ReduceColumnsKernel<TOp> : IKernel where TOp : unmanaged, IReduction
{
    public TOp Op;
    public int Lanes, Outer, Length, Slices, Depth, Inner, Accumulate;
    public ArrayView<float> X, Y;

    public void Arrays(LaunchArrays arrays)
    {
        arrays.Read(ref X);
        arrays.Write(ref Y);
    }

    public readonly void Run(LaunchGroup group)
    {
        var shared = SharedMemory.Allocate<float>(1024);
        // Coalesced: neighboring threads process neighboring columns.
        int columns = Group.DimX / Lanes, lane = Group.IdxX / columns, at = group.Index * columns + Group.IdxX % columns;
        int part = at / Inner, outer = part / Slices, begin = part % Slices * Depth, first = outer * Length * Inner + at % Inner;
        int end = outer >= Outer ? 0 : Length - begin < Depth ? Length : begin + Depth;
        var mine = new F1(Op.Identity);
        for (int k = begin + lane; k < end; k += Lanes)
        {
            mine = Op.Fold(mine, new F1(X[first + k * Inner]));
        }
        shared[Group.IdxX] = mine.Value;
        Group.Barrier();
        for (int step = 1; step < Lanes; step *= 2)
        {
            if (lane % (2 * step) == 0)
            {
                shared[Group.IdxX] = Op.Fold(new F1(shared[Group.IdxX]), new F1(shared[Group.IdxX + step * columns])).Value;
            }
            Group.Barrier();
        }
        if (lane == 0 && outer < Outer)
        {
            float folded = shared[Group.IdxX];
            Y[at] = Accumulate != 0 ? Op.Fold(new F1(Y[at]), new F1(folded)).Value : folded;
        }
    }
}

/// <summary>Reads the entries of rows with a mask.</summary>
internal readonly struct MaskedRows(ArrayView<float> x, ArrayView<float> mask, int all)
{
    private readonly ArrayView<float> x = x, mask = mask;
    private readonly int all = all;

    /// <summary>Whether entry i is unmasked.</summary>
    public bool Includes(int i) => all != 0 || mask[i] != 0f;

    /// <summary>x[i], or <paramref name="fill"/> if entry i is masked.</summary>
    public F1 Load(int i, float fill) => new(Includes(i) ? x[i] : fill);
}

/// <summary>The index of the first maximum of each row.</summary>
internal struct ArgMaxKernel : IKernel
{
    public int Lanes, Rows, Columns, All;
    public ArrayView<float> X, Mask, Index;

    public void Arrays(LaunchArrays arrays)
    {
        arrays.Read(ref X);
        arrays.Read(ref Mask);
        arrays.Write(ref Index);
    }

    public readonly void Run(LaunchGroup group)
    {
        var row = new SharedRow(group, Lanes, Rows, Columns);
        var x = new MaskedRows(X, Mask, All);
        var most = new F1(float.NegativeInfinity);
        for (int i = row.Lane; i < row.Columns; i += Lanes)
        {
            most = default(Max).Fold(most, x.Load(row.Start + i, float.NegativeInfinity));
        }
        var greatest = new F1(row.ReduceLanes(default(Max), most.Value));
        // The smallest index is the maximum of the negated indices.
        var place = new F1(float.NegativeInfinity);
        for (int i = row.Lane; i < row.Columns; i += Lanes)
        {
            F1 here = F1.IfEqual(x.Load(row.Start + i, float.NaN), greatest, new F1(-i), new F1(float.NegativeInfinity));
            place = default(Max).Fold(place, here);
        }
        // -x + 0: ILGPU takes 0 - x for -x, which is -0 where x is 0.
        float first = F1.Fma(F1.Of(-1f), new F1(row.ReduceLanes(default(Max), place.Value)), F1.Of(0f)).Value;
        if (row.Lane == 0 && row.Row < Rows)
        {
            Index[row.Row] = F1.IfEqual(new F1(first), new F1(float.PositiveInfinity), F1.Of(0f), new F1(first)).Value;
        }
    }
}

/// <summary>y[t] = a[t] + b[t] y[t + 1], one thread per column.</summary>
internal struct ScanKernel : IKernel
{
    public int Count, Inner;
    public ArrayView<float> A, B, Y;

    public void Arrays(LaunchArrays arrays)
    {
        arrays.Read(ref A);
        arrays.Read(ref B);
        arrays.Write(ref Y);
    }

    public readonly void Run(LaunchGroup group)
    {
        for (int column = group.Thread; column < Inner; column += group.Threads)
        {
            var next = F1.Of(0f);
            for (int at = Count - Inner + column; at >= 0; at -= Inner)
            {
                next = F1.Fma(new F1(B[at]), next, new F1(A[at]));
                Y[at] = next.Value;
            }
        }
    }
}
