namespace Marl.Native.Rl;

/// <summary>What can be chosen about <see cref="LevelBasedForaging"/>. The defaults are those of the original's registered ids.</summary>
internal sealed record LbfConfig
{
    /// <summary>What may stand behind the question mark of an id.</summary>
    internal const string Options = "penalty, min-player-level, max-player-level, min-food-level, max-food-level, steps";

    private const double DefaultPenalty = 0.1;

    /// <summary>Height of the field, at least 3.</summary>
    public int Rows { get; init; } = 8;

    /// <summary>Width of the field, at least 3. The original works for square fields only.</summary>
    public int Cols { get; init; } = 8;

    /// <summary>P, the number of players.</summary>
    public int Players { get; init; } = 2;

    /// <summary>F, the most foods. An episode has fewer if the spacing rule leaves no room for all.</summary>
    public int Foods { get; init; } = 2;

    /// <summary>How many rows and columns a player sees in each direction; null for the whole field.</summary>
    public int? Sight { get; init; }

    /// <summary>Every food has the greatest level, so that it takes the three weakest players together.</summary>
    public bool Coop { get; init; }

    /// <summary>What a player loses by a load that fails for lack of levels.</summary>
    public double Penalty { get; init; }

    /// <summary>Lowest level of a player.</summary>
    public int MinPlayerLevel { get; init; } = 1;

    /// <summary>Highest level of a player, included.</summary>
    public int MaxPlayerLevel { get; init; } = 2;

    /// <summary>Lowest level of a food; without effect in <see cref="Coop"/>.</summary>
    public int MinFoodLevel { get; init; } = 1;

    /// <summary>Highest level of a food; null for the sum of the three lowest player levels of the episode.</summary>
    public int? MaxFoodLevel { get; init; }

    /// <summary>Versions 1 and 2 of the original never drew the highest food level itself, except in coop.</summary>
    public bool ExclusiveFoodLevel { get; init; }

    /// <summary>Steps until an episode is truncated.</summary>
    public int EpisodeLimit { get; init; } = 50;

    /// <summary>The id that <see cref="Catalog.CreateEnvironment"/> understands.</summary>
    public string Id
    {
        get
        {
            LbfConfig usual = new();
            string name = ExclusiveFoodLevel ? "lbf-v1" : "lbf", sight = Sight is int cells ? $"-{cells}s" : "";
            string coop = Coop ? "-coop" : "", penalized = Penalty == DefaultPenalty ? "-pen" : "";
            return EnvironmentId.Compose($"{name}:{Rows}x{Cols}-{Players}p-{Foods}f{sight}{coop}{penalized}",
                ("penalty", Penalty == DefaultPenalty ? usual.Penalty : Penalty, usual.Penalty),
                ("min-player-level", MinPlayerLevel, usual.MinPlayerLevel),
                ("max-player-level", MaxPlayerLevel, usual.MaxPlayerLevel),
                ("min-food-level", MinFoodLevel, usual.MinFoodLevel),
                ("max-food-level", MaxFoodLevel, usual.MaxFoodLevel),
                ("steps", EpisodeLimit, usual.EpisodeLimit));
        }
    }

    /// <summary>Reads the layout <c>RxC-Pp-Ff[-Ss][-coop][-pen]</c>, whose parts after the size may stand in any order, and the
    /// options named in <see cref="Id"/>.</summary>
    /// <exception cref="UsageException">the id has another form or asks for what cannot be.</exception>
    internal static LbfConfig Parse(EnvironmentId id)
    {
        string[] parts = id.Layout.Split('-');
        string[] size = parts[0].Split('x');
        if (size.Length != 2 || !EnvironmentId.TryInteger(size[0], out int rows) || !EnvironmentId.TryInteger(size[1], out int cols))
        {
            throw id.Error($"'{parts[0]}' is not a size; an id is for example {id.Name}:8x8-2p-2f-coop");
        }

        int? players = null, foods = null, sight = null;
        bool coop = false, penalized = false;
        foreach (string part in parts.AsSpan(1))
        {
            bool isNew = part switch
            {
                "coop" => !coop && (coop = true),
                "pen" => !penalized && (penalized = true),
                [.., 'p'] => SetCount(ref players, part),
                [.., 'f'] => SetCount(ref foods, part),
                [.., 's'] => SetCount(ref sight, part),
                _ => throw Unknown(part),
            };
            if (!isNew)
            {
                throw id.Error($"'{part}' says again what another part said");
            }
        }
        if (players is null || foods is null)
        {
            throw id.Error($"the number of {(players is null ? "players (2p)" : "foods (2f)")} is missing");
        }

        LbfConfig config = new()
        {
            Rows = rows,
            Cols = cols,
            Players = players.Value,
            Foods = foods.Value,
            Sight = sight,
            Coop = coop,
            ExclusiveFoodLevel = id.Name == "lbf-v1",
        };
        double? penalty = id.Number("penalty");
        if (penalized && penalty is not null)
        {
            throw id.Error("'-pen' and 'penalty' say the same thing; give one");
        }

        config = config with
        {
            Penalty = penalized ? DefaultPenalty : penalty ?? config.Penalty,
            MinPlayerLevel = id.Integer("min-player-level") ?? config.MinPlayerLevel,
            MaxPlayerLevel = id.Integer("max-player-level") ?? config.MaxPlayerLevel,
            MinFoodLevel = id.Integer("min-food-level") ?? config.MinFoodLevel,
            MaxFoodLevel = id.Integer("max-food-level") ?? config.MaxFoodLevel,
            EpisodeLimit = id.Integer("steps") ?? config.EpisodeLimit,
        };
        id.EnsureAllRead(hasLayout: true);
        return config;

        UsageException Unknown(string part)
            => id.Error($"'{part}' is none of 2p (players), 2f (foods), 2s (sight), coop, pen (with any number); " +
                UsageException.Suggestion(part, ["coop", "pen", "2p", "2f", "2s"], $"an id is for example {id.Name}:8x8-2p-2f-coop"));

        bool SetCount(ref int? count, string part)
        {
            if (!EnvironmentId.TryInteger(part[..^1], out int number))
            {
                throw Unknown(part);
            }

            bool isNew = count is null;
            count = number;
            return isNew;
        }
    }

    /// <summary>Refuses what cannot be played.</summary>
    /// <exception cref="UsageException">a value is out of range; the message names it.</exception>
    internal void Validate()
    {
        const int greatestSize = 128, greatestLevel = 1000;
        Require(Rows is >= 3 and <= greatestSize && Cols is >= 3 and <= greatestSize, $"a field is 3 to {greatestSize} cells wide and high");
        // A new player avoids the others' new cells and every player's last cell of the episode before.
        Require(Players >= 1 && Rows * Cols > 2L * Players, "there must be a player, and more than two cells for each");
        Require(Foods >= 1 && Foods <= (Rows - 2) * (Cols - 2), "there must be a food, and no more than inner cells of the field");
        Require(Sight is null or >= 1, "sight must be at least 1");
        Require(double.IsFinite(Penalty) && Penalty >= 0, "the penalty must be finite and not negative");
        Require(MinPlayerLevel >= 1 && MinPlayerLevel <= MaxPlayerLevel && MaxPlayerLevel <= greatestLevel,
            $"player levels must lie in 1 to {greatestLevel}, the lowest first");
        int lowestMaximum = MaxFoodLevel ?? MinPlayerLevel * Math.Min(Players, 3);
        Require(MinFoodLevel >= 1 && (Coop || MinFoodLevel <= lowestMaximum) && lowestMaximum is >= 1 and <= 3 * greatestLevel,
            "the lowest food level must be at least 1 and at most the highest, which is the three lowest player levels unless given");
        Require(EpisodeLimit >= 1, "an episode must have a step");

        void Require(bool holds, string rule)
        {
            if (!holds)
            {
                throw new UsageException($"environment '{Id}': {rule}");
            }
        }
    }
}
