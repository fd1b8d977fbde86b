using ILGPU;

namespace Marl.Native.Gpu;

/// <summary>Indices stored as floats, with a bounds check. A kernel cannot throw: it sets a fault flag and skips the element.</summary>
internal readonly struct CheckedIndices(ArrayView<float> index, ArrayView<float> fault, int length)
{
    private readonly ArrayView<float> index = index, fault = fault;
    private readonly int length = length;

    /// <summary>index[i] as an integer, or -1 if it is out of range.</summary>
    public int At(int i)
    {
        F1 position = new(index[i]), outside = F1.Of(-1f);
        position = F1.IfGreater(new F1(length), position, F1.IfGreater(F1.Of(0f), position, outside, position), outside);
        int at = (int)position.Value;
        if (at < 0)
        {
            fault[0] = 1f;
        }
        return at;
    }
}

/// <summary>y[row, j] = x[row, index[row, j]]</summary>
internal struct GatherKernel : IKernel
{
    public int Count, Columns, Picks;
    public ArrayView<float> X, Index, Y, Fault;

    public void Arrays(LaunchArrays arrays)
    {
        arrays.Read(ref X);
        arrays.Read(ref Index);
        arrays.Write(ref Y);
        arrays.Share(ref Fault);
    }

    public readonly void Run(LaunchGroup group)
    {
        var positions = new CheckedIndices(Index, Fault, Columns);
        for (int i = group.Thread; i < Count; i += group.Threads)
        {
            int at = positions.At(i);
            Y[i] = at < 0 ? 0f : X[i / Picks * Columns + at];
        }
    }
}

/// <summary>x[row, index[row, j]] += y[row, j], one thread per row, because indices of a row may repeat.</summary>
internal struct ScatterAddKernel : IKernel
{
    public int Rows, Columns, Picks;
    public ArrayView<float> Y, Index, X, Fault;

    public void Arrays(LaunchArrays arrays)
    {
        arrays.Read(ref Y);
        arrays.Read(ref Index);
        arrays.Write(ref X);
        arrays.Share(ref Fault);
    }

    public readonly void Run(LaunchGroup group)
    {
        var positions = new CheckedIndices(Index, Fault, Columns);
        for (int row = group.Thread; row < Rows; row += group.Threads)
        {
            for (int i = row * Picks; i < (row + 1) * Picks; i++)
            {
                int at = positions.At(i);
                if (at >= 0)
                {
                    X[row * Columns + at] += Y[i];
                }
            }
        }
    }
}

/// <summary>y[i, ..] = w[index[i], ..]</summary>
internal struct GatherRowsKernel : IKernel
{
    public int Count, Rows, Width;
    public ArrayView<float> W, Index, Y, Fault;

    public void Arrays(LaunchArrays arrays)
    {
        arrays.Read(ref W);
        arrays.Read(ref Index);
        arrays.Write(ref Y);
        arrays.Share(ref Fault);
    }

    public readonly void Run(LaunchGroup group)
    {
        var positions = new CheckedIndices(Index, Fault, Rows);
        for (int i = group.Thread; i < Count; i += group.Threads)
        {
            int row = positions.At(i / Width);
            Y[i] = row < 0 ? 0f : W[row * Width + i % Width];
        }
    }
}

/// <summary>w[index[i], ..] += y[i, ..], one thread per element of w, which adds its rows in order, so that the sum is deterministic.</summary>
internal struct ScatterAddRowsKernel : IKernel
{
    public int Indices, Rows, Width;
    public ArrayView<float> Y, Index, W, Fault;

    public void Arrays(LaunchArrays arrays)
    {
        arrays.Read(ref Y);
        arrays.Read(ref Index);
        arrays.Write(ref W);
        arrays.Share(ref Fault);
    }

    public readonly void Run(LaunchGroup group)
    {
        var positions = new CheckedIndices(Index, Fault, Rows);
        for (int at = group.Thread; at < Rows * Width; at += group.Threads)
        {
            int row = at / Width, column = at % Width;
            float sum = W[at];
            for (int i = 0; i < Indices; i++)
            {
                if (positions.At(i) == row)
                {
                    sum += Y[i * Width + column];
                }
            }
            W[at] = sum;
        }
    }
}
