namespace Marl.Native.Rl;

/// <content>The initial state of an episode.</content>
internal sealed partial class LevelBasedForaging
{
    private const int SpawnTries = 1000;

    private void SpawnPlayers(ref Rng rng)
    {
        foreach (ref var player in players.AsSpan())
        {
            int row, col;
            do
            {
                row = rng.NextInt(config.Rows);
                col = rng.NextInt(config.Cols);
            }
            while (HasPlayer(row, col)); // including players at their cells of the previous episode, as in the original
            player = new Piece(row, col, rng.NextInt(config.MinPlayerLevel, config.MaxPlayerLevel));
        }
    }

    private void SpawnFood(ref Rng rng)
    {
        int max = config.MaxFoodLevel ?? ThreeLowestLevels();
        int min = config.Coop ? max : config.MinFoodLevel;
        int last = config.ExclusiveFoodLevel ? Math.Max(min, max - 1) : max;
        for (int tries = 0; tries < SpawnTries && remainingFoods < foods.Length; tries++)
        {
            int row = rng.NextInt(1, config.Rows - 2), col = rng.NextInt(1, config.Cols - 2);
            if (HasFoodNear(Cell(row, col)) || HasPlayer(row, col))
            {
                continue;
            }

            var food = new Piece(row, col, rng.NextInt(min, last));
            totalFoodLevel += food.Level;
            // In row-major order, the order of the observations.
            int place = remainingFoods++;
            for (; place > 0 && Cell(foods[place - 1].Row, foods[place - 1].Col) > Cell(row, col); place--)
            {
                foods[place] = foods[place - 1];
            }

            foods[place] = food;
            PutFoodOnGrid();
        }
    }

    private int ThreeLowestLevels()
    {
        int first = int.MaxValue, second = int.MaxValue, third = int.MaxValue;
        foreach (ref readonly var player in players.AsSpan())
        {
            third = Math.Min(third, Math.Max(second, player.Level));
            second = Math.Min(second, Math.Max(first, player.Level));
            first = Math.Min(first, player.Level);
        }
        return first + (players.Length > 1 ? second : 0) + (players.Length > 2 ? third : 0);
    }

    /// <summary>Returns whether there is food in the 3 x 3 block around the cell, or two cells away in its row or column.</summary>
    private bool HasFoodNear(int cell)
    {
        for (int column = -1; column <= 1; column++)
        {
            if (grid[cell + column - width] > 0 || grid[cell + column] > 0 || grid[cell + column + width] > 0)
            {
                return true;
            }
        }
        return grid[cell - 2] > 0 || grid[cell + 2] > 0 || grid[cell - 2 * width] > 0 || grid[cell + 2 * width] > 0;
    }

    private bool HasPlayer(int row, int col)
    {
        foreach (ref readonly var player in players.AsSpan())
        {
            if (player.Row == row && player.Col == col)
            {
                return true;
            }
        }
        return false;
    }
}
