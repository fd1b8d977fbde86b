using System.Text;

namespace Marl.Native.Rl;

/// <summary>
/// The floor plan of a warehouse. A layout lists its rows from the top: '.' is a highway, 'x' a storage cell with a shelf, 'g' a goal, which is a highway,
/// too; '/' separates rows. Cell indices include a margin of <see cref="Ground.Wall"/> around the floor, as wide as the sensor range, so all neighbors of a
/// cell exist.
/// </summary>
internal sealed class WarehousePlan
{
    private const char RowSeparator = '/', HighwayMark = '.', StorageMark = 'x', GoalMark = 'g';

    private readonly Ground[] ground;
    private readonly int margin;

    /// <summary>Parses a layout without errors, see <see cref="FindError"/>.</summary>
    public WarehousePlan(string layout, int margin)
    {
        string[] rows = layout.Split(RowSeparator);
        (Rows, Cols, this.margin) = (rows.Length, rows[0].Length, margin);
        Stride = Cols + 2 * margin;
        ground = new Ground[(Rows + 2 * margin) * Stride];
        var (homes, goals) = (new List<int>(), new List<int>());
        for (int y = 0; y < Rows; y++)
        {
            for (int x = 0; x < Cols; x++)
            {
                ground[Cell(x, y)] = rows[y][x] == StorageMark ? Ground.Storage : Ground.Highway;
                if (rows[y][x] == StorageMark)
                {
                    homes.Add(Cell(x, y));
                }

                if (rows[y][x] == GoalMark)
                {
                    goals.Add(Cell(x, y));
                }
            }
        }
        (Homes, Goals) = ([.. homes], [.. goals]);
    }

    /// <summary>The height of the floor.</summary>
    public int Rows { get; }

    /// <summary>The width of the floor.</summary>
    public int Cols { get; }

    /// <summary>The difference between the indices of a cell and the cell below it.</summary>
    public int Stride { get; }

    /// <summary>The type of each cell, including the margin.</summary>
    public ReadOnlySpan<Ground> Floor => ground;

    /// <summary>[S] The initial cells of the shelves, in row-major order.</summary>
    public int[] Homes { get; }

    /// <summary>The cells of the goals, in row-major order.</summary>
    public int[] Goals { get; }

    /// <summary>Returns the index of the cell in column <paramref name="x"/> and row <paramref name="y"/>.</summary>
    public int Cell(int x, int y) => (y + margin) * Stride + x + margin;

    /// <summary>Returns the column of a cell.</summary>
    public int X(int cell) => cell % Stride - margin;

    /// <summary>Returns the row of a cell.</summary>
    public int Y(int cell) => cell / Stride - margin;

    /// <summary>Creates a layout of the original: blocks of two columns of shelves between highways, without the block in front of the two goals in the
    /// middle of the last row.</summary>
    public static string CreateLayout(int shelfRows, int shelfColumns, int columnHeight)
    {
        int rows = (columnHeight + 1) * shelfRows + 2, cols = 3 * shelfColumns + 1;
        var layout = new StringBuilder();
        for (int y = 0; y < rows; y++)
        {
            if (y > 0)
            {
                layout.Append(RowSeparator);
            }

            for (int x = 0; x < cols; x++)
            {
                bool middle = x == cols / 2 - 1 || x == cols / 2;
                bool highway = x % 3 == 0 || y % (columnHeight + 1) == 0 || y == rows - 1 || (middle && y > rows - (columnHeight + 3));
                layout.Append(middle && y == rows - 1 ? GoalMark : highway ? HighwayMark : StorageMark);
            }
        }
        return layout.ToString();
    }

    /// <summary>Returns whether a text consists of the characters of a layout.</summary>
    public static bool IsLayout(string text)
        => text.Length > 0 && !text.AsSpan().ContainsAnyExcept([RowSeparator, HighwayMark, StorageMark, GoalMark]);

    /// <summary>Returns the error of a layout; null if it is valid.</summary>
    public static string? FindError(string layout)
    {
        const int maxSize = 128;
        string[] rows = layout.Split(RowSeparator);
        return !IsLayout(layout) ? "a layout consists of '.' (highway), 'x' (shelf), 'g' (goal) and '/' (row separator)"
            : rows.Any(row => row.Length != rows[0].Length) ? "the rows of a layout must have the same length"
            : rows.Length > maxSize || rows[0].Length > maxSize ? $"a layout is at most {maxSize} cells wide and high"
            : !layout.Contains(GoalMark) || !layout.Contains(StorageMark) ? "a layout must have a goal and a shelf"
            : null;
    }
}

/// <summary>The type of a cell.</summary>
internal enum Ground : byte
{
    /// <summary>Outside of the floor.</summary>
    Wall,
    /// <summary>A cell where shelves can be put down.</summary>
    Storage,
    /// <summary>A cell where shelves cannot be put down.</summary>
    Highway,
}
