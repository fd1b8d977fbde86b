namespace Marl.Native.Rl;

/// <summary>The reward of a delivery in <see cref="RoboticWarehouse"/>.</summary>
internal enum WarehouseReward
{
    /// <summary>1 for the agent that delivers.</summary>
    Individual,
    /// <summary>1 for every agent.</summary>
    Global,
    /// <summary>0.5 for the agent that delivers, and 0.5 when it puts the shelf down afterwards.</summary>
    TwoStage,
}

/// <summary>The configuration of <see cref="RoboticWarehouse"/>. The defaults are those of the original's registered ids.</summary>
internal sealed record RwareConfig
{
    /// <summary>The options of an id.</summary>
    internal const string Options = "height, queue, sensor, reward (individual, global, two-stage), idle, steps";

    private static readonly (string Name, int Rows, int Columns)[] sizes =
        [("tiny", 1, 3), ("small", 2, 3), ("medium", 2, 5), ("large", 3, 5)];
    private static readonly (string Name, WarehouseReward Reward)[] rewards =
        [("individual", WarehouseReward.Individual), ("global", WarehouseReward.Global), ("two-stage", WarehouseReward.TwoStage)];

    /// <summary>The number of blocks of shelves from top to bottom.</summary>
    public int ShelfRows { get; init; } = 1;

    /// <summary>The number of blocks of shelves from left to right, each two shelves wide; odd.</summary>
    public int ShelfColumns { get; init; } = 3;

    /// <summary>The height of a block in shelves.</summary>
    public int ColumnHeight { get; init; } = 8;

    /// <summary>A custom layout instead of blocks, row by row from the top: '.' is a highway, 'x' a shelf, 'g' a goal, and '/' separates rows, as in
    /// <c>.xx./.xx./.gg.</c>; null for blocks.</summary>
    public string? CustomLayout { get; init; }

    /// <summary>N, the number of agents.</summary>
    public int Agents { get; init; } = 2;

    /// <summary>Q, the number of shelves that are requested at any time: in the original's ids 2N (easy), N, or N / 2 (hard, where a single agent has
    /// none).</summary>
    public int Requests { get; init; } = 2;

    /// <summary>The number of rows and columns that an agent observes in each direction.</summary>
    public int SensorRange { get; init; } = 1;

    /// <summary>The reward of a delivery.</summary>
    public WarehouseReward Reward { get; init; }

    /// <summary>The number of steps without a delivery after which an episode is truncated; null for no limit.</summary>
    public int? IdleLimit { get; init; }

    /// <summary>The number of steps after which an episode is truncated.</summary>
    public int EpisodeLimit { get; init; } = 500;

    /// <summary>The id, which <see cref="Catalog.CreateEnvironment"/> accepts.</summary>
    public string Id
    {
        get
        {
            RwareConfig defaults = new();
            string size = CustomLayout ?? sizes.FirstOrDefault(size => (size.Rows, size.Columns) == (ShelfRows, ShelfColumns)).Name
                ?? $"{ShelfRows}x{ShelfColumns}";
            string? difficulty = Requests == Agents ? "" : Requests == 2 * Agents ? "-easy" : Requests == Agents / 2 ? "-hard" : null;
            return EnvironmentId.Compose($"rware:{size}-{Agents}ag{difficulty}",
                ("height", ColumnHeight, defaults.ColumnHeight),
                ("queue", difficulty is null ? Requests : null, null),
                ("sensor", SensorRange, defaults.SensorRange),
                ("reward", rewards.First(name => name.Reward == Reward).Name, rewards[0].Name),
                ("idle", IdleLimit, defaults.IdleLimit),
                ("steps", EpisodeLimit, defaults.EpisodeLimit));
        }
    }

    /// <summary>Parses the layout <c>SIZE-Nag[-easy|-hard]</c>, where SIZE is tiny, small, medium, large, <c>RxC</c> (blocks of shelves) or a custom
    /// layout, and the <see cref="Options"/>.</summary>
    /// <exception cref="UsageException">The id is malformed, or an option is invalid.</exception>
    internal static RwareConfig Parse(EnvironmentId id)
    {
        string[] parts = id.Layout.Split('-');
        var config = ParseSize(id, parts[0]);
        int? agents = null;
        string? difficulty = null;
        foreach (string part in parts.AsSpan(1))
        {
            bool isNew = true;
            if (part is "easy" or "hard")
            {
                (isNew, difficulty) = (difficulty is null, part);
            }
            else if (part.EndsWith("ag", StringComparison.Ordinal) && EnvironmentId.TryInteger(part[..^2], out int number))
            {
                (isNew, agents) = (agents is null, number);
            }
            else
            {
                throw id.Error($"'{part}' is not one of 2ag (agents, with any number), easy, hard; " +
                    UsageException.Suggestion(part, ["2ag", "easy", "hard"], $"example of an id: {id.Name}:tiny-2ag"));
            }

            if (!isNew)
            {
                throw id.Error($"'{part}' repeats another part");
            }
        }
        if (agents is not int count)
        {
            throw id.Error($"the number of agents (2ag) is missing; example of an id: {id.Name}:tiny-2ag");
        }

        int? queue = id.Integer("queue", min: 0);
        if (queue is not null && difficulty is not null)
        {
            throw id.Error($"'-{difficulty}' and 'queue' are alternatives; use one of them");
        }

        config = config with
        {
            ColumnHeight = config.CustomLayout is null ? id.Integer("height") ?? config.ColumnHeight : config.ColumnHeight,
            Agents = count,
            Requests = queue ?? difficulty switch { "easy" => (int)Math.Min(2L * count, int.MaxValue), "hard" => count / 2, _ => count },
            SensorRange = id.Integer("sensor") ?? config.SensorRange,
            Reward = id.Choice("reward", rewards),
            IdleLimit = id.Integer("idle"),
            EpisodeLimit = id.Integer("steps") ?? config.EpisodeLimit,
        };
        id.EnsureAllRead(hasLayout: true);
        return config;
    }

    /// <summary>Creates the floor plan, with a margin of the sensor range.</summary>
    /// <exception cref="UsageException">A value is out of range; the message names it.</exception>
    internal WarehousePlan Plan()
    {
        const int max = 100, maxRange = 16;
        if (CustomLayout is null)
        {
            Require(ShelfRows is >= 1 and <= max && ShelfColumns is >= 1 and <= max && ColumnHeight is >= 1 and <= max,
                $"there must be 1 to {max} blocks of shelves in each direction, each 1 to {max} shelves high");
            Require(ShelfColumns % 2 == 1, "the number of blocks from left to right must be odd, because the goals are in the middle");
        }
        string layout = CustomLayout ?? WarehousePlan.CreateLayout(ShelfRows, ShelfColumns, ColumnHeight);
        string? error = WarehousePlan.FindError(layout);
        Require(error is null, error!);
        Require(SensorRange is >= 1 and <= maxRange, $"the sensor range must be 1 to {maxRange}");
        var plan = new WarehousePlan(layout, SensorRange);
        int cells = plan.Rows * plan.Cols, shelves = plan.Homes.Length;
        Require(Agents >= 1 && Agents <= cells, $"there must be at least one agent and at most one per cell ({cells})");
        Require(Requests >= 0 && Requests < shelves, $"'queue' must be less than the number of shelves ({shelves})");
        Require(IdleLimit is null or >= 1 && EpisodeLimit >= 1, "steps and idle must be at least 1");
        return plan;

        void Require(bool holds, string rule)
        {
            if (!holds)
            {
                throw new UsageException($"environment '{Id}': {rule}");
            }
        }
    }

    private static RwareConfig ParseSize(EnvironmentId id, string text)
    {
        foreach (var (name, rows, columns) in sizes)
        {
            if (name == text)
            {
                return new() { ShelfRows = rows, ShelfColumns = columns };
            }
        }
        string[] blocks = text.Split('x');
        if (blocks.Length == 2 && EnvironmentId.TryInteger(blocks[0], out int down) && EnvironmentId.TryInteger(blocks[1], out int across))
        {
            return new() { ShelfRows = down, ShelfColumns = across };
        }

        if (WarehousePlan.IsLayout(text))
        {
            return new() { CustomLayout = text };
        }

        string[] names = [.. sizes.Select(size => size.Name)];
        throw id.Error($"'{text}' is neither a size ({string.Join(", ", names)} or blocks of shelves such as 1x3) nor a layout like " +
            $".xx./.gg.; {UsageException.Suggestion(text, names, $"example of an id: {id.Name}:tiny-2ag")}");
    }
}
