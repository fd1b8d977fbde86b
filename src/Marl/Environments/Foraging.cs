using System.Runtime.CompilerServices;

namespace Marl.Native.Rl;

/// <summary>The rules of <see cref="LevelBasedForaging"/>.</summary>
/// <param name="config">A valid configuration.</param>
internal readonly struct Foraging(LbfConfig config) : IBatchEnvironment
{
    // Elements of the state. A piece, player or food, is the index of its row; column and level follow.
    private const int StepElement = 0, TotalElement = 1, FirstPlayer = 2;

    private const int North = 1, South = 2, West = 3, East = 4, Load = 5, Col = 1, Level = 2, PieceSize = 3, SpawnTries = 1000;

    /// <summary>The size of the field, P, F and the observation range.</summary>
    public readonly int Rows = config.Rows, Cols = config.Cols, Players = config.Players, Foods = config.Foods,
        ObservationRange = config.ObservationRange ?? Math.Max(config.Rows, config.Cols);

    /// <summary>The range of levels. A minimum food level of 0 is the maximum, a maximum of 0 the sum of the three lowest player levels.</summary>
    public readonly int MinPlayerLevel = config.MinPlayerLevel, MaxPlayerLevel = config.MaxPlayerLevel,
        MinFoodLevel = config.Coop ? 0 : config.MinFoodLevel, MaxFoodLevel = config.MaxFoodLevel ?? 0, ExcludedFoodLevels = config.ExclusiveFoodLevel ? 1 : 0;

    /// <summary>The number of steps after which an episode is truncated.</summary>
    public readonly int EpisodeLimit = config.EpisodeLimit;

    /// <summary>The penalty of a load that fails.</summary>
    public readonly double Penalty = config.Penalty;

    /// <summary>The number of elements of a snapshot: the step, the sum of the initial food levels, then row, column and level of the players and of the
    /// remaining foods in row-major order, 0 for collected ones. The players' cells also matter after an episode, because the next reset avoids
    /// them.</summary>
    public int SnapshotSize => 2 + 3 * (Players + Foods);

    private int FirstFood => FirstPlayer + PieceSize * Players;

    /// <summary>The snapshot, and the target cells of the players in a step.</summary>
    public int StateSize => SnapshotSize + Players;

    /// <inheritdoc/>
    public void Reset<TWorld>(TWorld world, ref Rng rng) where TWorld : struct, IWorld, allows ref struct
    {
        Clear(world);
        SpawnPlayers(world, ref rng);
        SpawnFood(world, ref rng);
    }

    /// <inheritdoc/>
    public StepResult Step<TWorld>(TWorld world, ref Rng rng) where TWorld : struct, IWorld, allows ref struct
    {
        int step = ++world[StepElement];
        Move(world);
        return !LoadFood(world) ? StepResult.Terminated : step >= EpisodeLimit ? StepResult.Truncated : StepResult.Running;
    }

    /// <summary>Begins an episode without food; the players stay where they are.</summary>
    private void Clear<TWorld>(TWorld world) where TWorld : struct, IWorld, allows ref struct
    {
        world[StepElement] = world[TotalElement] = 0;
        RemoveFrom(world, FirstFood);
    }

    private void SpawnPlayers<TWorld>(TWorld world, ref Rng rng) where TWorld : struct, IWorld, allows ref struct
    {
        for (int player = FirstPlayer; player < FirstFood; player += PieceSize)
        {
            int row = rng.NextInt(Rows), col = rng.NextInt(Cols);
            while (HasPlayer(world, row, col)) // including players at their cells of the previous episode, as in the original
            {
                row = rng.NextInt(Rows);
                col = rng.NextInt(Cols);
            }
            Put(world, player, row, col, rng.NextInt(MinPlayerLevel, MaxPlayerLevel));
        }
    }

    private void SpawnFood<TWorld>(TWorld world, ref Rng rng) where TWorld : struct, IWorld, allows ref struct
    {
        int max = MaxFoodLevel > 0 ? MaxFoodLevel : ThreeLowestLevels(world), min = MinFoodLevel > 0 ? MinFoodLevel : max;
        int last = Math.Max(min, max - ExcludedFoodLevels), next = FirstFood;
        for (int tries = 0; tries < SpawnTries && next < SnapshotSize; tries++)
        {
            int row = rng.NextInt(1, Rows - 2), col = rng.NextInt(1, Cols - 2);
            if (!HasFoodNear(world, row, col, next) && !HasPlayer(world, row, col))
            {
                int level = rng.NextInt(min, last), place = next;
                world[TotalElement] += level;
                // In row-major order, the order of the observations.
                while (place > FirstFood && IsBefore(world, row, col, place - PieceSize))
                {
                    Copy(world, place - PieceSize, place);
                    place -= PieceSize;
                }
                Put(world, place, row, col, level);
                next += PieceSize;
            }
        }
    }

    /// <summary>Moves all players simultaneously. Each player claims the target cell of a valid move, or else its own cell; a player moves only into a cell
    /// that is claimed once. Neighbors may swap, and another player may enter the cell of a player whose move fails.</summary>
    private void Move<TWorld>(TWorld world) where TWorld : struct, IWorld, allows ref struct
    {
        for (int agent = 0; agent < Players; agent++)
        {
            int player = FirstPlayer + PieceSize * agent, action = world.Action(agent);
            int row = world[player] + (action == South ? 1 : 0) - (action == North ? 1 : 0);
            int col = world[player + Col] + (action == East ? 1 : 0) - (action == West ? 1 : 0);
            world[SnapshotSize + agent] = IsFree(world, row, col) ? row * Cols + col : world[player] * Cols + world[player + Col];
        }
        for (int agent = 0; agent < Players; agent++)
        {
            int player = FirstPlayer + PieceSize * agent, target = world[SnapshotSize + agent], claims = 0;
            for (int other = 0; other < Players; other++)
            {
                claims += world[SnapshotSize + other] == target ? 1 : 0;
            }
            if (claims == 1)
            {
                int row = target / Cols;
                world[player] = row;
                world[player + Col] = target - row * Cols;
            }
        }
    }

    /// <summary>Resolves load actions: the players that load the same food succeed or fail together. Spawning keeps foods so far apart that a player is never
    /// adjacent to two of them.</summary>
    /// <returns>Whether food remains.</returns>
    private bool LoadFood<TWorld>(TWorld world) where TWorld : struct, IWorld, allows ref struct
    {
        int loads = 0;
        for (int agent = 0; agent < Players; agent++)
        {
            world.SetReward(agent, 0);
            loads += world.Action(agent) == Load ? 1 : 0;
        }
        int remaining = FirstFood;
        for (int food = FirstFood; loads > 0 && food < SnapshotSize && world[food + Level] > 0; food += PieceSize)
        {
            int strength = StrengthOfLoaders(world, food), level = world[food + Level];
            if (strength > 0)
            {
                RewardLoaders(world, food, strength);
            }
            if (strength < level)
            {
                Copy(world, food, remaining);
                remaining += PieceSize;
            }
        }
        if (loads > 0)
        {
            RemoveFrom(world, remaining);
        }
        return world[FirstFood + Level] > 0;
    }

    /// <inheritdoc/>
    public void Observe<TWorld>(TWorld world, int agent) where TWorld : struct, IWorld, allows ref struct
    {
        int self = FirstPlayer + PieceSize * agent, range = ObservationRange, row = world[self], col = world[self + Col], at = 0;
        int top = Math.Max(row - range, 0), left = Math.Max(col - range, 0);
        for (int food = FirstFood; food < SnapshotSize; food += PieceSize)
        {
            int y = world[food], x = world[food + Col], level = world[food + Level];
            if (level > 0 && y - row <= range && row - y <= range && x - col <= range && col - x <= range)
            {
                Write(world, at, y - top, x - left, level);
                at += PieceSize;
            }
        }
        at = WriteEmpty(world, at, PieceSize * Foods);
        Write(world, at, row - top, col - left, world[self + Level]);
        at += PieceSize;
        for (int player = FirstPlayer; player < FirstFood; player += PieceSize)
        {
            // As in the original, visibility is tested after the shift to the corner: at the top and left border it extends beyond the observation range.
            int y = world[player] - top, x = world[player + Col] - left;
            if (player != self && y >= 0 && y <= 2 * range && x >= 0 && x <= 2 * range)
            {
                Write(world, at, y, x, world[player + Level]);
                at += PieceSize;
            }
        }
        WriteEmpty(world, at, PieceSize * (Foods + Players));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int StrengthOfLoaders<TWorld>(TWorld world, int food) where TWorld : struct, IWorld, allows ref struct
    {
        int strength = 0;
        for (int agent = 0; agent < Players; agent++)
        {
            strength += Loads(world, agent, food) ? world[FirstPlayer + PieceSize * agent + Level] : 0;
        }
        return strength;
    }

    private void RewardLoaders<TWorld>(TWorld world, int food, int strength) where TWorld : struct, IWorld, allows ref struct
    {
        int foodLevel = world[food + Level];
        for (int agent = 0; agent < Players; agent++)
        {
            if (Loads(world, agent, food))
            {
                int level = world[FirstPlayer + PieceSize * agent + Level];
                // Not 0 - 0, which ILGPU compiles to -0.
                world.SetReward(agent, strength >= foodLevel ? (double)(level * foodLevel) / ((double)strength * world[TotalElement])
                    : Penalty > 0 ? -Penalty : 0);
            }
        }
    }

    /// <summary>Whether an agent loads a food, which is in one of the four cells around it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool Loads<TWorld>(TWorld world, int agent, int food) where TWorld : struct, IWorld, allows ref struct
    {
        int player = FirstPlayer + PieceSize * agent;
        return world.Action(agent) == Load && Math.Abs(world[player] - world[food]) + Math.Abs(world[player + Col] - world[food + Col]) == 1;
    }

    /// <summary>Whether a cell is in the field and has no food.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool IsFree<TWorld>(TWorld world, int row, int col) where TWorld : struct, IWorld, allows ref struct
    {
        bool isFree = row >= 0 && row < Rows && col >= 0 && col < Cols;
        for (int food = FirstFood; food < SnapshotSize; food += PieceSize)
        {
            isFree &= world[food] != row || world[food + Col] != col || world[food + Level] == 0;
        }
        return isFree;
    }

    private int ThreeLowestLevels<TWorld>(TWorld world) where TWorld : struct, IWorld, allows ref struct
    {
        int first = int.MaxValue, second = int.MaxValue, third = int.MaxValue;
        for (int player = FirstPlayer; player < FirstFood; player += PieceSize)
        {
            int level = world[player + Level];
            third = Math.Min(third, Math.Max(second, level));
            second = Math.Min(second, Math.Max(first, level));
            first = Math.Min(first, level);
        }
        return first + (Players > 1 ? second : 0) + (Players > 2 ? third : 0);
    }

    /// <summary>Returns whether there is food before <paramref name="last"/> in the 3 x 3 block around the cell, or two cells away in its row or
    /// column.</summary>
    private bool HasFoodNear<TWorld>(TWorld world, int row, int col, int last) where TWorld : struct, IWorld, allows ref struct
    {
        bool isNear = false;
        for (int food = FirstFood; food < last; food += PieceSize)
        {
            int y = Math.Abs(world[food] - row), x = Math.Abs(world[food + Col] - col);
            isNear |= (y <= 1 && x <= 1) || (y + x == 2 && (y == 0 || x == 0));
        }
        return isNear;
    }

    /// <summary>Returns whether there is a player in the cell. The players of a new world, with level 0, are nowhere.</summary>
    private bool HasPlayer<TWorld>(TWorld world, int row, int col) where TWorld : struct, IWorld, allows ref struct
    {
        bool has = false;
        for (int player = FirstPlayer; player < FirstFood; player += PieceSize)
        {
            has |= world[player + Level] > 0 && world[player] == row && world[player + Col] == col;
        }
        return has;
    }

    private static bool IsBefore<TWorld>(TWorld world, int row, int col, int piece) where TWorld : struct, IWorld, allows ref struct
        => row < world[piece] || (row == world[piece] && col < world[piece + Col]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put<TWorld>(TWorld world, int piece, int row, int col, int level) where TWorld : struct, IWorld, allows ref struct
    {
        world[piece] = row;
        world[piece + Col] = col;
        world[piece + Level] = level;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Copy<TWorld>(TWorld world, int from, int to) where TWorld : struct, IWorld, allows ref struct
        => Put(world, to, world[from], world[from + Col], world[from + Level]);

    private void RemoveFrom<TWorld>(TWorld world, int food) where TWorld : struct, IWorld, allows ref struct
    {
        for (int i = food; i < SnapshotSize; i++)
        {
            world[i] = 0;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Write<TWorld>(TWorld world, int at, int row, int col, int level) where TWorld : struct, IWorld, allows ref struct
    {
        world.SetObservation(at, row);
        world.SetObservation(at + Col, col);
        world.SetObservation(at + Level, level);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int WriteEmpty<TWorld>(TWorld world, int at, int last) where TWorld : struct, IWorld, allows ref struct
    {
        for (; at < last; at += PieceSize)
        {
            Write(world, at, -1, -1, 0);
        }
        return at;
    }
}
