using System.Numerics;

namespace Marl.Native.Rl;

/// <summary>
/// Orders cells as CPython (3.8 and later, 64 bit) orders a set of coordinates (x, y): by their slots in an open hash table. The hash of
/// a pair is that of CPython's tuples, made after xxHash (Collet 2012); probing looks at ten neighbors, then jumps.
/// </summary>
internal sealed class CellTable
{
    private const int Empty = 0; // cell 0 lies in the margin of every floor
    private const int FirstSize = 8, Neighbors = 9, PerturbShift = 5;

    private (ulong Hash, int Cell)[] slots, spare;
    private int size, used;

    /// <summary>A table for at most <paramref name="capacity"/> cells.</summary>
    public CellTable(int capacity)
    {
        int greatest = Math.Max(FirstSize, SizeFor(capacity));
        (slots, spare) = (new (ulong, int)[greatest], new (ulong, int)[greatest]);
        size = FirstSize;
    }

    /// <summary>Makes it empty and small.</summary>
    public void Clear()
    {
        (size, used) = (FirstSize, 0);
        slots.AsSpan().Clear();
    }

    /// <summary>Adds a cell that is not there yet.</summary>
    public void Add(int cell, int x, int y)
    {
        Insert((Hash((ulong)x, (ulong)y), cell));
        used++;
        if (5 * used >= 3 * (size - 1))
        {
            Grow();
        }
    }

    /// <summary>Writes the cells in the order of their slots.</summary>
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
        int formerSize = size;
        (slots, spare) = (spare, slots);
        size = SizeFor(used);
        slots.AsSpan().Clear();
        foreach (var entry in spare.AsSpan(0, formerSize))
        {
            if (entry.Cell != Empty)
            {
                Insert(entry);
            }
        }
    }

    private void Insert((ulong Hash, int Cell) entry)
    {
        ulong mask = (ulong)(size - 1), perturb = entry.Hash, place = entry.Hash & mask;
        while (true)
        {
            ulong last = place + Neighbors <= mask ? place + Neighbors : place;
            for (ulong slot = place; slot <= last; slot++)
            {
                if (slots[slot].Cell == Empty)
                {
                    slots[slot] = entry;
                    return;
                }
            }
            perturb >>= PerturbShift;
            place = (5 * place + 1 + perturb) & mask;
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

    /// <summary>The smallest power of two above four times the count.</summary>
    private static int SizeFor(int count) => Math.Max(FirstSize, (int)BitOperations.RoundUpToPowerOf2((uint)(4 * count + 1)));
}
