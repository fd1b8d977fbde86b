namespace Marl.Native.Rl;

/// <summary>Whom a delivery pays in <see cref="RoboticWarehouse"/>.</summary>
internal enum WarehouseReward
{
    /// <summary>1 for the agent that delivers.</summary>
    Individual,
    /// <summary>1 for every agent.</summary>
    Global,
    /// <summary>Half for the agent that delivers, half when it then puts the shelf down.</summary>
    TwoStage,
}

/// <summary>What can be chosen about <see cref="RoboticWarehouse"/>. The defaults are those of the original's registered ids.</summary>
internal sealed record RwareConfig
{
    /// <summary>What may stand behind the question mark of an id.</summary>
    internal const string Options = "height, queue, sensor, reward (individual, global, two-stage), idle, steps";

    private static readonly (string Name, int Rows, int Columns)[] sizes =
        [("tiny", 1, 3), ("small", 2, 3), ("medium", 2, 5), ("large", 3, 5)];
    private static readonly (string Name, WarehouseReward Reward)[] rewards =
        [("individual", WarehouseReward.Individual), ("global", WarehouseReward.Global), ("two-stage", WarehouseReward.TwoStage)];

    /// <summary>Blocks of shelves from top to bottom.</summary>
    public int ShelfRows { get; init; } = 1;

    /// <summary>Blocks of shelves from left to right, each two shelves wide; an odd number.</summary>
    public int ShelfColumns { get; init; } = 3;

    /// <summary>Shelves from top to bottom of a block.</summary>
    public int ColumnHeight { get; init; } = 8;

    /// <summary>A floor of one's own instead of blocks, row by row from the top: '.' is a highway, 'x' a shelf, 'g' a goal, '/' ends a
    /// row, as in <c>.xx./.xx./.gg.</c>; null for blocks.</summary>
    public string? Drawing { get; init; }

    /// <summary>N, the number of agents.</summary>
    public int Agents { get; init; } = 2;

    /// <summary>Q, how many shelves are requested at any time: in the original's ids 2N (easy), N or N / 2 (hard, where an agent alone
    /// can earn nothing).</summary>
    public int Requests { get; init; } = 2;

    /// <summary>How many rows and columns an agent sees in each direction.</summary>
    public int SensorRange { get; init; } = 1;

    /// <summary>Whom a delivery pays.</summary>
    public WarehouseReward Reward { get; init; }

    /// <summary>Steps without a delivery until an episode is truncated; null for any number.</summary>
    public int? IdleLimit { get; init; }

    /// <summary>Steps until an episode is truncated.</summary>
    public int EpisodeLimit { get; init; } = 500;

    /// <summary>The id that <see cref="Catalog.CreateEnvironment"/> understands.</summary>
    public string Id
    {
        get
        {
            RwareConfig usual = new();
            string size = Drawing ?? sizes.FirstOrDefault(size => (size.Rows, size.Columns) == (ShelfRows, ShelfColumns)).Name
                ?? $"{ShelfRows}x{ShelfColumns}";
            string? difficulty = Requests == Agents ? "" : Requests == 2 * Agents ? "-easy" : Requests == Agents / 2 ? "-hard" : null;
            return EnvironmentId.Compose($"rware:{size}-{Agents}ag{difficulty}",
                ("height", ColumnHeight, usual.ColumnHeight),
                ("queue", difficulty is null ? Requests : null, null),
                ("sensor", SensorRange, usual.SensorRange),
                ("reward", rewards.First(name => name.Reward == Reward).Name, rewards[0].Name),
                ("idle", IdleLimit, usual.IdleLimit),
                ("steps", EpisodeLimit, usual.EpisodeLimit));
        }
    }

    /// <summary>Reads the layout <c>SIZE-Nag[-easy|-hard]</c>, where SIZE is tiny, small, medium, large, <c>RxC</c> (blocks of shelves)
    /// or a drawing, and the options named in <see cref="Id"/>.</summary>
    /// <exception cref="UsageException">the id has another form or asks for what cannot be.</exception>
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
                throw id.Error($"'{part}' is none of 2ag (agents, with any number), easy, hard; " +
                    UsageException.Suggestion(part, ["2ag", "easy", "hard"], $"an id is for example {id.Name}:tiny-2ag"));
            }

            if (!isNew)
            {
                throw id.Error($"'{part}' says again what another part said");
            }
        }
        if (agents is not int count)
        {
            throw id.Error($"the number of agents (2ag) is missing; an id is for example {id.Name}:tiny-2ag");
        }

        int? queue = id.Integer("queue", min: 0);
        if (queue is not null && difficulty is not null)
        {
            throw id.Error($"'-{difficulty}' and 'queue' say the same thing; give one");
        }

        config = config with
        {
            ColumnHeight = config.Drawing is null ? id.Integer("height") ?? config.ColumnHeight : config.ColumnHeight,
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

    /// <summary>The floor, with a margin as wide as the sensors reach.</summary>
    /// <exception cref="UsageException">a value is out of range; the message names it.</exception>
    internal WarehousePlan Plan()
    {
        const int greatest = 100, greatestRange = 16;
        if (Drawing is null)
        {
            Require(ShelfRows is >= 1 and <= greatest && ShelfColumns is >= 1 and <= greatest && ColumnHeight is >= 1 and <= greatest,
                $"there are 1 to {greatest} blocks of shelves in each direction, 1 to {greatest} shelves high");
            Require(ShelfColumns % 2 == 1, "the number of blocks from left to right must be odd, for the goals in the middle");
        }
        string drawing = Drawing ?? WarehousePlan.Draw(ShelfRows, ShelfColumns, ColumnHeight);
        string? problem = WarehousePlan.ProblemOf(drawing);
        Require(problem is null, problem!);
        Require(SensorRange is >= 1 and <= greatestRange, $"a sensor reaches 1 to {greatestRange} cells");
        var plan = new WarehousePlan(drawing, SensorRange);
        int cells = plan.Rows * plan.Cols, shelves = plan.Homes.Length;
        Require(Agents >= 1 && Agents <= cells, $"there must be an agent, and a cell for each of them ({cells})");
        Require(Requests >= 0 && Requests < shelves, $"'queue' must ask for fewer shelves than there are ({shelves})");
        Require(IdleLimit is null or >= 1 && EpisodeLimit >= 1, "an episode must have a step");
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

        if (WarehousePlan.IsDrawing(text))
        {
            return new() { Drawing = text };
        }

        string[] names = [.. sizes.Select(size => size.Name)];
        throw id.Error($"'{text}' is neither a size ({string.Join(", ", names)} or blocks of shelves like 1x3) nor a drawing like " +
            $".xx./.gg.; {UsageException.Suggestion(text, names, $"an id is for example {id.Name}:tiny-2ag")}");
    }
}
