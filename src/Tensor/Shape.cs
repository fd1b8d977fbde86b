using System.Runtime.CompilerServices;

namespace Marl.Native;

/// <summary>The lengths of up to four axes, the last one contiguous in memory (row-major, no strides). A scalar has rank 0, and
/// is the default.</summary>
public readonly struct Shape : IEquatable<Shape>
{
    /// <summary>The most axes a tensor has.</summary>
    public const int MaxRank = 4;

    private readonly int d0, d1, d2, d3;

    /// <summary>A shape of one to four axes.</summary>
    /// <exception cref="ArgumentException">more than four axes, or a negative length.</exception>
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

    /// <summary>Number of axes.</summary>
    public int Rank { get; }

    /// <summary>Number of elements: the product of the lengths.</summary>
    public int Count => Rank == 0 ? 1 : d0 * d1 * d2 * d3;

    /// <summary>Length of an axis; a negative one counts from the end, so <c>shape[-1]</c> is the contiguous axis.</summary>
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

    /// <summary>Length of the last axis, 1 for a scalar.</summary>
    public int Columns => Rank == 0 ? 1 : this[-1];

    /// <summary>Number of rows when all axes but the last are one.</summary>
    public int Rows => Product(0, Rank - 1);

    /// <summary>This shape with another length of one axis.</summary>
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

    /// <summary>This shape without one axis.</summary>
    public Shape Without(int axis)
    {
        Span<int> lengths = stackalloc int[MaxRank];
        CopyTo(lengths);
        int index = axis < 0 ? axis + Rank : axis;
        lengths[(index + 1)..Rank].CopyTo(lengths[index..]);
        return new Shape(lengths[..(Rank - 1)]);
    }

    /// <summary>This shape with one axis more, at the end.</summary>
    public Shape Append(int length)
    {
        Span<int> lengths = stackalloc int[MaxRank + 1];
        CopyTo(lengths);
        lengths[Rank] = length;
        return new Shape(lengths[..(Rank + 1)]);
    }

    /// <summary>Product of the lengths of axes first .. end - 1.</summary>
    public int Product(int first, int end)
    {
        int product = 1;
        for (int axis = first; axis < end; axis++)
        {
            product *= this[axis];
        }
        return product;
    }

    /// <summary>The shape that both broadcast to, aligned at the last axis: lengths are equal, or one of them is 1.</summary>
    /// <exception cref="ArgumentException">they do not broadcast; names both.</exception>
    public static Shape Broadcast(Shape a, Shape b) => TryBroadcast(a, b, out var shape) ? shape
        : throw new ArgumentException($"shapes {a} and {b} do not broadcast");

    /// <summary>Whether both broadcast to one shape, and which.</summary>
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

    /// <summary>Writes the lengths.</summary>
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

    /// <summary>Same axes.</summary>
    public static bool operator ==(Shape a, Shape b) => a.Equals(b);

    /// <summary>Other axes.</summary>
    public static bool operator !=(Shape a, Shape b) => !a.Equals(b);

    /// <summary>[2, 3, 4]</summary>
    public override string ToString() => Rank switch
    {
        0 => "[]",
        1 => $"[{d0}]",
        2 => $"[{d0}, {d1}]",
        3 => $"[{d0}, {d1}, {d2}]",
        _ => $"[{d0}, {d1}, {d2}, {d3}]",
    };
}
