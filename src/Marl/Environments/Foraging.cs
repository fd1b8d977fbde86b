using System.Runtime.CompilerServices;

namespace Marl.Native.Rl;

/// <summary>The rules of <see cref="LevelBasedForaging"/>.</summary>
/// <param name="config">A valid configuration.</param>
internal readonly struct Foraging(LbfConfig config) : IBatchEnvironment
{
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

    /// <summary>The snapshot, and the target cells of the players in a step.</summary>
    public int StateSize => SnapshotSize + Players;

    /// <inheritdoc/>
    public void Reset<TWorld>(TWorld world, ref Rng rng) where TWorld : struct, IWorld, allows ref struct
    {
        var field = new ForagingField<TWorld>(this, world);
        field.Clear();
        field.SpawnPlayers(ref rng);
        field.SpawnFood(ref rng);
    }

    /// <inheritdoc/>
    public StepResult Step<TWorld>(TWorld world, ref Rng rng) where TWorld : struct, IWorld, allows ref struct
    {
        var field = new ForagingField<TWorld>(this, world);
        int step = ++world[ForagingField<TWorld>.Step];
        field.Move();
        return field.LoadFood() == 0 ? StepResult.Terminated : step >= EpisodeLimit ? StepResult.Truncated : StepResult.Running;
    }

    /// <inheritdoc/>
    public void Observe<TWorld>(TWorld world, int agent) where TWorld : struct, IWorld, allows ref struct
        => new ForagingField<TWorld>(this, world).Observe(agent);
}

/// <summary>A field of <see cref="Foraging"/> with its players and foods.</summary>
internal ref struct ForagingField<TWorld>(Foraging rules, TWorld world) where TWorld : struct, IWorld, allows ref struct
{
    /// <summary>Elements of the state.</summary>
    public const int Step = 0, TotalFoodLevel = 1, Pieces = 2;

    private const int North = 1, South = 2, West = 3, East = 4, Load = 5, SpawnTries = 1000;

    private readonly Foraging rules = rules;
    private TWorld world = world;

    private readonly int FirstFood => Pieces + 3 * rules.Players;

    private readonly int Targets => rules.SnapshotSize;

    /// <summary>Removes all food.</summary>
    public void Clear()
    {
        world[Step] = world[TotalFoodLevel] = 0;
        for (int i = FirstFood; i < rules.SnapshotSize; i++)
        {
            world[i] = 0;
        }
    }

    public void SpawnPlayers(ref Rng rng)
    {
        for (int player = 0; player < rules.Players; player++)
        {
            int row = rng.NextInt(rules.Rows), col = rng.NextInt(rules.Cols);
            while (HasPlayer(row, col)) // including players at their cells of the previous episode, as in the original
            {
                row = rng.NextInt(rules.Rows);
                col = rng.NextInt(rules.Cols);
            }
            Put(Player(player), row, col, rng.NextInt(rules.MinPlayerLevel, rules.MaxPlayerLevel));
        }
    }

    public void SpawnFood(ref Rng rng)
    {
        int max = rules.MaxFoodLevel > 0 ? rules.MaxFoodLevel : ThreeLowestLevels(), min = rules.MinFoodLevel > 0 ? rules.MinFoodLevel : max;
        int last = Math.Max(min, max - rules.ExcludedFoodLevels), count = 0;
        for (int tries = 0; tries < SpawnTries && count < rules.Foods; tries++)
        {
            int row = rng.NextInt(1, rules.Rows - 2), col = rng.NextInt(1, rules.Cols - 2);
            if (!HasFoodNear(row, col, count) && !HasPlayer(row, col))
            {
                int level = rng.NextInt(min, last);
                world[TotalFoodLevel] += level;
                // In row-major order, the order of the observations.
                int place = count;
                while (place > 0 && IsBefore(row, col, Food(place - 1)))
                {
                    Copy(Food(place - 1), Food(place));
                    place--;
                }
                Put(Food(place), row, col, level);
                count++;
            }
        }
    }

    /// <summary>Moves all players simultaneously. Each player claims the target cell of a valid move, or else its own cell; a player moves only into a cell
    /// that is claimed once. Neighbors may swap, and another player may enter the cell of a player whose move fails.</summary>
    public void Move()
    {
        for (int player = 0; player < rules.Players; player++)
        {
            world[Targets + player] = Target(player);
        }
        for (int player = 0; player < rules.Players; player++)
        {
            int target = world[Targets + player];
            if (IsClaimedOnce(target))
            {
                world[Player(player)] = target / rules.Cols;
                world[Player(player) + 1] = target % rules.Cols;
            }
        }
    }

    /// <summary>Resolves load actions: the players that load the same food succeed or fail together. Spawning keeps foods so far apart that a player is never
    /// adjacent to two of them.</summary>
    /// <returns>The number of remaining foods.</returns>
    public int LoadFood()
    {
        for (int player = 0; player < rules.Players; player++)
        {
            world.SetReward(player, 0);
        }
        int remaining = 0;
        for (int i = 0; i < rules.Foods && Level(Food(i)) > 0; i++)
        {
            int food = Food(i), strength = 0;
            for (int player = 0; player < rules.Players; player++)
            {
                strength += Loads(player, food) ? Level(Player(player)) : 0;
            }
            if (strength > 0)
            {
                RewardLoaders(food, strength);
            }
            if (strength < Level(food))
            {
                Copy(food, Food(remaining));
                remaining++;
            }
        }
        for (int i = Food(remaining); i < rules.SnapshotSize; i++)
        {
            world[i] = 0;
        }
        return remaining;
    }

    public void Observe(int agent)
    {
        int range = rules.ObservationRange, row = Row(Player(agent)), col = Col(Player(agent)), end = 0;
        int top = Math.Max(row - range, 0), left = Math.Max(col - range, 0);
        for (int i = 0; i < rules.Foods && Level(Food(i)) > 0; i++)
        {
            int food = Food(i);
            if (Math.Abs(Row(food) - row) <= range && Math.Abs(Col(food) - col) <= range)
            {
                Write(ref end, Row(food) - top, Col(food) - left, Level(food));
            }
        }
        while (end < 3 * rules.Foods)
        {
            Write(ref end, -1, -1, 0);
        }
        Write(ref end, row - top, col - left, Level(Player(agent)));
        for (int other = 0; other < rules.Players; other++)
        {
            // As in the original, visibility is tested after the shift to the corner: at the top and left border it extends beyond the observation range.
            int y = Row(Player(other)) - top, x = Col(Player(other)) - left;
            if (other != agent && y >= 0 && y <= 2 * range && x >= 0 && x <= 2 * range)
            {
                Write(ref end, y, x, Level(Player(other)));
            }
        }
        while (end < 3 * (rules.Foods + rules.Players))
        {
            Write(ref end, -1, -1, 0);
        }
    }

    private void RewardLoaders(int food, int strength)
    {
        int level = Level(food);
        for (int player = 0; player < rules.Players; player++)
        {
            if (Loads(player, food))
            {
                // Not 0 - 0, which ILGPU compiles to -0.
                world.SetReward(player, strength >= level ? (double)(Level(Player(player)) * level) / ((double)strength * world[TotalFoodLevel])
                    : rules.Penalty > 0 ? -rules.Penalty : 0);
            }
        }
    }

    /// <summary>Returns the cell that a player moves to, if no other player claims it.</summary>
    private readonly int Target(int player)
    {
        int piece = Player(player), action = world.Action(player);
        int row = Row(piece) + (action == South ? 1 : 0) - (action == North ? 1 : 0), col = Col(piece) + (action == East ? 1 : 0) - (action == West ? 1 : 0);
        bool isFree = row >= 0 && row < rules.Rows && col >= 0 && col < rules.Cols;
        for (int i = 0; i < rules.Foods && Level(Food(i)) > 0; i++)
        {
            isFree &= Row(Food(i)) != row || Col(Food(i)) != col;
        }
        return isFree ? row * rules.Cols + col : Row(piece) * rules.Cols + Col(piece);
    }

    private readonly bool IsClaimedOnce(int target)
    {
        int claims = 0;
        for (int player = 0; player < rules.Players; player++)
        {
            claims += world[Targets + player] == target ? 1 : 0;
        }
        return claims == 1;
    }

    /// <summary>Whether a player loads a food, which is in one of the four cells around it.</summary>
    private readonly bool Loads(int player, int food)
        => world.Action(player) == Load && Math.Abs(Row(Player(player)) - Row(food)) + Math.Abs(Col(Player(player)) - Col(food)) == 1;

    private readonly int ThreeLowestLevels()
    {
        int first = int.MaxValue, second = int.MaxValue, third = int.MaxValue;
        for (int player = 0; player < rules.Players; player++)
        {
            int level = Level(Player(player));
            third = Math.Min(third, Math.Max(second, level));
            second = Math.Min(second, Math.Max(first, level));
            first = Math.Min(first, level);
        }
        return first + (rules.Players > 1 ? second : 0) + (rules.Players > 2 ? third : 0);
    }

    /// <summary>Returns whether there is food in the 3 x 3 block around the cell, or two cells away in its row or column.</summary>
    private readonly bool HasFoodNear(int row, int col, int count)
    {
        bool isNear = false;
        for (int i = 0; i < count; i++)
        {
            int y = Math.Abs(Row(Food(i)) - row), x = Math.Abs(Col(Food(i)) - col);
            isNear |= (y <= 1 && x <= 1) || (y + x == 2 && (y == 0 || x == 0));
        }
        return isNear;
    }

    /// <summary>Returns whether there is a player in the cell. The players of a new world, with level 0, are nowhere.</summary>
    private readonly bool HasPlayer(int row, int col)
    {
        bool has = false;
        for (int player = 0; player < rules.Players; player++)
        {
            int piece = Player(player);
            has |= Level(piece) > 0 && Row(piece) == row && Col(piece) == col;
        }
        return has;
    }

    private readonly bool IsBefore(int row, int col, int piece) => row < Row(piece) || (row == Row(piece) && col < Col(piece));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly int Player(int player) => Pieces + 3 * player;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly int Food(int food) => FirstFood + 3 * food;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly int Row(int piece) => world[piece];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly int Col(int piece) => world[piece + 1];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly int Level(int piece) => world[piece + 2];

    private void Put(int piece, int row, int col, int level)
    {
        world[piece] = row;
        world[piece + 1] = col;
        world[piece + 2] = level;
    }

    private void Copy(int from, int to) => Put(to, world[from], world[from + 1], world[from + 2]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Write(ref int end, int row, int col, int level)
    {
        world.SetObservation(end, row);
        world.SetObservation(end + 1, col);
        world.SetObservation(end + 2, level);
        end += 3;
    }
}
