using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Marl.Native;

/// <summary>Gather and scatter. Indices are integers stored as floats.</summary>
internal sealed partial class CpuDevice
{
    public override void Gather(Tensor x, Tensor index, Tensor y)
    {
        int rows = x.Shape.Rows, columns = x.Shape.Columns, picks = index.Shape.Columns;
        ref float px = ref First(x, rows * columns), pi = ref First(index, rows * picks), py = ref First(y, rows * picks);
        for (int row = 0, at = 0; row < rows; row++)
        {
            for (int end = at + picks; at < end; at++)
            {
                Unsafe.Add(ref py, at) = Unsafe.Add(ref px, (nint)row * columns + Position(Unsafe.Add(ref pi, at), columns));
            }
        }
    }

    public override void ScatterAdd(Tensor y, Tensor index, Tensor x)
    {
        int rows = x.Shape.Rows, columns = x.Shape.Columns, picks = index.Shape.Columns;
        ref float px = ref First(x, rows * columns), pi = ref First(index, rows * picks), py = ref First(y, rows * picks);
        for (int row = 0, at = 0; row < rows; row++)
        {
            for (int end = at + picks; at < end; at++)
            {
                Unsafe.Add(ref px, (nint)row * columns + Position(Unsafe.Add(ref pi, at), columns)) += Unsafe.Add(ref py, at);
            }
        }
    }

    public override void GatherRows(Tensor w, Tensor index, Tensor y)
    {
        int count = w.Shape[0], width = w.Shape.Product(1, w.Shape.Rank), n = index.Count;
        ref float pw = ref First(w, count * width), pi = ref First(index, n), py = ref First(y, n * width);
        for (int i = 0; i < n; i++)
        {
            ref float row = ref Unsafe.Add(ref pw, (nint)Position(Unsafe.Add(ref pi, i), count) * width);
            ref float target = ref Unsafe.Add(ref py, (nint)i * width);
            MemoryMarshal.CreateSpan(ref row, width).CopyTo(MemoryMarshal.CreateSpan(ref target, width));
        }
    }

    public override void ScatterAddRows(Tensor y, Tensor index, Tensor w)
    {
        int count = w.Shape[0], width = w.Shape.Product(1, w.Shape.Rank), n = index.Count;
        ref float pw = ref First(w, count * width), pi = ref First(index, n), py = ref First(y, n * width);
        for (int i = 0; i < n; i++)
        {
            ref float row = ref Unsafe.Add(ref pw, (nint)Position(Unsafe.Add(ref pi, i), count) * width);
            ref float values = ref Unsafe.Add(ref py, (nint)i * width);
            Loop.Run(new AddLoop(ref values, ref row), width);
        }
    }

    /// <summary>Converts an index to an integer. The comparison also rejects NaN.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The index lies outside the axis.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Position(float index, int length)
    {
        if (!(index >= 0f && index < length))
        {
            ThrowIndex(index, length);
        }
        return (int)index;
    }

    private static void ThrowIndex(float index, int length)
        => throw new ArgumentOutOfRangeException(nameof(index), index, $"index {index} is outside 0..{length - 1}");
}
