using System.Numerics;

namespace Marl.Native.Rl;

/// <summary>
/// Level-Based Foraging v3 (Albrecht and Ramamoorthy 2013; Papoudakis et al. 2021; the lb-foraging package), rule by rule. Players
/// walk on a field and load food that lies beside them; a food is eaten when the levels of those who load it at once reach its own.
/// <para>Actions: 0 none, 1 north (row - 1), 2 south, 3 west (column - 1), 4 east, 5 load.</para>
/// <para>Observation [3F + 3P]: triples (row, column, level), relative to the top left corner of what is seen: the foods seen, row by
/// row, then the player itself, then the other players seen; what is left over is (-1, -1, 0).</para>
/// <para>Reward of loading: own level * food level / (levels of all who load it * food levels of the episode), so that everything is
/// worth 1 together. Terminated when all is eaten, truncated at the limit (the original calls both done).</para>
/// </summary>
internal sealed partial class LevelBasedForaging : IEnvironment
{
    private const int ActionCount = 6, Load = 5, Nothing = -1;
    private const short Free = 0, Wall = -1;

    private readonly LbfConfig config;
    private readonly int sight, width;
    private readonly Piece[] players, foods;
    // One cell more than the field on each side: Wall around it, Free, or 1 + the index of the food there.
    private readonly short[] grid;
    private readonly int[] offsets;
    private readonly short[] claims;
    private readonly int[] targets, loaded, strengths;
    private int step, spawned, left;

    /// <summary>Sets up an empty field; <see cref="Reset"/> fills it.</summary>
    /// <exception cref="UsageException">the configuration cannot be played.</exception>
    public LevelBasedForaging(LbfConfig config)
    {
        config.Validate();
        this.config = config;
        sight = config.Sight ?? Math.Max(config.Rows, config.Cols);
        width = config.Cols + 2;
        players = new Piece[config.Players];
        players.AsSpan().Fill(new Piece(Nothing, Nothing, 0));
        foods = new Piece[config.Foods];
        grid = new short[(config.Rows + 2) * width];
        grid.AsSpan().Fill(Wall);
        for (int row = 0; row < config.Rows; row++)
        {
            grid.AsSpan(Cell(row, 0), config.Cols).Fill(Free);
        }

        offsets = [0, -width, width, -1, 1, 0];
        claims = new short[grid.Length];
        targets = new int[config.Players];
        loaded = new int[config.Players];
        strengths = new int[config.Foods];
        int pieces = config.Players + config.Foods;
        Spec = EnvironmentSpec.Uniform(config.Id, config.Players, 3 * pieces, ActionCount, config.EpisodeLimit, 2 + 3 * pieces);
    }

    /// <inheritdoc/>
    public EnvironmentSpec Spec { get; }

    private static ReadOnlySpan<sbyte> RowSteps => [0, -1, 1, 0, 0, 0];
    private static ReadOnlySpan<sbyte> ColSteps => [0, 0, 0, -1, 1, 0];

    /// <summary>Of the ids lbf:... and lbf-v1:...</summary>
    internal static IEnvironment? TryCreate(EnvironmentId id)
        => id.Name is "lbf" or "lbf-v1" ? new LevelBasedForaging(LbfConfig.Parse(id)) : null;

    /// <inheritdoc/>
    public void Reset(ref Rng rng)
    {
        ClearFood();
        SpawnPlayers(ref rng);
        SpawnFood(ref rng);
        step = 0;
    }

    /// <inheritdoc/>
    public StepResult Step(JointAction actions, Span<double> rewards, ref Rng rng)
    {
        step++;
        rewards.Clear();
        Move(actions);
        LoadFood(actions, rewards);
        return left == 0 ? StepResult.Terminated : step >= config.EpisodeLimit ? StepResult.Truncated : StepResult.Running;
    }

    /// <inheritdoc/>
    public void Observe(int agent, Span<float> observation)
    {
        var self = players[agent];
        int top = Math.Max(self.Row - sight, 0), left = Math.Max(self.Col - sight, 0);
        int end = 0;
        foreach (ref readonly var food in foods.AsSpan())
        {
            if (food.Level > 0 && Math.Abs(food.Row - self.Row) <= sight && Math.Abs(food.Col - self.Col) <= sight)
            {
                Write(observation, ref end, food.Row - top, food.Col - left, food.Level);
            }
        }
        while (end < 3 * foods.Length)
        {
            Write(observation, ref end, -1, -1, 0);
        }

        Write(observation, ref end, self.Row - top, self.Col - left, self.Level);
        for (int other = 0; other < players.Length; other++)
        {
            // Judged after the shift to the corner, as in the original: near the top and left border one sees beyond one's sight.
            int y = players[other].Row - top, x = players[other].Col - left;
            if (other != agent && (uint)y <= 2 * sight && (uint)x <= 2 * sight)
            {
                Write(observation, ref end, y, x, players[other].Level);
            }
        }
        while (end < observation.Length)
        {
            Write(observation, ref end, -1, -1, 0);
        }
    }

    /// <summary>Writes step, sum of the food levels at the start, then row, column and level of the players and of the foods that are
    /// left, row by row; zeros for those eaten. After an episode the players' cells matter still: the next start avoids them.</summary>
    public void Save(Span<double> snapshot)
    {
        snapshot.Clear();
        snapshot[0] = step;
        snapshot[1] = spawned;
        int end = 2;
        foreach (ref readonly var player in players.AsSpan())
        {
            Write(snapshot, ref end, player.Row, player.Col, player.Level);
        }

        foreach (ref readonly var food in foods.AsSpan())
        {
            if (food.Level > 0)
            {
                Write(snapshot, ref end, food.Row, food.Col, food.Level);
            }
        }
    }

    /// <inheritdoc/>
    public void Restore(ReadOnlySpan<double> snapshot)
    {
        ClearFood();
        step = (int)snapshot[0];
        spawned = (int)snapshot[1];
        int end = 2;
        foreach (ref var player in players.AsSpan())
        {
            player = Read(snapshot, ref end);
        }

        foreach (ref var food in foods.AsSpan())
        {
            food = Read(snapshot, ref end);
            left += food.Level > 0 ? 1 : 0;
        }
        PutFoodOnGrid();
    }

    /// <summary>Everyone claims one cell: where a valid move leads, else the own one. Only a cell claimed once receives its claimant, all
    /// at the same time. So neighbors may swap, and one whose move fails may find another on the own cell.</summary>
    private void Move(JointAction actions)
    {
        for (int i = 0; i < players.Length; i++)
        {
            int cell = Cell(players[i].Row, players[i].Col), target = cell + offsets[actions[i]];
            targets[i] = grid[target] == Free ? target : cell;
            claims[targets[i]]++;
        }
        for (int i = 0; i < players.Length; i++)
        {
            ref var player = ref players[i];
            if (claims[targets[i]] != 1 || targets[i] == Cell(player.Row, player.Col))
            {
                continue;
            }

            player.Row += RowSteps[actions[i]];
            player.Col += ColSteps[actions[i]];
        }
        foreach (int target in targets)
        {
            claims[target] = 0;
        }
    }

    /// <summary>Those who load the same food succeed or fail together. Spawning keeps foods so far apart that a player never stands beside
    /// two of them.</summary>
    private void LoadFood(JointAction actions, Span<double> rewards)
    {
        for (int i = 0; i < players.Length; i++)
        {
            loaded[i] = actions[i] == Load ? FoodBeside(Cell(players[i].Row, players[i].Col)) : Nothing;
            if (loaded[i] != Nothing)
            {
                strengths[loaded[i]] += players[i].Level;
            }
        }
        for (int i = 0; i < players.Length; i++)
        {
            if (loaded[i] == Nothing)
            {
                continue;
            }

            int strength = strengths[loaded[i]], food = foods[loaded[i]].Level;
            rewards[i] = strength >= food ? (double)(players[i].Level * food) / ((double)strength * spawned) : 0 - config.Penalty;
        }
        foreach (int index in loaded)
        {
            if (index == Nothing)
            {
                continue;
            }

            ref var food = ref foods[index];
            if (food.Level > 0 && strengths[index] >= food.Level)
            {
                grid[Cell(food.Row, food.Col)] = Free;
                food.Level = 0;
                left--;
            }
        }
        strengths.AsSpan().Clear();
    }

    /// <summary>The index of the food in one of the four cells around <paramref name="cell"/>.</summary>
    private int FoodBeside(int cell)
    {
        for (int direction = 1; direction < Load; direction++)
        {
            int content = grid[cell + offsets[direction]];
            if (content > 0)
            {
                return content - 1;
            }
        }
        return Nothing;
    }

    private void ClearFood()
    {
        foreach (ref var food in foods.AsSpan())
        {
            if (food.Level > 0)
            {
                grid[Cell(food.Row, food.Col)] = Free;
            }

            food = default;
        }
        spawned = left = 0;
    }

    private void PutFoodOnGrid()
    {
        for (int i = 0; i < foods.Length; i++)
        {
            if (foods[i].Level > 0)
            {
                grid[Cell(foods[i].Row, foods[i].Col)] = (short)(i + 1);
            }
        }
    }

    private int Cell(int row, int col) => (row + 1) * width + col + 1;

    private static void Write<T>(Span<T> triples, ref int end, int row, int col, int level) where T : INumberBase<T>
    {
        triples[end++] = T.CreateTruncating(row);
        triples[end++] = T.CreateTruncating(col);
        triples[end++] = T.CreateTruncating(level);
    }

    private static Piece Read(ReadOnlySpan<double> triples, ref int end)
        => new((int)triples[end++], (int)triples[end++], (int)triples[end++]);

    /// <summary>A player or a food; level 0 is a food that was eaten.</summary>
    private record struct Piece(int Row, int Col, int Level);
}
