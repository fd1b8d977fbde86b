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
                sequence.Forward(tape, tape.Constant(sequence.X), tape.Detached(sequence.Parameters)).Value.CopyTo(sequence.Y);
            }
        }
    }

    /// <summary>y from h, the sums of r, z and the state's part of n, and the input's part of n, for one row of units; overwrites the sums.</summary>
    private delegate void GateFunction(Span<float> sums, ReadOnlySpan<float> inputN, ReadOnlySpan<float> h, Span<float> y);

    /// <summary>Both products by a rung of the other ladder, and the gates row by row.</summary>
    private static void Layers(GruSequence s, Buffers work, Multiply multiply, GateFunction gates)
    {
        int width = 3 * s.Hidden;
        Transpose(s.WIh, width, s.Inputs, work.WIh);
        Transpose(s.WHh, width, s.Hidden, work.WHh);
        float[] bias = s.BIh.ToArray();
        for (int i = 0; i < 2 * s.Hidden; i++)
        {
            bias[i] += s.BHh[i];
        }
        Repeat(bias, work.Gi);
        multiply(s.X.Span, work.WIh, work.Gi, s.Steps * s.Rows, s.Inputs, width);
        for (int t = 0; t < s.Steps; t++)
        {
            Span<float> h = s.Before(t), y = s.Y[t].Span;
            // The sums of r and z go on from the input's; that of n apart, because r multiplies it.
            for (int row = 0; row < s.Rows; row++)
            {
                work.Gi.AsSpan((t * s.Rows + row) * width, 2 * s.Hidden).CopyTo(work.Gh.AsSpan(row * width));
                s.BHh[(2 * s.Hidden)..].CopyTo(work.Gh.AsSpan(row * width + 2 * s.Hidden));
            }
            multiply(h, work.WHh, work.Gh, s.Rows, s.Hidden, width);
            for (int row = 0; row < s.Rows; row++)
            {
                gates(work.Gh.AsSpan(row * width, width), work.Gi.AsSpan((t * s.Rows + row) * width + 2 * s.Hidden, s.Hidden),
                    h.Slice(row * s.Hidden, s.Hidden), y.Slice(row * s.Hidden, s.Hidden));
            }
        }
    }

    private static void Gates(Span<float> sums, ReadOnlySpan<float> inputN, ReadOnlySpan<float> h, Span<float> y)
    {
        Sigmoids<F1>(0, sums, 2 * y.Length);
        States<F1>(0, sums, inputN, h, y);
    }

    private static void GatesInLanes(Span<float> sums, ReadOnlySpan<float> inputN, ReadOnlySpan<float> h, Span<float> y)
    {
        bool wide = Vector512.IsHardwareAccelerated;
        int gates = 2 * y.Length, done = wide ? Sigmoids<V16>(0, sums, gates) : Sigmoids<V8>(0, sums, gates);
        Sigmoids<F1>(done, sums, gates);
        done = wide ? States<V16>(0, sums, inputN, h, y) : States<V8>(0, sums, inputN, h, y);
        States<F1>(done, sums, inputN, h, y);
    }

    /// <summary>r and z take the places of their sums, from gate i on in whole lanes; returns how far it came.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int Sigmoids<T>(int i, Span<float> sums, int count) where T : struct, IFloatLane<T>
    {
        ref float ps = ref MemoryMarshal.GetReference(sums);
        for (; i <= count - T.Width; i += T.Width)
        {
            T.Sigmoid(T.Load(ref ps, i)).Store(ref ps, i);
        }
        return i;
    }

    /// <summary>n and y. A method apart from the sigmoids: the compiler inlines only so many operators of lanes into one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int States<T>(int j, ReadOnlySpan<float> sums, ReadOnlySpan<float> inputN, ReadOnlySpan<float> h, Span<float> y)
        where T : struct, IFloatLane<T>
    {
        ref float ps = ref MemoryMarshal.GetReference(sums), pn = ref MemoryMarshal.GetReference(inputN);
        ref float before = ref MemoryMarshal.GetReference(h), after = ref MemoryMarshal.GetReference(y);
        int units = y.Length;
        for (; j <= units - T.Width; j += T.Width)
        {
            T r = T.Load(ref ps, j), z = T.Load(ref ps, units + j);
            var n = T.Tanh(T.Fma(r, T.Load(ref ps, 2 * units + j), T.Load(ref pn, j)));
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

        /// <summary>[T, R, 3H] biases and the input's products.</summary>
        public float[] Gi { get; } = new float[s.Steps * s.Rows * 3 * s.Hidden];

        /// <summary>[R, 3H] the sums of a step.</summary>
        public float[] Gh { get; } = new float[s.Rows * 3 * s.Hidden];
    }
}
