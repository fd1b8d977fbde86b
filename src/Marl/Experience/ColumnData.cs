namespace Marl.Native.Rl;

/// <summary>The rows of a column of an episode, in memory that grows.</summary>
/// <param name="column">The column.</param>
/// <param name="width">The number of elements per row.</param>
internal abstract class ColumnData(Column column, int width)
{
    public Column Column { get; } = column;

    /// <summary>The number of elements per row.</summary>
    public int Width { get; } = width;

    /// <summary>Creates storage for a number of rows.</summary>
    public static ColumnData Create(Column column, int width, int rows)
    {
        ColumnData data = column.Kind switch
        {
            ColumnKind.Bool => new ColumnData<bool>(column, width),
            ColumnKind.Int => new ColumnData<int>(column, width),
            _ => new ColumnData<float>(column, width),
        };
        data.Reserve(rows);
        return data;
    }

    /// <summary>Ensures the capacity for a number of rows, or for one row of a column per episode, and keeps the present rows.</summary>
    /// <exception cref="InsufficientMemoryException">The number of elements exceeds that of an array.</exception>
    public abstract void Reserve(int rows);

    /// <summary>Writes rows 0 .. <paramref name="valid"/> - 1 into the episode's slice of a time-major batch, and padding into the rows after them.</summary>
    /// <param name="target">[rows, episodes, width] The elements of the batch.</param>
    /// <param name="b">The index of the episode in the batch.</param>
    /// <param name="episodes">The number of episodes in the batch.</param>
    /// <param name="valid">The number of rows of the episode.</param>
    public abstract void WriteTo(Span<float> target, int b, int episodes, int valid);

    /// <summary>Saves or restores the concatenated columns of episodes, in several arrays if a single one would be too long.</summary>
    public abstract void Archive(IArchive archive, IReadOnlyList<Episode> episodes);

    /// <summary>Fills an episode's rows of a batch, beginning with row <paramref name="first"/>, with padding.</summary>
    public static void Pad(Span<float> target, int b, int episodes, int width, float padding, int first = 0)
    {
        for (int start = (first * episodes + b) * width; start < target.Length; start += episodes * width)
        {
            target.Slice(start, width).Fill(padding);
        }
    }
}

/// <inheritdoc/>
internal sealed class ColumnData<T>(Column column, int width) : ColumnData(column, width) where T : unmanaged
{
    /// <summary>The maximum length of an archived array.</summary>
    private const int MaxArchivedLength = 1 << 28;

    private T[] values = [];

    /// <summary>The elements of all rows within the capacity.</summary>
    public Span<T> All => values;

    public Span<T> Rows(int count) => values.AsSpan(0, count * Width);

    public Span<T> Row(int row) => values.AsSpan(row * Width, Width);

    public override void Reserve(int rows)
    {
        long count = Column.PerEpisode ? Width : (long)rows * Width;
        if (count > Array.MaxLength)
        {
            throw new InsufficientMemoryException($"{rows} rows of an episode have {count} elements of '{Column}', more than an array can hold");
        }
        if (count > values.Length)
        {
            Array.Resize(ref values, (int)count);
        }
    }

    public override void WriteTo(Span<float> target, int b, int episodes, int valid)
    {
        int stride = episodes * Width, start = b * Width, from = 0;
        for (int row = 0; row < valid; row++, start += stride, from += Width)
        {
            var into = target.Slice(start, Width);
            if (typeof(T) == typeof(float))
            {
                ((float[])(object)values).AsSpan(from, Width).CopyTo(into);
                continue;
            }
            var source = values.AsSpan(from, Width);
            for (int i = 0; i < into.Length; i++)
            {
                into[i] = typeof(T) == typeof(bool) ? (bool)(object)source[i] ? 1f : 0f : (int)(object)source[i];
            }
        }
        Pad(target, b, episodes, Width, Column.Padding, valid);
    }

    public override void Archive(IArchive archive, IReadOnlyList<Episode> episodes)
    {
        for (int first = 0, part = 0; first < episodes.Count || part == 0; part++)
        {
            int end = first;
            long count = 0;
            while (end < episodes.Count && (end == first || count + Count(episodes[end]) <= MaxArchivedLength))
            {
                count += Count(episodes[end++]);
            }
            var all = new T[count];
            int start = 0;
            for (int i = first; i < end && !archive.IsLoading; start += Count(episodes[i++]))
            {
                Of(episodes[i]).CopyTo(all.AsSpan(start));
            }
            archive.Array<T>(part == 0 ? Column.Name : $"{Column.Name}.{part}", all);
            for (int i = first; i < end && archive.IsLoading; start += Count(episodes[i++]))
            {
                all.AsSpan(start, Count(episodes[i])).CopyTo(Of(episodes[i]));
            }
            first = end;
        }

        int Count(Episode episode) => episode.RowsOf(Column) * Width;

        Span<T> Of(Episode episode) => ((ColumnData<T>)episode.Find(Column)!).Rows(episode.RowsOf(Column));
    }
}
