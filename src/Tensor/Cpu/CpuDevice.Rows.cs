using System.Runtime.CompilerServices;

namespace Marl.Native;

/// <summary>
/// Masked softmax, row by row. A row is read in groups of sixteen, the last one padded with entries that count as masked; sums use sixteen virtual lanes and
/// the tree of <see cref="ReduceLanes"/>.
/// </summary>
internal sealed partial class CpuDevice
{
    public override void LogSoftmax(Tensor x, Tensor mask, Tensor y)
    {
        int rows = x.Shape.Rows, columns = x.Shape.Columns, n = rows * columns;
        ref float px = ref First(x, n), pm = ref mask.IsNone ? ref px : ref First(mask, n), py = ref First(y, n);
        V16 lowest = V16.Of(float.NegativeInfinity);
        for (int row = 0; row < rows; row++)
        {
            nint start = (nint)row * columns;
            V16 most = lowest;
            for (int i = 0; i < columns; i += V16.Width)
            {
                V16 values = LoadAvailable(ref px, ref pm, mask.IsNone, start, i, columns, float.NegativeInfinity);
                most = default(Max).Fold(most, values);
            }
            // If a row is fully masked, or all entries are -infinity, 0 replaces the maximum, so that no infinities are
            // subtracted.
            float greatest = ReduceLanes(default(Max), most);
            V16 shift = V16.Of(greatest == float.NegativeInfinity ? 0f : greatest);
            V16 sum = V16.Zero;
            for (int i = 0; i < columns; i += V16.Width)
            {
                sum += V16.Exp(LoadAvailable(ref px, ref pm, mask.IsNone, start, i, columns, float.NegativeInfinity) - shift);
            }
            V16 log = V16.Of(F1.Log(new F1(ReduceLanes(default(Sum), sum))).Value);
            for (int i = 0; i < columns; i += V16.Width)
            {
                V16 value = LoadGroup(ref px, start, i, columns, 0f) - shift - log;
                V16 available = mask.IsNone ? V16.One : LoadGroup(ref pm, start, i, columns, 0f);
                StoreGroup(V16.IfEqual(available, V16.Zero, V16.Zero, value), ref py, start, i, columns);
            }
        }
    }

    public override void LogSoftmaxBackward(Tensor y, Tensor mask, Tensor dy, Tensor dx)
    {
        int rows = y.Shape.Rows, columns = y.Shape.Columns, n = rows * columns;
        ref float py = ref First(y, n), pm = ref mask.IsNone ? ref py : ref First(mask, n);
        ref float pdy = ref First(dy, n), pdx = ref First(dx, n);
        for (int row = 0; row < rows; row++)
        {
            nint start = (nint)row * columns;
            V16 lanes = V16.Zero;
            for (int i = 0; i < columns; i += V16.Width)
            {
                lanes += LoadAvailable(ref pdy, ref pm, mask.IsNone, start, i, columns, 0f);
            }
            V16 sum = V16.Of(-ReduceLanes(default(Sum), lanes));
            for (int i = 0; i < columns; i += V16.Width)
            {
                V16 p = V16.Exp(LoadAvailable(ref py, ref pm, mask.IsNone, start, i, columns, float.NegativeInfinity));
                V16 change = V16.Fma(p, sum, LoadAvailable(ref pdy, ref pm, mask.IsNone, start, i, columns, 0f));
                StoreGroup(LoadGroup(ref pdx, start, i, columns, 0f) + change, ref pdx, start, i, columns);
            }
        }
    }

    public override void LogSoftmaxTangent(Tensor y, Tensor mask, Tensor dx, Tensor z)
    {
        int rows = y.Shape.Rows, columns = y.Shape.Columns, n = rows * columns;
        ref float py = ref First(y, n), pm = ref mask.IsNone ? ref py : ref First(mask, n);
        ref float pdx = ref First(dx, n), pz = ref First(z, n);
        for (int row = 0; row < rows; row++)
        {
            nint start = (nint)row * columns;
            V16 lanes = V16.Zero;
            for (int i = 0; i < columns; i += V16.Width)
            {
                V16 p = V16.Exp(LoadAvailable(ref py, ref pm, mask.IsNone, start, i, columns, float.NegativeInfinity));
                lanes = V16.Fma(p, LoadAvailable(ref pdx, ref pm, mask.IsNone, start, i, columns, 0f), lanes);
            }
            V16 mean = V16.Of(ReduceLanes(default(Sum), lanes));
            for (int i = 0; i < columns; i += V16.Width)
            {
                V16 change = LoadGroup(ref pdx, start, i, columns, 0f) - mean;
                V16 available = mask.IsNone ? V16.One : LoadGroup(ref pm, start, i, columns, 0f);
                V16 sum = LoadGroup(ref pz, start, i, columns, 0f) + V16.IfEqual(available, V16.Zero, V16.Zero, change);
                StoreGroup(sum, ref pz, start, i, columns);
            }
        }
    }

    /// <summary>Loads elements i .. i + 15 of the row at <paramref name="start"/>; elements after its end are <paramref name="fill"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V16 LoadGroup(ref float x, nint start, int i, int columns, float fill)
        => i + V16.Width <= columns ? V16.Load(ref x, start + i) : V16.LoadFirst(columns - i, ref x, start + i, fill);

    /// <summary>Loads elements i .. i + 15 like <see cref="LoadGroup"/>; elements whose mask is 0 are <paramref name="fill"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V16 LoadAvailable(ref float x, ref float mask, bool all, nint start, int i, int columns, float fill)
    {
        V16 values = LoadGroup(ref x, start, i, columns, fill);
        return all ? values : V16.IfEqual(LoadGroup(ref mask, start, i, columns, 0f), V16.Zero, V16.Of(fill), values);
    }

    /// <summary>Stores elements i .. i + 15 of the row at <paramref name="start"/>, up to its end.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreGroup(V16 values, ref float y, nint start, int i, int columns)
    {
        if (i + V16.Width <= columns)
        {
            values.Store(ref y, start + i);
        }
        else
        {
            values.StoreFirst(columns - i, ref y, start + i);
        }
    }
}
