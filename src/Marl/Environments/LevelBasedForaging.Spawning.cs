namespace Marl.Native.Rl;

/// <content>How an episode starts.</content>
public sealed partial class LevelBasedForaging
{
    private const int SpawnTries = 1000;

    private void SpawnPlayers(ref Rng rng)
    {
        foreach (ref Piece player in _players.AsSpan())
        {
            int row, col;
            do
            {
                row = rng.NextInt(_config.Rows);
                col = rng.NextInt(_config.Cols);
            }
            while (HasPlayer(row, col)); // also one who still stands where the last episode ended, as in the original
            player = new Piece(row, col, rng.NextInt(_config.MinPlayerLevel, _config.MaxPlayerLevel));
        }
    }

    private void SpawnFood(ref Rng rng)
    {
        int max = _config.MaxFoodLevel ?? ThreeLowestLevels();
        int min = _config.Coop ? max : _config.MinFoodLevel;
        int last = _config.ExclusiveFoodLevel ? Math.Max(min, max - 1) : max;
        for (int tries = 0; tries < SpawnTries && _left < _foods.Length; tries++)
        {
            int row = rng.NextInt(1, _config.Rows - 2), col = rng.NextInt(1, _config.Cols - 2);
            if (HasFoodNear(Cell(row, col)) || HasPlayer(row, col))
                continue;
            var food = new Piece(row, col, rng.NextInt(min, last));
            _spawned += food.Level;
            // Sorted row by row: the order in which they are observed.
            int place = _left++;
            for (; place > 0 && Cell(_foods[place - 1].Row, _foods[place - 1].Col) > Cell(row, col); place--)
                _foods[place] = _foods[place - 1];
            _foods[place] = food;
            PutFoodOnGrid();
        }
    }

    private int ThreeLowestLevels()
    {
        int first = int.MaxValue, second = int.MaxValue, third = int.MaxValue;
        foreach (ref readonly Piece player in _players.AsSpan())
        {
            third = Math.Min(third, Math.Max(second, player.Level));
            second = Math.Min(second, Math.Max(first, player.Level));
            first = Math.Min(first, player.Level);
        }
        return first + (_players.Length > 1 ? second : 0) + (_players.Length > 2 ? third : 0);
    }

    /// <summary>Any food in the 3 x 3 block around the cell, or two cells away in its row or column?</summary>
    private bool HasFoodNear(int cell)
    {
        for (int column = -1; column <= 1; column++)
        {
            if (_grid[cell + column - _width] > 0 || _grid[cell + column] > 0 || _grid[cell + column + _width] > 0)
                return true;
        }
        return _grid[cell - 2] > 0 || _grid[cell + 2] > 0 || _grid[cell - 2 * _width] > 0 || _grid[cell + 2 * _width] > 0;
    }

    private bool HasPlayer(int row, int col)
    {
        foreach (ref readonly Piece player in _players.AsSpan())
        {
            if (player.Row == row && player.Col == col)
                return true;
        }
        return false;
    }
}
