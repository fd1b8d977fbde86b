using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Marl.Native;

/// <summary>
/// The primitives on one CPU core. A kernel is an <see cref="ILoop"/>, generic over the lane; <see cref="Loop"/> runs it with the widest lane of the processor.
/// Nothing is allocated.
/// </summary>
internal sealed partial class CpuDevice : Device
{
    /// <summary>Rows with fewer elements are copied by a loop, which is faster than a call of the runtime.</summary>
    private const int ShortRow = 8;

    public override string Name => "CPU";

    public override string Id => "cpu";

    /// <summary>256 KiB, which fits in the second-level cache of common processors.</summary>
    public override int CacheBlock => 1 << 16;

    public override long FreeMemory
    {
        get
        {
            var memory = GC.GetGCMemoryInfo();
            return Math.Max(0, memory.TotalAvailableMemoryBytes - memory.MemoryLoadBytes);
        }
    }

    public override Storage Allocate(int count) => new HostStorage(this, count);

    public override void Write(ReadOnlySpan<float> values, Tensor destination) => values.CopyTo(destination.Span);

    public override void Read(Tensor source, Span<float> values) => source.Span.CopyTo(values);

    public override void Copy(Tensor x, Tensor y) => x.Span.CopyTo(y.Span);

    public override void Fill(Tensor x, float value) => x.Span.Fill(value);

    public override void ForEach<TBody>(TBody body, int count, Tensor memory, Tensor second, Tensor third)
    {
        HostMemory a = new(memory.Span), b = second.IsNone ? a : new(second.Span), c = third.IsNone ? a : new(third.Span);
        for (int i = 0; i < count; i++)
        {
            Run(ref body, i, a, b, c);
        }
    }

    /// <summary>Not inlined: the JIT compiler optimizes the body for itself, and inlines what it calls.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Run<TBody>(ref TBody body, int i, HostMemory a, HostMemory b, HostMemory c) where TBody : unmanaged, ILoopBody => body.Run(i, a, b, c);

    public override void CopyStrided(Tensor x, ReadOnlySpan<int> xStrides, Tensor y, ReadOnlySpan<int> yStrides,
        ReadOnlySpan<int> lengths, bool accumulate)
    {
        if (!LoopNest.TryCreate(lengths, x, xStrides, y, yStrides, out var nest))
        {
            return;
        }
        ref float px = ref MemoryMarshal.GetReference(x.Span), py = ref MemoryMarshal.GetReference(y.Span);
        int n = nest.Length(3), xStride = nest.Stride(0, 3), yStride = nest.Stride(1, 3);
        if (!accumulate && xStride == 1 && nest.Stride(1, 2) == 1)
        {
            do
            {
                Transpose(ref nest.At(0, ref px), nest.Stride(0, 2), nest.Length(2), n, ref nest.At(1, ref py), yStride);
            }
            while (nest.Next(1));
            return;
        }
        bool areShort = n < ShortRow && xStride == 1 && yStride == 1 && !accumulate;
        do
        {
            ref float x0 = ref nest.At(0, ref px), y0 = ref nest.At(1, ref py);
            nint nextX = nest.Stride(0, 2), nextY = nest.Stride(1, 2);
            int rows = nest.Length(2);
            if (areShort)
            {
                CopyShortRows(ref x0, nextX, ref y0, nextY, rows, n);
                continue;
            }
            for (int row = 0; row < rows; row++)
            {
                CopyRow(ref Unsafe.Add(ref x0, row * nextX), xStride, ref Unsafe.Add(ref y0, row * nextY), yStride, n, accumulate);
            }
        }
        while (nest.Next(1));
    }

    /// <summary>Copies rows of x, <paramref name="nextX"/> apart, to rows of y.</summary>
    private static void CopyShortRows(ref float x, nint nextX, ref float y, nint nextY, int rows, int n)
    {
        for (int row = 0; row < rows; row++)
        {
            for (int i = 0; i < n; i++)
            {
                Unsafe.Add(ref y, i) = Unsafe.Add(ref x, i);
            }
            x = ref Unsafe.Add(ref x, nextX);
            y = ref Unsafe.Add(ref y, nextY);
        }
    }

    /// <summary>Copies rows of x, <paramref name="xStride"/> apart, to columns of y, four at a time.</summary>
    private static unsafe void Transpose(ref float x, nint xStride, int rows, int columns, ref float y, nint yStride)
    {
        fixed (float* px = &x, py = &y)
        {
            int row = 0;
            for (; row <= rows - 4; row += 4)
            {
                Transpose(new StridedMatrix(px + row * xStride, 1, xStride), columns, py + row, yStride);
            }
            for (; row < rows; row++)
            {
                CopyRow(ref px[row * xStride], 1, ref py[row], yStride, columns, accumulate: false);
            }
        }
    }

    private static void CopyRow(ref float x, nint xStride, ref float y, nint yStride, int n, bool accumulate)
    {
        if (xStride == 1 && yStride == 1 && !accumulate)
        {
            MemoryMarshal.CreateSpan(ref x, n).CopyTo(MemoryMarshal.CreateSpan(ref y, n));
        }
        else if (xStride == 1 && yStride == 1)
        {
            Loop.Run(new AddLoop(ref x, ref y), n);
        }
        else
        {
            for (int i = 0; i < n; i++)
            {
                ref float target = ref Unsafe.Add(ref y, i * yStride);
                float value = Unsafe.Add(ref x, i * xStride);
                target = accumulate ? target + value : value;
            }
        }
    }

    /// <summary>y += x</summary>
    private readonly ref struct AddLoop(ref float x, ref float y) : ILoop
    {
        private readonly ref float x = ref x, y = ref y;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<T>(int i) where T : struct, IFloatLane<T> => (T.Load(ref y, i) + T.Load(ref x, i)).Store(ref y, i);
    }

    /// <summary>The first element of a tensor that must have <paramref name="count"/> elements: the one check that keeps raw loops in bounds.</summary>
    /// <exception cref="ArgumentException">The tensor has another number of elements.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ref float First(Tensor x, int count)
    {
        if (x.Count != count)
        {
            ThrowCount(x, count);
        }
        return ref MemoryMarshal.GetReference(x.Span);
    }

    private static void ThrowCount(Tensor x, int count) => throw new ArgumentException($"{x}: {count} elements are required");
}
