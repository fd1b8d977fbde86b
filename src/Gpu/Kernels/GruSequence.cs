using ILGPU;

namespace Marl.Native.Gpu;

/// <summary>
/// Four rows of a GRU's batch that one group takes through all time steps, so that nothing but the cache stands between a step and the next: neither a
/// launch nor a wait. Rows with weights of their own (copies, agents) stand interleaved, and a group's four belong to one copy.
/// </summary>
internal readonly struct RowsOfFour
{
    /// <summary>How many rows a group has.</summary>
    public const int Size = 4;

    /// <summary>The widest state that a group's shared memory holds.</summary>
    public const int MaxUnits = 256;
    private readonly int first, count, copies;

    public RowsOfFour(int rows, int copies)
    {
        this.copies = copies;
        Copy = Grid.IdxX % copies;
        first = Grid.IdxX / copies * Size;
        count = rows / copies;
    }

    /// <summary>Whose weights they use.</summary>
    public int Copy { get; }

    /// <summary>Whether there is a row i; the last group may have fewer than four.</summary>
    public bool Has(int i) => first + i < count;

    /// <summary>Its number among all rows.</summary>
    public int Row(int i) => (first + i) * copies + Copy;

    /// <summary>How many groups that makes.</summary>
    public static int Groups(int rows, int copies) => (rows / copies + Size - 1) / Size * copies;
}

/// <summary>
/// All steps of a GRU forward. The states of the four rows are in shared memory, twice: those that a step reads and those that it writes. A thread makes
/// the sums of a unit of all four rows, so that a weight, read from the cache, is used four times; each sum is one chain in the order of k, as on the CPU.
/// </summary>
internal struct GruForwardKernel : IKernel
{
    public int Steps, Rows, Units, Copies, HasKeep;
    public Grid2 W;
    public ArrayView<float> BiasN, Gates, H0, Keep, Y;

    public readonly void Run()
    {
        var states = SharedMemory.Allocate<float>(2 * RowsOfFour.Size * RowsOfFour.MaxUnits);
        var rows = new RowsOfFour(Rows, Copies);
        for (int e = Group.IdxX; e < RowsOfFour.Size * Units; e += Group.DimX)
        {
            int i = e % RowsOfFour.Size;
            states[e] = rows.Has(i) ? H0[rows.Row(i) * Units + e / RowsOfFour.Size] * Kept(0, rows.Row(i)) : 0f;
        }
        Group.Barrier();
        int now = 0, next = RowsOfFour.Size * RowsOfFour.MaxUnits;
        for (int t = 0; t < Steps; t++)
        {
            for (int j = Group.IdxX; j < Units; j += Group.DimX)
            {
                float bias = BiasN[rows.Copy * Units + j];
                Quad r = Sums(rows, t, j), z = Sums(rows, t, Units + j), m = new(bias, bias, bias, bias);
                for (int k = 0; k < Units; k++)
                {
                    int at = now + RowsOfFour.Size * k;
                    var h = new Quad(states[at], states[at + 1], states[at + 2], states[at + 3]);
                    r = Quad.Fma(W.Data[W.At(rows.Copy, k, j)], h, r);
                    z = Quad.Fma(W.Data[W.At(rows.Copy, k, Units + j)], h, z);
                    m = Quad.Fma(W.Data[W.At(rows.Copy, k, 2 * Units + j)], h, m);
                }
                int own = RowsOfFour.Size * j;
                states[next + own] = Step(rows, 0, t, j, r.X, z.X, m.X, states[now + own]);
                states[next + own + 1] = Step(rows, 1, t, j, r.Y, z.Y, m.Y, states[now + own + 1]);
                states[next + own + 2] = Step(rows, 2, t, j, r.Z, z.Z, m.Z, states[now + own + 2]);
                states[next + own + 3] = Step(rows, 3, t, j, r.W, z.W, m.W, states[now + own + 3]);
            }
            Group.Barrier();
            int last = now;
            now = next;
            next = last;
        }
    }

    private readonly Quad Sums(RowsOfFour rows, int t, int column) => new(Sum(rows, 0, t, column), Sum(rows, 1, t, column), Sum(rows, 2, t, column),
        Sum(rows, 3, t, column));

    private readonly float Sum(RowsOfFour rows, int i, int t, int column) => rows.Has(i) ? Gates[(t * Rows + rows.Row(i)) * 4 * Units + column] : 0f;

    private readonly float Kept(int t, int row) => HasKeep != 0 && t < Steps ? Keep[t * Rows + row] : 1f;

    /// <summary>A unit of row i: its gates and its state go to memory, and the state that the next step reads is returned.</summary>
    private readonly float Step(RowsOfFour rows, int i, int t, int j, float sumR, float sumZ, float m, float h)
    {
        float kept = 0f;
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
            kept = y * Kept(t + 1, row);
        }
        return kept;
    }
}

/// <summary>
/// All steps of a GRU backward: from dL/dy and what comes back through the state to the derivatives by the sums of every step, and to that by the state
/// before the first, dh. Those by a step's sums are in shared memory while every unit gathers its part of dh from them.
/// </summary>
internal struct GruBackwardKernel : IKernel
{
    public int Steps, Rows, Units, Copies, HasKeep;
    public Grid2 W;
    public ArrayView<float> Gates, H0, Keep, Y, DY, D, Before, DH;

    public readonly void Run()
    {
        var sums = SharedMemory.Allocate<float>(3 * RowsOfFour.Size * RowsOfFour.MaxUnits);
        var rows = new RowsOfFour(Rows, Copies);
        for (int t = Steps - 1; t >= 0; t--)
        {
            for (int j = Group.IdxX; j < Units; j += Group.DimX)
            {
                for (int i = 0; i < RowsOfFour.Size; i++)
                {
                    float dr = 0f, dz = 0f, dm = 0f;
                    if (rows.Has(i))
                    {
                        int row = rows.Row(i), at = (t * Rows + row) * 4 * Units + j, unit = row * Units + j, step = t * Rows * Units + unit;
                        float h = t == 0 ? H0[unit] : Y[step - Rows * Units];
                        h = HasKeep != 0 ? h * Keep[t * Rows + row] : h;
                        Before[step] = h;
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
                    sums[j * RowsOfFour.Size + i] = dr;
                    sums[(Units + j) * RowsOfFour.Size + i] = dz;
                    sums[(2 * Units + j) * RowsOfFour.Size + i] = dm;
                }
            }
            Group.Barrier();
            for (int j = Group.IdxX; j < Units; j += Group.DimX)
            {
                var dh = new Quad(Back(rows, 0, j), Back(rows, 1, j), Back(rows, 2, j), Back(rows, 3, j));
                for (int k = 0; k < 3 * Units; k++)
                {
                    int at = RowsOfFour.Size * k;
                    dh = Quad.Fma(W.Data[W.At(rows.Copy, k, j)], new Quad(sums[at], sums[at + 1], sums[at + 2], sums[at + 3]), dh);
                }
                Store(rows, 0, t, j, dh.X);
                Store(rows, 1, t, j, dh.Y);
                Store(rows, 2, t, j, dh.Z);
                Store(rows, 3, t, j, dh.W);
            }
            Group.Barrier();
        }
    }

    private readonly float Back(RowsOfFour rows, int i, int j) => rows.Has(i) ? DH[rows.Row(i) * Units + j] : 0f;

    private readonly void Store(RowsOfFour rows, int i, int t, int j, float dh)
    {
        if (rows.Has(i))
        {
            int row = rows.Row(i);
            DH[row * Units + j] = HasKeep != 0 ? dh * Keep[t * Rows + row] : dh;
        }
    }
}
