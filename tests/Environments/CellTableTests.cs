using Marl.Native.Rl;

namespace Marl.Native.Tests;

public sealed class CellTableTests
{
    /// <summary>The orders were printed by CPython 3.11: coordinates added to an empty set one by one, then the set listed.</summary>
    [Theory]
    [InlineData("2,8 6,9 6,3 1,5",
        "1,5 6,3 6,9 2,8")]
    [InlineData("4,3 7,0 5,5 7,3 6,8",
        "5,5 4,3 6,8 7,0 7,3")]
    [InlineData("1,4 10,20 0,6 14,22 8,8 4,16 9,21 4,3 3,11",
        "8,8 4,16 4,3 1,4 0,6 10,20 9,21 14,22 3,11")]
    [InlineData("9,3 6,0 6,18 7,0 6,1 5,1 8,3 1,18 2,19 8,2 6,13 4,19 9,9 0,3 8,11 9,18 0,16 2,0 9,14 7,11",
        "6,18 5,1 8,3 9,14 1,18 8,2 8,11 0,16 6,1 7,0 2,19 6,13 9,3 4,19 9,9 0,3 2,0 9,18 6,0 7,11")]
    public void CellsComeInTheOrderOfCPythonsSets(string added, string listed)
    {
        int[][] cells = [.. added.Split(' ').Select(cell => cell.Split(',').Select(int.Parse).ToArray())];
        var table = new CellTable(cells.Length);
        for (int time = 0; time < 2; time++) // a table can be used again
        {
            table.Clear();
            for (int i = 0; i < cells.Length; i++)
            {
                table.Add(i + 1, cells[i][0], cells[i][1]);
            }

            int[] order = new int[cells.Length];
            table.CopyTo(order);
            Assert.Equal(listed, string.Join(' ', order.Select(cell => $"{cells[cell - 1][0]},{cells[cell - 1][1]}")));
        }
    }
}
