using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Marl.Native.Bench.Kernels;

namespace Marl.Native.Bench.Ladders;

/// <summary>
/// A GRU over a whole sequence, rung by rung. Its inputs are all known beforehand, so that W_ih x is one large product for all steps;
/// W_hh h is one per step, of all rows. What is left is how fast such products are (<see cref="GemmLadder"/>), and then the gates.
/// </summary>
internal static class GruLadder
{
    /// <summary>The ladder of one size.</summary>
    public static Ladder Of(int steps, int rows, int inputs, int hidden)
    {
        var rng = new Rng(2);
        var sequence = new GruSequence(steps, rows, inputs, hidden, ref rng);
        var work = new Buffers(sequence);
        var tape = new Tape();
        return new($"gru {steps}x{rows}x{inputs}x{hidden}", sequence.Operations, sequence.Y,
        [
            new("naive", "one unit after another", sequence.Forward),
            new("tiled", "products of all rows at once, tiled", () => Layers(sequence, work, GemmLadder.Tiled, Gates)),
            new("vector", "products and gates in lanes", () => Layers(sequence, work, GemmLadder.Vector, GatesInLanes)),
            new("packed", "products in register tiles", () => Layers(sequence, work, GemmLadder.Packed, GatesInLanes)),
            new("engine", "the engine's layer, as it acts", Engine),
        ]);

        void Engine()
        {
            using (tape.NoGrad())
            {
                sequence.Forward(tape, tape.Constant(sequence.X), tape.Freeze(sequence.Parameters)).Value.CopyTo(sequence.Y);
            }
        }
    }

    /// <summary>y from h and the two products, for one row of units; overwrites gi.</summary>
    private delegate void GateFunction(Span<float> gi, ReadOnlySpan<float> gh, ReadOnlySpan<float> h, Span<float> y);

    /// <summary>Both products by a rung of the other ladder, and the gates row by row.</summary>
    private static void Layers(GruSequence s, Buffers work, Multiply multiply, GateFunction gates)
    {
        int width = 3 * s.Hidden;
        Transpose(s.WIh, width, s.Inputs, work.WIh);
        Transpose(s.WHh, width, s.Hidden, work.WHh);
        Repeat(s.BIh, work.Gi);
        multiply(s.X.Span, work.WIh, work.Gi, s.Steps * s.Rows, s.Inputs, width);
        for (int t = 0; t < s.Steps; t++)
        {
            Span<float> h = s.Before(t), y = s.Y[t].Span;
            Repeat(s.BHh, work.Gh);
            multiply(h, work.WHh, work.Gh, s.Rows, s.Hidden, width);
            for (int row = 0; row < s.Rows; row++)
            {
                gates(work.Gi.AsSpan((t * s.Rows + row) * width, width), work.Gh.AsSpan(row * width, width),
                    h.Slice(row * s.Hidden, s.Hidden), y.Slice(row * s.Hidden, s.Hidden));
            }
        }
    }

    private static void Gates(Span<float> gi, ReadOnlySpan<float> gh, ReadOnlySpan<float> h, Span<float> y)
    {
        Sigmoids<F1>(0, gi, gh, 2 * y.Length);
        States<F1>(0, gi, gh, h, y);
    }

    private static void GatesInLanes(Span<float> gi, ReadOnlySpan<float> gh, ReadOnlySpan<float> h, Span<float> y)
    {
        bool wide = Vector512.IsHardwareAccelerated;
        int gates = 2 * y.Length, done = wide ? Sigmoids<V16>(0, gi, gh, gates) : Sigmoids<V8>(0, gi, gh, gates);
        Sigmoids<F1>(done, gi, gh, gates);
        done = wide ? States<V16>(0, gi, gh, h, y) : States<V8>(0, gi, gh, h, y);
        States<F1>(done, gi, gh, h, y);
    }

    /// <summary>r and z take the places of their sums in gi, from gate i on in whole lanes; returns how far it came.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int Sigmoids<T>(int i, Span<float> gi, ReadOnlySpan<float> gh, int count) where T : struct, IFloatLane<T>
    {
        ref float pi = ref MemoryMarshal.GetReference(gi), ph = ref MemoryMarshal.GetReference(gh);
        for (; i <= count - T.Width; i += T.Width)
        {
            T.Sigmoid(T.Load(ref pi, i) + T.Load(ref ph, i)).Store(ref pi, i);
        }
        return i;
    }

    /// <summary>n and y. A method apart from the sigmoids: the compiler inlines only so many operators of lanes into one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int States<T>(int j, ReadOnlySpan<float> gi, ReadOnlySpan<float> gh, ReadOnlySpan<float> h, Span<float> y)
        where T : struct, IFloatLane<T>
    {
        ref float pi = ref MemoryMarshal.GetReference(gi), ph = ref MemoryMarshal.GetReference(gh);
        ref float before = ref MemoryMarshal.GetReference(h), after = ref MemoryMarshal.GetReference(y);
        int units = y.Length;
        for (; j <= units - T.Width; j += T.Width)
        {
            T r = T.Load(ref pi, j), z = T.Load(ref pi, units + j);
            T n = T.Tanh(T.Fma(r, T.Load(ref ph, 2 * units + j), T.Load(ref pi, 2 * units + j)));
            T.Fma(z, T.Load(ref before, j) - n, n).Store(ref after, j);
        }
        return j;
    }

    private static void Transpose(ReadOnlySpan<float> x, int rows, int columns, Span<float> y)
    {
        for (int i = 0; i < rows; i++)
        {
            for (int j = 0; j < columns; j++)
            {
                y[j * rows + i] = x[i * columns + j];
            }
        }
    }

    private static void Repeat(ReadOnlySpan<float> row, Span<float> rows)
    {
        for (int start = 0; start < rows.Length; start += row.Length)
        {
            row.CopyTo(rows[start..]);
        }
    }

    /// <summary>Transposed weights and the products of a step.</summary>
    private sealed class Buffers(GruSequence s)
    {
        /// <summary>[I, 3H]</summary>
        public float[] WIh { get; } = new float[3 * s.Hidden * s.Inputs];

        /// <summary>[H, 3H]</summary>
        public float[] WHh { get; } = new float[3 * s.Hidden * s.Hidden];

        /// <summary>[T, R, 3H]</summary>
        public float[] Gi { get; } = new float[s.Steps * s.Rows * 3 * s.Hidden];

        /// <summary>[R, 3H]</summary>
        public float[] Gh { get; } = new float[s.Rows * 3 * s.Hidden];
    }
}
