using System.Numerics;

namespace Marl.Native.Rl;

/// <summary>
/// Iterates over cells in the order in which CPython (3.8 and later, 64 bit) iterates over a set of coordinates (x, y): by slot of an open-addressing hash
/// table. The hash of a pair is that of CPython's tuples, based on xxHash (Collet 2012); ten adjacent slots are probed before a jump.
/// </summary>
internal sealed class CellTable
{
    private const int Empty = 0; // cell 0 is in the margin of every floor
    private const int FirstSize = 8, Neighbors = 9, PerturbShift = 5;

    private (ulong Hash, int Cell)[] slots, spare;
    private int size, used;

    /// <summary>Creates a table for at most <paramref name="capacity"/> cells.</summary>
    public CellTable(int capacity)
    {
        int maxSize = Math.Max(FirstSize, SizeFor(capacity));
        (slots, spare) = (new (ulong, int)[maxSize], new (ulong, int)[maxSize]);
        size = FirstSize;
    }

    /// <summary>Removes all cells and resets the size of the table.</summary>
    public void Clear()
    {
        (size, used) = (FirstSize, 0);
        slots.AsSpan().Clear();
    }

    /// <summary>Adds a cell that is not in the table.</summary>
    public void Add(int cell, int x, int y)
    {
        Insert((Hash((ulong)x, (ulong)y), cell));
        used++;
        if (5 * used >= 3 * (size - 1))
        {
            Grow();
        }
    }

    /// <summary>Copies the cells in the order of their slots.</summary>
    public void CopyTo(Span<int> cells)
    {
        int count = 0;
        foreach (var (_, cell) in slots.AsSpan(0, size))
        {
            if (cell != Empty)
            {
                cells[count++] = cell;
            }
        }
    }

    private void Grow()
    {
        int oldSize = size;
        (slots, spare) = (spare, slots);
        size = SizeFor(used);
        slots.AsSpan().Clear();
        foreach (var entry in spare.AsSpan(0, oldSize))
        {
            if (entry.Cell != Empty)
            {
                Insert(entry);
            }
        }
    }

    private void Insert((ulong Hash, int Cell) entry)
    {
        ulong mask = (ulong)(size - 1), perturb = entry.Hash, first = entry.Hash & mask;
        while (true)
        {
            ulong last = first + Neighbors <= mask ? first + Neighbors : first;
            for (ulong slot = first; slot <= last; slot++)
            {
                if (slots[slot].Cell == Empty)
                {
                    slots[slot] = entry;
                    return;
                }
            }
            perturb >>= PerturbShift;
            first = (5 * first + 1 + perturb) & mask;
        }
    }

    private static ulong Hash(ulong x, ulong y)
    {
        const ulong prime1 = 11400714785074694791, prime2 = 14029467366897019727, prime5 = 2870177450012600261;
        ulong hash = prime5;
        hash = BitOperations.RotateLeft(hash + x * prime2, 31) * prime1;
        hash = BitOperations.RotateLeft(hash + y * prime2, 31) * prime1;
        return hash + (2 ^ prime5 ^ 3527539);
    }

    /// <summary>Returns the smallest power of two above four times the count.</summary>
    private static int SizeFor(int count) => Math.Max(FirstSize, (int)BitOperations.RoundUpToPowerOf2((uint)(4 * count + 1)));
}
