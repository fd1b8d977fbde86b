using System.Numerics;

namespace Marl.Native.Rl;

/// <summary>
/// Level-Based Foraging v3 (Albrecht and Ramamoorthy 2013; Papoudakis et al. 2021; the lb-foraging package). Players move on a grid and load adjacent food; a
/// food is collected when the sum of the levels of the players that load it in the same step is at least its own level.
/// <para>Actions: 0 none, 1 north (row - 1), 2 south, 3 west (column - 1), 4 east, 5 load.</para>
/// <para>Observation [3F + 3P]: triples (row, column, level), relative to the top left corner of the observed area: the visible foods in row-major order,
/// then the player itself, then the other visible players; the remaining triples are (-1, -1, 0).</para>
/// <para>Reward of a loading player: own level * food level / (sum of the loading players' levels * sum of the episode's food levels), so that the maximum
/// return of all players is 1. Terminated when all food is collected, truncated at the limit (the original does not distinguish the two).</para>
/// </summary>
internal sealed partial class LevelBasedForaging : IEnvironment
{
    private const int ActionCount = 6, Load = 5, None = -1;
    private const short Free = 0, Wall = -1;

    private readonly LbfConfig config;
    private readonly int observationRange, width;
    private readonly Piece[] players, foods;
    // The field with a border of Wall: Free, or 1 + the index of the food.
    private readonly short[] grid;
    private readonly int[] offsets;
    private readonly short[] claims;
    private readonly int[] targets, loadTargets, loaderLevels;
    private int step, totalFoodLevel, remainingFoods;

    /// <summary>Creates an empty field; <see cref="Reset"/> places players and food.</summary>
    /// <exception cref="UsageException">The configuration is not valid.</exception>
    public LevelBasedForaging(LbfConfig config)
    {
        config.Validate();
        this.config = config;
        observationRange = config.ObservationRange ?? Math.Max(config.Rows, config.Cols);
        width = config.Cols + 2;
        players = new Piece[config.Players];
        players.AsSpan().Fill(new Piece(None, None, 0));
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
        loadTargets = new int[config.Players];
        loaderLevels = new int[config.Foods];
        int pieces = config.Players + config.Foods;
        Spec = EnvironmentSpec.Uniform(config.Id, config.Players, 3 * pieces, ActionCount, config.EpisodeLimit, 2 + 3 * pieces);
    }

    /// <inheritdoc/>
    public EnvironmentSpec Spec { get; }

    private static ReadOnlySpan<sbyte> RowSteps => [0, -1, 1, 0, 0, 0];
    private static ReadOnlySpan<sbyte> ColSteps => [0, 0, 0, -1, 1, 0];

    /// <summary>Creates the environments lbf:... and lbf-v1:...; returns null for other ids.</summary>
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
        return remainingFoods == 0 ? StepResult.Terminated : step >= config.EpisodeLimit ? StepResult.Truncated : StepResult.Running;
    }

    /// <inheritdoc/>
    public void Observe(int agent, Span<float> observation)
    {
        var self = players[agent];
        int top = Math.Max(self.Row - observationRange, 0), left = Math.Max(self.Col - observationRange, 0);
        int end = 0;
        foreach (ref readonly var food in foods.AsSpan())
        {
            if (food.Level > 0 && Math.Abs(food.Row - self.Row) <= observationRange && Math.Abs(food.Col - self.Col) <= observationRange)
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
            // As in the original, visibility is tested after the shift to the corner: at the top and left border it extends beyond the observation range.
            int y = players[other].Row - top, x = players[other].Col - left;
            if (other != agent && (uint)y <= 2 * observationRange && (uint)x <= 2 * observationRange)
            {
                Write(observation, ref end, y, x, players[other].Level);
            }
        }
        while (end < observation.Length)
        {
            Write(observation, ref end, -1, -1, 0);
        }
    }

    /// <summary>Writes the step, the sum of the initial food levels, then row, column and level of the players and of the remaining foods in row-major order;
    /// zeros for collected foods. The players' cells also matter after an episode, because the next reset avoids them.</summary>
    public void Save(Span<double> snapshot)
    {
        snapshot.Clear();
        snapshot[0] = step;
        snapshot[1] = totalFoodLevel;
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
        totalFoodLevel = (int)snapshot[1];
        int end = 2;
        foreach (ref var player in players.AsSpan())
        {
            player = Read(snapshot, ref end);
        }

        foreach (ref var food in foods.AsSpan())
        {
            food = Read(snapshot, ref end);
            remainingFoods += food.Level > 0 ? 1 : 0;
        }
        PutFoodOnGrid();
    }

    /// <summary>Moves all players simultaneously. Each player claims the target cell of a valid move, or else its own cell; a player moves only into a cell
    /// that is claimed once. Neighbors may swap, and another player may enter the cell of a player whose move fails.</summary>
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

    /// <summary>Resolves load actions: the players that load the same food succeed or fail together. Spawning keeps foods so far apart that a player is never
    /// adjacent to two of them.</summary>
    private void LoadFood(JointAction actions, Span<double> rewards)
    {
        for (int i = 0; i < players.Length; i++)
        {
            loadTargets[i] = actions[i] == Load ? FoodBeside(Cell(players[i].Row, players[i].Col)) : None;
            if (loadTargets[i] != None)
            {
                loaderLevels[loadTargets[i]] += players[i].Level;
            }
        }
        for (int i = 0; i < players.Length; i++)
        {
            if (loadTargets[i] == None)
            {
                continue;
            }

            int strength = loaderLevels[loadTargets[i]], food = foods[loadTargets[i]].Level;
            rewards[i] = strength >= food ? (double)(players[i].Level * food) / ((double)strength * totalFoodLevel) : 0 - config.Penalty;
        }
        foreach (int index in loadTargets)
        {
            if (index == None)
            {
                continue;
            }

            ref var food = ref foods[index];
            if (food.Level > 0 && loaderLevels[index] >= food.Level)
            {
                grid[Cell(food.Row, food.Col)] = Free;
                food.Level = 0;
                remainingFoods--;
            }
        }
        loaderLevels.AsSpan().Clear();
    }

    /// <summary>Returns the index of the food in one of the four cells around <paramref name="cell"/>; <see cref="None"/> if there is none.</summary>
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
        return None;
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
        totalFoodLevel = remainingFoods = 0;
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

    /// <summary>A player or a food; a collected food has level 0.</summary>
    private record struct Piece(int Row, int Col, int Level);
}
