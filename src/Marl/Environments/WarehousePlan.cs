using System.Text;

namespace Marl.Native.Rl;

/// <summary>
/// The floor of a warehouse, drawn row by row from the top: '.' is a highway, 'x' a place where a shelf stands at the start, 'g' a
/// goal, which is a highway too; '/' ends a row. Cells are numbered with a margin of <see cref="Ground.Wall"/> around the floor, as wide
/// as a sensor reaches, so that no neighbor of a cell has to be looked for.
/// </summary>
internal sealed class WarehousePlan
{
    private const char RowEnd = '/', HighwayMark = '.', StorageMark = 'x', GoalMark = 'g';

    private readonly Ground[] ground;
    private readonly int margin;

    /// <summary>Reads a drawing that <see cref="ProblemOf"/> has nothing against.</summary>
    public WarehousePlan(string drawing, int margin)
    {
        string[] rows = drawing.Split(RowEnd);
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

    /// <summary>Height of the floor.</summary>
    public int Rows { get; }

    /// <summary>Width of the floor.</summary>
    public int Cols { get; }

    /// <summary>From a cell to the one below it.</summary>
    public int Stride { get; }

    /// <summary>What lies in each cell, the margin included.</summary>
    public ReadOnlySpan<Ground> Floor => ground;

    /// <summary>[S] where the shelves stand at the start, row by row.</summary>
    public int[] Homes { get; }

    /// <summary>Where shelves are delivered, row by row.</summary>
    public int[] Goals { get; }

    /// <summary>The number of the cell in column <paramref name="x"/> and row <paramref name="y"/>.</summary>
    public int Cell(int x, int y) => (y + margin) * Stride + x + margin;

    /// <summary>The column of a cell.</summary>
    public int X(int cell) => cell % Stride - margin;

    /// <summary>The row of a cell.</summary>
    public int Y(int cell) => cell / Stride - margin;

    /// <summary>The original's floor: blocks of two columns of shelves between highways, without the block before the two goals
    /// in the middle of the last row, where agents queue.</summary>
    public static string Draw(int shelfRows, int shelfColumns, int columnHeight)
    {
        int rows = (columnHeight + 1) * shelfRows + 2, cols = 3 * shelfColumns + 1;
        var drawing = new StringBuilder();
        for (int y = 0; y < rows; y++)
        {
            if (y > 0)
            {
                drawing.Append(RowEnd);
            }

            for (int x = 0; x < cols; x++)
            {
                bool middle = x == cols / 2 - 1 || x == cols / 2;
                bool highway = x % 3 == 0 || y % (columnHeight + 1) == 0 || y == rows - 1 || (middle && y > rows - (columnHeight + 3));
                drawing.Append(middle && y == rows - 1 ? GoalMark : highway ? HighwayMark : StorageMark);
            }
        }
        return drawing.ToString();
    }

    /// <summary>Is it a drawing at all, and not the name of a size?</summary>
    public static bool IsDrawing(string text)
        => text.Length > 0 && !text.AsSpan().ContainsAnyExcept([RowEnd, HighwayMark, StorageMark, GoalMark]);

    /// <summary>What is wrong with a drawing; null if nothing is.</summary>
    public static string? ProblemOf(string drawing)
    {
        const int greatestSize = 128;
        string[] rows = drawing.Split(RowEnd);
        return !IsDrawing(drawing) ? "a drawing consists of '.' (highway), 'x' (shelf), 'g' (goal) and '/' (end of a row)"
            : rows.Any(row => row.Length != rows[0].Length) ? "the rows of a drawing must be equally long"
            : rows.Length > greatestSize || rows[0].Length > greatestSize ? $"a floor is at most {greatestSize} cells wide and high"
            : !drawing.Contains(GoalMark) || !drawing.Contains(StorageMark) ? "a floor needs a goal and a shelf"
            : null;
    }
}

/// <summary>What a cell of the floor is.</summary>
internal enum Ground : byte
{
    /// <summary>Beyond the floor.</summary>
    Wall,
    /// <summary>Shelves may be put down here.</summary>
    Storage,
    /// <summary>Shelves may only be carried over it.</summary>
    Highway,
}
