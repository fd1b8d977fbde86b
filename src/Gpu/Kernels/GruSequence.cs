using ILGPU;

namespace Marl.Native.Gpu;

/// <summary>
/// Four rows of a GRU's batch that one group processes through all time steps, without launches or synchronization between the steps. With grouped weights the
/// rows are interleaved, and all four belong to one weight group.
/// </summary>
internal readonly struct RowTile
{
    /// <summary>The number of rows of a tile.</summary>
    public const int Size = 4;

    /// <summary>The largest state that fits in the shared memory of a group.</summary>
    public const int MaxUnits = 256;
    private readonly int first, count, weightGroups;

    public RowTile(LaunchGroup group, int rows, int weightGroups)
    {
        this.weightGroups = weightGroups;
        WeightGroup = group.Index % weightGroups;
        first = group.Index / weightGroups * Size;
        count = rows / weightGroups;
    }

    /// <summary>The weight group of the rows.</summary>
    public int WeightGroup { get; }

    /// <summary>Whether row i exists; the last tile may have fewer than four rows.</summary>
    public bool Has(int i) => first + i < count;

    /// <summary>The index of row i in the batch.</summary>
    public int Row(int i) => (first + i) * weightGroups + WeightGroup;

    /// <summary>The number of tiles.</summary>
    public static int Groups(int rows, int weightGroups) => (rows / weightGroups + Size - 1) / Size * weightGroups;
}

/// <summary>
/// All steps of a GRU. The states of the four rows are double-buffered in shared memory. A thread computes one unit of all four rows, so that a weight that is
/// loaded once is used four times. Each sum is one chain in the order of k, as on the CPU.
/// </summary>
internal struct GruForwardKernel : IKernel
{
    public int Steps, Rows, Units, WeightGroups, HasContinueMask;
    public StridedMatrix W;
    public ArrayView<float> BiasN, Gates, H0, ContinueMask, Y;

    public void Arrays(LaunchArrays arrays)
    {
        arrays.Read(ref W.Data);
        arrays.Read(ref BiasN);
        arrays.Read(ref H0);
        arrays.Read(ref ContinueMask);
        arrays.Write(ref Gates);
        arrays.Write(ref Y);
    }

    public readonly void Run(LaunchGroup group)
    {
        var states = SharedMemory.Allocate<Float4>(2 * RowTile.MaxUnits);
        var rows = new RowTile(group, Rows, WeightGroups);
        for (int j = Group.IdxX; j < Units; j += Group.DimX)
        {
            states[j] = new(Initial(rows, 0, j), Initial(rows, 1, j), Initial(rows, 2, j), Initial(rows, 3, j));
        }
        Group.Barrier();
        int now = 0, next = RowTile.MaxUnits;
        for (int t = 0; t < Steps; t++)
        {
            for (int j = Group.IdxX; j < Units; j += Group.DimX)
            {
                float bias = BiasN[rows.WeightGroup * Units + j];
                Float4 r = Sums(rows, t, j), z = Sums(rows, t, Units + j), m = new(bias, bias, bias, bias);
                for (int k = 0; k < Units; k++)
                {
                    var h = states[now + k];
                    r = Float4.Fma(W.Data[W.At(rows.WeightGroup, k, j)], h, r);
                    z = Float4.Fma(W.Data[W.At(rows.WeightGroup, k, Units + j)], h, z);
                    m = Float4.Fma(W.Data[W.At(rows.WeightGroup, k, 2 * Units + j)], h, m);
                }
                var own = states[now + j];
                states[next + j] = new(Step(rows, 0, t, j, r.X, z.X, m.X, own.X), Step(rows, 1, t, j, r.Y, z.Y, m.Y, own.Y),
                    Step(rows, 2, t, j, r.Z, z.Z, m.Z, own.Z), Step(rows, 3, t, j, r.W, z.W, m.W, own.W));
            }
            Group.Barrier();
            int last = now;
            now = next;
            next = last;
        }
    }

    private readonly float Initial(RowTile rows, int i, int j)
        => rows.Has(i) ? H0[rows.Row(i) * Units + j] * ContinueMaskAt(0, rows.Row(i)) : 0f;

    private readonly Float4 Sums(RowTile rows, int t, int column) => new(Sum(rows, 0, t, column), Sum(rows, 1, t, column), Sum(rows, 2, t, column),
        Sum(rows, 3, t, column));

    private readonly float Sum(RowTile rows, int i, int t, int column) => rows.Has(i) ? Gates[(t * Rows + rows.Row(i)) * 4 * Units + column] : 0f;

    private readonly float ContinueMaskAt(int t, int row) => HasContinueMask != 0 && t < Steps ? ContinueMask[t * Rows + row] : 1f;

    /// <summary>Computes a unit of row i: writes its gates and state, and returns the state that the next step reads.</summary>
    private readonly float Step(RowTile rows, int i, int t, int j, float sumR, float sumZ, float m, float h)
    {
        float state = 0f;
        if (rows.Has(i))
        {
            int row = rows.Row(i), at = (t * Rows + row) * 4 * Units + j;
            F1 r = F1.Sigmoid(new F1(sumR)), z = F1.Sigmoid(new F1(sumZ));
            F1 n = F1.Tanh(F1.Fma(r, new F1(m), new F1(Gates[at + 2 * Units])));
            Gates[at] = r.Value;
            Gates[at + Units] = z.Value;
            Gates[at + 2 * Units] = n.Value;
            Gates[at + 3 * Units] = m;
            // (1 - z) n + z h = n + z (h - n)
            float y = F1.Fma(z, new F1(h) - n, n).Value;
            Y[(t * Rows + row) * Units + j] = y;
            state = y * ContinueMaskAt(t + 1, row);
        }
        return state;
    }
}

/// <summary>
/// The backward pass of all steps of a GRU: from the gradients of y and of the last state to those of the pre-activations of every step and of the initial
/// state, dh. The gradients of a step's pre-activations are in shared memory while every unit sums its part of dh.
/// </summary>
internal struct GruBackwardKernel : IKernel
{
    public int Steps, Rows, Units, WeightGroups, HasContinueMask;
    public StridedMatrix W;
    public ArrayView<float> Gates, H0, ContinueMask, Y, DY, D, Previous, DH;

    public void Arrays(LaunchArrays arrays)
    {
        arrays.Read(ref W.Data);
        arrays.Read(ref Gates);
        arrays.Read(ref H0);
        arrays.Read(ref ContinueMask);
        arrays.Read(ref Y);
        arrays.Read(ref DY);
        arrays.Write(ref D);
        arrays.Write(ref Previous);
        arrays.Write(ref DH);
    }

    public readonly void Run(LaunchGroup group)
    {
        var quads = SharedMemory.Allocate<Float4>(3 * RowTile.MaxUnits);
        var sums = quads.Cast<float>();
        var rows = new RowTile(group, Rows, WeightGroups);
        for (int t = Steps - 1; t >= 0; t--)
        {
            for (int j = Group.IdxX; j < Units; j += Group.DimX)
            {
                for (int i = 0; i < RowTile.Size; i++)
                {
                    float dr = 0f, dz = 0f, dm = 0f;
                    if (rows.Has(i))
                    {
                        int row = rows.Row(i), at = (t * Rows + row) * 4 * Units + j, unit = row * Units + j, step = t * Rows * Units + unit;
                        float h = t == 0 ? H0[unit] : Y[step - Rows * Units];
                        h = HasContinueMask != 0 ? h * ContinueMask[t * Rows + row] : h;
                        Previous[step] = h;
                        F1 r = new(Gates[at]), z = new(Gates[at + Units]), n = new(Gates[at + 2 * Units]), m = new(Gates[at + 3 * Units]), one = F1.Of(1f);
                        var dOut = new F1(DY[step]) + new F1(DH[unit]);
                        var dn = dOut * (one - z) * (one - n * n);
                        dz = (dOut * (new F1(h) - n) * (z * (one - z))).Value;
                        dr = (dn * m * (r * (one - r))).Value;
                        dm = (dn * r).Value;
                        D[at] = dr;
                        D[at + Units] = dz;
                        D[at + 2 * Units] = dn.Value;
                        D[at + 3 * Units] = dm;
                        DH[unit] = (dOut * z).Value;
                    }
                    sums[j * RowTile.Size + i] = dr;
                    sums[(Units + j) * RowTile.Size + i] = dz;
                    sums[(2 * Units + j) * RowTile.Size + i] = dm;
                }
            }
            Group.Barrier();
            for (int j = Group.IdxX; j < Units; j += Group.DimX)
            {
                var dh = new Float4(Back(rows, 0, j), Back(rows, 1, j), Back(rows, 2, j), Back(rows, 3, j));
                for (int k = 0; k < 3 * Units; k++)
                {
                    dh = Float4.Fma(W.Data[W.At(rows.WeightGroup, k, j)], quads[k], dh);
                }
                Store(rows, 0, t, j, dh.X);
                Store(rows, 1, t, j, dh.Y);
                Store(rows, 2, t, j, dh.Z);
                Store(rows, 3, t, j, dh.W);
            }
            Group.Barrier();
        }
    }

    private readonly float Back(RowTile rows, int i, int j) => rows.Has(i) ? DH[rows.Row(i) * Units + j] : 0f;

    private readonly void Store(RowTile rows, int i, int t, int j, float dh)
    {
        if (rows.Has(i))
        {
            int row = rows.Row(i);
            DH[row * Units + j] = HasContinueMask != 0 ? dh * ContinueMask[t * Rows + row] : dh;
        }
    }
}
