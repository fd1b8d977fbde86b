using System.Runtime.CompilerServices;

namespace Marl.Native;

/// <summary>
/// The lengths of up to four axes. Tensors are row-major without strides: the last axis is contiguous. The default is the shape of a scalar, of rank 0.
/// </summary>
public readonly struct Shape : IEquatable<Shape>
{
    /// <summary>The maximum number of axes.</summary>
    public const int MaxRank = 4;

    private readonly int d0, d1, d2, d3;

    /// <summary>Creates a shape from the lengths of its axes.</summary>
    /// <exception cref="ArgumentException">More than four axes.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A negative length.</exception>
    public Shape(params ReadOnlySpan<int> lengths)
    {
        if (lengths.Length > MaxRank)
        {
            throw new ArgumentException($"a shape has at most {MaxRank} axes, not {lengths.Length}");
        }
        foreach (int length in lengths)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(length);
        }
        Rank = lengths.Length;
        if (Rank == 0)
        {
            return;
        }
        d0 = lengths[0];
        d1 = Rank > 1 ? lengths[1] : 1;
        d2 = Rank > 2 ? lengths[2] : 1;
        d3 = Rank > 3 ? lengths[3] : 1;
    }

    private Shape(int rank, int d0, int d1, int d2, int d3) => (Rank, this.d0, this.d1, this.d2, this.d3) = (rank, d0, d1, d2, d3);

    /// <summary>The number of axes.</summary>
    public int Rank { get; }

    /// <summary>The number of elements: the product of the lengths.</summary>
    /// <exception cref="InsufficientMemoryException">It exceeds that of an array.</exception>
    public int Count => Rank == 0 ? 1 : Multiply(Multiply(Multiply(d0, d1), d2), d3);

    private int Multiply(int count, int length)
    {
        long product = (long)count * length;
        return product <= int.MaxValue ? (int)product : throw new InsufficientMemoryException($"a tensor of {this} has more elements than an array can hold");
    }

    /// <summary>The length of an axis. A negative index counts from the end: <c>shape[-1]</c> is the length of the contiguous axis.</summary>
    public int this[int axis]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            int index = axis < 0 ? axis + Rank : axis;
            if ((uint)index >= (uint)Rank)
            {
                throw new ArgumentOutOfRangeException(nameof(axis), $"axis {axis} of {this}");
            }
            return index switch { 0 => d0, 1 => d1, 2 => d2, _ => d3 };
        }
    }

    /// <summary>The length of the last axis; 1 for a scalar.</summary>
    public int Columns => Rank == 0 ? 1 : this[-1];

    /// <summary>The number of rows: the product of the lengths of all axes but the last.</summary>
    public int Rows => Product(0, Rank - 1);

    /// <summary>Returns this shape with another length of one axis.</summary>
    public Shape With(int axis, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        int index = axis < 0 ? axis + Rank : axis;
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)Rank, nameof(axis));
        return index switch
        {
            0 => new(Rank, length, d1, d2, d3),
            1 => new(Rank, d0, length, d2, d3),
            2 => new(Rank, d0, d1, length, d3),
            _ => new(Rank, d0, d1, d2, length),
        };
    }

    /// <summary>Returns this shape without one axis.</summary>
    public Shape Without(int axis)
    {
        Span<int> lengths = stackalloc int[MaxRank];
        CopyTo(lengths);
        int index = axis < 0 ? axis + Rank : axis;
        lengths[(index + 1)..Rank].CopyTo(lengths[index..]);
        return new Shape(lengths[..(Rank - 1)]);
    }

    /// <summary>Returns this shape with one more axis at the end.</summary>
    public Shape Append(int length)
    {
        Span<int> lengths = stackalloc int[MaxRank + 1];
        CopyTo(lengths);
        lengths[Rank] = length;
        return new Shape(lengths[..(Rank + 1)]);
    }

    /// <summary>The product of the lengths of axes first .. end - 1.</summary>
    public int Product(int first, int end)
    {
        int product = 1;
        for (int axis = first; axis < end; axis++)
        {
            product *= this[axis];
        }
        return product;
    }

    /// <summary>Returns the shape to which both shapes broadcast, as in NumPy: aligned at the last axis, lengths are equal or one of them is 1.</summary>
    /// <exception cref="ArgumentException">The shapes do not broadcast.</exception>
    public static Shape Broadcast(Shape a, Shape b) => TryBroadcast(a, b, out var shape) ? shape
        : throw new ArgumentException($"shapes {a} and {b} do not broadcast");

    /// <summary>Returns whether the shapes broadcast, and the broadcast shape.</summary>
    public static bool TryBroadcast(Shape a, Shape b, out Shape shape)
    {
        shape = a;
        if (a == b)
        {
            return true;
        }
        int rank = Math.Max(a.Rank, b.Rank);
        Span<int> lengths = stackalloc int[rank];
        for (int back = 1; back <= rank; back++)
        {
            int p = back <= a.Rank ? a[-back] : 1, q = back <= b.Rank ? b[-back] : 1;
            if (p != q && p != 1 && q != 1)
            {
                return false;
            }
            lengths[rank - back] = p == 1 ? q : p;
        }
        shape = new Shape(lengths);
        return true;
    }

    /// <summary>Copies the lengths.</summary>
    public void CopyTo(Span<int> lengths)
    {
        for (int axis = 0; axis < Rank; axis++)
        {
            lengths[axis] = this[axis];
        }
    }

    /// <inheritdoc/>
    public bool Equals(Shape other) => Rank == other.Rank && d0 == other.d0 && d1 == other.d1 && d2 == other.d2 && d3 == other.d3;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Shape other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Rank, d0, d1, d2, d3);

    /// <summary>Whether all lengths are equal.</summary>
    public static bool operator ==(Shape a, Shape b) => a.Equals(b);

    /// <summary>Whether any length differs.</summary>
    public static bool operator !=(Shape a, Shape b) => !a.Equals(b);

    /// <summary>Formats the lengths as [2, 3, 4].</summary>
    public override string ToString() => Rank switch
    {
        0 => "[]",
        1 => $"[{d0}]",
        2 => $"[{d0}, {d1}]",
        3 => $"[{d0}, {d1}, {d2}]",
        _ => $"[{d0}, {d1}, {d2}, {d3}]",
    };
}
