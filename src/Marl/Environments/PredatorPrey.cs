namespace Marl.Native.Rl;

/// <summary>
/// Predators hunt prey on a grid and are punished for single attempts to catch it: a test of relative overgeneralization, as in Boehmer et al. 2020 (Deep
/// Coordination Graphs, section 5.1, and its code, environment "stag_hunt" with "rel_overgen.yaml") and Rashid et al. 2020 (weighted QMIX), based on Son et
/// al. 2019. They have 8 predators, 8 prey, 10 x 10 cells, and a punishment of up to 2.
/// <para>A step: the predators move one at a time in random order, each into its target cell if that is free. Then for each prey in random order: if at least
/// <c>needed</c> adjacent predators catch, the reward is <c>reward</c>, and the prey and these predators are removed; otherwise, if one or more catch, the
/// reward is -<c>punishment</c>; a prey that is not caught moves into a random free adjacent cell. All predators receive the sum. Terminated when no prey or
/// no predator is left, truncated at the limit.</para>
/// <para>Actions: 0 right, 1 down, 2 left, 3 up, not available at the border; 4 stay; 5 catch, available next to prey. Removed predators can only stay.</para>
/// <para>Observation [2 (2 range + 1)^2]: for each cell around the predator in row-major order whether it contains a predator, and whether it contains prey;
/// zeros for removed predators. State [2 rows columns]: the same for the whole grid.</para>
/// </summary>
internal sealed class PredatorPrey : IEnvironment, IRenderable
{
    /// <summary>The options of an id.</summary>
    internal const string Options = "predators, prey, needed, sight, reward, punishment, steps";

    private const int ActionCount = 6, Directions = 4, Stay = 4, Catch = 5, Gone = -1, MaxSize = 128, MaxObservationRange = 16;
    private const byte Free = 0, Predator = 1, Prey = 2, Wall = 3;

    private static readonly string[] actionNames = ["right", "down", "left", "up", "stay", "catch"];

    private readonly int rows, cols, observationRange, needed, width;
    private readonly double reward, punishment;
    // The cells of the grid, with a wall as wide as the observation range around it.
    private readonly byte[] grid;
    private readonly int[] predators, prey, offsets, predatorOrder, preyOrder;
    private int step;

    private PredatorPrey(EnvironmentId id)
    {
        string[] size = id.Layout.Split('x');
        if (size.Length != 2 || !EnvironmentId.TryInteger(size[0], out rows) || !EnvironmentId.TryInteger(size[1], out cols))
        {
            throw id.Error($"'{id.Layout}' is not a size; example of an id: {id.Name}:10x10");
        }
        predators = new int[id.Integer("predators") ?? 8];
        prey = new int[id.Integer("prey") ?? 8];
        (needed, observationRange, int limit) = (id.Integer("needed") ?? 2, id.Integer("sight") ?? 2, id.Integer("steps") ?? 200);
        (reward, punishment) = (id.Number("reward") ?? 10, id.Number("punishment") ?? 2);
        id.EnsureAllRead(hasLayout: true);
        Require(rows is >= 2 and <= MaxSize && cols is >= 2 and <= MaxSize, $"the grid must be 2 to {MaxSize} cells wide and high");
        Require((long)predators.Length + prey.Length <= rows * cols, "there must be at least as many cells as predators and prey");
        Require(needed <= Math.Min(Directions, predators.Length),
            $"needed={needed}, but at most {Math.Min(Directions, predators.Length)} predators can be adjacent to a prey");
        Require(observationRange <= MaxObservationRange, $"sight must be at most {MaxObservationRange}");

        width = cols + 2 * observationRange;
        grid = new byte[(rows + 2 * observationRange) * width];
        offsets = [1, width, -1, -width];
        (predatorOrder, preyOrder) = (new int[predators.Length], new int[prey.Length]);
        string name = EnvironmentId.Compose($"{id.Name}:{rows}x{cols}", ("predators", predators.Length, 8), ("prey", prey.Length, 8), ("needed", needed, 2),
            ("sight", observationRange, 2), ("reward", reward, 10.0), ("punishment", punishment, 2.0), ("steps", limit, 200));
        int visible = (2 * observationRange + 1) * (2 * observationRange + 1);
        Spec = EnvironmentSpec.Uniform(name, predators.Length, 2 * visible, ActionCount, limit, 1 + predators.Length + prey.Length) with
        {
            StateSize = 2 * rows * cols,
            Reward = RewardMode.Mean,
        };
        Clear();

        void Require(bool holds, string rule)
        {
            if (!holds)
            {
                throw id.Error(rule);
            }
        }
    }

    /// <inheritdoc/>
    public EnvironmentSpec Spec { get; }

    internal static IEnvironment? TryCreate(EnvironmentId id) => id.Name == "predator-prey" ? new PredatorPrey(id) : null;

    /// <inheritdoc/>
    public void Reset(ref Rng rng)
    {
        step = 0;
        Clear();
        Place(predators, Predator, ref rng);
        Place(prey, Prey, ref rng);
    }

    /// <inheritdoc/>
    public StepResult Step(JointAction actions, Span<double> rewards, ref Rng rng)
    {
        step++;
        Shuffle(predatorOrder, ref rng);
        foreach (int i in predatorOrder)
        {
            if (predators[i] != Gone && actions[i] < Directions)
            {
                Move(ref predators[i], predators[i] + offsets[actions[i]]);
            }
        }
        double sum = 0;
        Shuffle(preyOrder, ref rng);
        foreach (int i in preyOrder)
        {
            if (prey[i] != Gone)
            {
                sum += StepPrey(ref prey[i], actions, ref rng);
            }
        }
        rewards.Fill(sum);
        bool over = !prey.AsSpan().ContainsAnyExcept(Gone) || !predators.AsSpan().ContainsAnyExcept(Gone);
        return over ? StepResult.Terminated : step >= Spec.EpisodeLimit ? StepResult.Truncated : StepResult.Running;
    }

    /// <inheritdoc/>
    public void Observe(int agent, Span<float> observation)
    {
        observation.Clear();
        if (predators[agent] != Gone)
        {
            Write(predators[agent] - observationRange * (width + 1), 2 * observationRange + 1, 2 * observationRange + 1, observation);
        }
    }

    /// <inheritdoc/>
    public void ReadState(Span<float> state) => Write(Cell(0), rows, cols, state);

    /// <inheritdoc/>
    public void ReadAvailable(int agent, Span<bool> available)
    {
        available.Clear();
        available[Stay] = true;
        for (int direction = 0; direction < Directions && predators[agent] != Gone; direction++)
        {
            byte there = grid[predators[agent] + offsets[direction]];
            available[direction] = there != Wall;
            available[Catch] |= there == Prey;
        }
    }

    /// <summary>Writes the step, then the cells of the predators and of the prey, row * columns + column; -1 if removed.</summary>
    public void Save(Span<double> snapshot)
    {
        snapshot[0] = step;
        for (int i = 0; i < predators.Length + prey.Length; i++)
        {
            int cell = i < predators.Length ? predators[i] : prey[i - predators.Length];
            snapshot[1 + i] = cell == Gone ? Gone : (cell / width - observationRange) * cols + cell % width - observationRange;
        }
    }

    /// <inheritdoc/>
    public void Restore(ReadOnlySpan<double> snapshot)
    {
        step = (int)snapshot[0];
        Clear();
        Read(snapshot[1..], predators, Predator);
        Read(snapshot[(1 + predators.Length)..], prey, Prey);
    }

    /// <inheritdoc/>
    public Scene Render() => new GridScene(rows, cols,
    [
        .. prey.Where(cell => cell != Gone).Select(cell => new Sprite(SceneRole.Wanted, cell / width - observationRange, cell % width - observationRange)),
        .. predators.Select((cell, i) => (cell, i)).Where(predator => predator.cell != Gone).Select(predator =>
            new Sprite(SceneRole.Agent, predator.cell / width - observationRange, predator.cell % width - observationRange) { Agent = predator.i }),
    ]);

    /// <inheritdoc/>
    public string ActionName(int agent, int action) => actionNames[action];

    /// <summary>Takes a prey's turn, in which it is caught or moves, and returns the reward.</summary>
    private double StepPrey(ref int cell, JointAction actions, ref Rng rng)
    {
        int catching = 0;
        for (int i = 0; i < predators.Length; i++)
        {
            catching += IsCatching(i, cell, actions) ? 1 : 0;
        }
        if (catching >= needed)
        {
            for (int i = 0; i < predators.Length; i++)
            {
                if (IsCatching(i, cell, actions))
                {
                    Remove(ref predators[i]);
                }
            }
            Remove(ref cell);
            return reward;
        }
        Span<int> free = stackalloc int[Directions];
        int count = 0;
        foreach (int offset in offsets)
        {
            if (grid[cell + offset] == Free)
            {
                free[count++] = cell + offset;
            }
        }
        if (count > 0)
        {
            Move(ref cell, free[rng.NextInt(count)]);
        }
        return catching > 0 ? -punishment : 0;
    }

    private bool IsCatching(int predator, int cell, JointAction actions)
        => actions[predator] == Catch && predators[predator] != Gone && offsets.AsSpan().Contains(cell - predators[predator]);

    private void Move(ref int cell, int to)
    {
        if (grid[to] == Free)
        {
            (grid[to], grid[cell]) = (grid[cell], Free);
            cell = to;
        }
    }

    private void Remove(ref int cell)
    {
        grid[cell] = Free;
        cell = Gone;
    }

    private void Place(Span<int> cells, byte kind, ref Rng rng)
    {
        foreach (ref int cell in cells)
        {
            do
            {
                cell = Cell(rng.NextInt(rows * cols));
            }
            while (grid[cell] != Free);
            grid[cell] = kind;
        }
    }

    private void Read(ReadOnlySpan<double> snapshot, Span<int> cells, byte kind)
    {
        for (int i = 0; i < cells.Length; i++)
        {
            cells[i] = snapshot[i] == Gone ? Gone : Cell((int)snapshot[i]);
            if (cells[i] != Gone)
            {
                grid[cells[i]] = kind;
            }
        }
    }

    /// <summary>Writes the features of a rectangle of cells.</summary>
    private void Write(int corner, int rows, int columns, Span<float> destination)
    {
        int end = 0;
        for (int row = 0; row < rows; row++, corner += width)
        {
            foreach (byte kind in grid.AsSpan(corner, columns))
            {
                destination[end++] = kind == Predator ? 1f : 0f;
                destination[end++] = kind == Prey ? 1f : 0f;
            }
        }
    }

    private void Clear()
    {
        grid.AsSpan().Fill(Wall);
        for (int row = 0; row < rows; row++)
        {
            grid.AsSpan(Cell(row * cols), cols).Clear();
        }
        predators.AsSpan().Fill(Gone);
        prey.AsSpan().Fill(Gone);
    }

    /// <summary>Returns the grid index of the cell row * columns + column.</summary>
    private int Cell(int index) => (index / cols + observationRange) * width + index % cols + observationRange;

    /// <summary>Writes a random permutation of 0 .. n - 1 (Fisher and Yates).</summary>
    private static void Shuffle(Span<int> order, ref Rng rng)
    {
        for (int i = 0; i < order.Length; i++)
        {
            int j = rng.NextInt(i + 1);
            order[i] = order[j];
            order[j] = i;
        }
    }
}
