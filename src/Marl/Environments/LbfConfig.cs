namespace Marl.Native.Rl;

/// <summary>The configuration of <see cref="LevelBasedForaging"/>. The defaults are those of the original's registered ids.</summary>
internal sealed record LbfConfig
{
    /// <summary>The options of an id.</summary>
    internal const string Options = "penalty, min-player-level, max-player-level, min-food-level, max-food-level, steps";

    private const double DefaultPenalty = 0.1;

    /// <summary>The height of the field, at least 3.</summary>
    public int Rows { get; init; } = 8;

    /// <summary>The width of the field, at least 3. The original supports square fields only.</summary>
    public int Cols { get; init; } = 8;

    /// <summary>P, the number of players.</summary>
    public int Players { get; init; } = 2;

    /// <summary>F, the maximum number of foods. An episode has fewer if the spacing rule leaves no room for all.</summary>
    public int Foods { get; init; } = 2;

    /// <summary>The number of rows and columns that a player observes in each direction; null for the whole field.</summary>
    public int? ObservationRange { get; init; }

    /// <summary>Whether every food has the maximum level, so that at least the three players with the lowest levels have to load it together.</summary>
    public bool Coop { get; init; }

    /// <summary>The penalty of a player for a load that fails because the levels are too low.</summary>
    public double Penalty { get; init; }

    /// <summary>The minimum level of a player.</summary>
    public int MinPlayerLevel { get; init; } = 1;

    /// <summary>The maximum level of a player, inclusive.</summary>
    public int MaxPlayerLevel { get; init; } = 2;

    /// <summary>The minimum level of a food; ignored with <see cref="Coop"/>.</summary>
    public int MinFoodLevel { get; init; } = 1;

    /// <summary>The maximum level of a food; null for the sum of the three lowest player levels of the episode.</summary>
    public int? MaxFoodLevel { get; init; }

    /// <summary>Whether the maximum food level is exclusive, except with <see cref="Coop"/>, as in versions 1 and 2 of the original.</summary>
    public bool ExclusiveFoodLevel { get; init; }

    /// <summary>The number of steps after which an episode is truncated.</summary>
    public int EpisodeLimit { get; init; } = 50;

    /// <summary>The id, which <see cref="Catalog.CreateEnvironment"/> accepts.</summary>
    public string Id
    {
        get
        {
            LbfConfig defaults = new();
            string name = ExclusiveFoodLevel ? "lbf-v1" : "lbf", range = ObservationRange is int cells ? $"-{cells}s" : "";
            string coop = Coop ? "-coop" : "", penalized = Penalty == DefaultPenalty ? "-pen" : "";
            return EnvironmentId.Compose($"{name}:{Rows}x{Cols}-{Players}p-{Foods}f{range}{coop}{penalized}",
                ("penalty", Penalty == DefaultPenalty ? defaults.Penalty : Penalty, defaults.Penalty),
                ("min-player-level", MinPlayerLevel, defaults.MinPlayerLevel),
                ("max-player-level", MaxPlayerLevel, defaults.MaxPlayerLevel),
                ("min-food-level", MinFoodLevel, defaults.MinFoodLevel),
                ("max-food-level", MaxFoodLevel, defaults.MaxFoodLevel),
                ("steps", EpisodeLimit, defaults.EpisodeLimit));
        }
    }

    /// <summary>Parses the layout <c>RxC-Pp-Ff[-Ss][-coop][-pen]</c>, whose parts after the size may be in any order, and the
    /// <see cref="Options"/>.</summary>
    /// <exception cref="UsageException">The id is malformed, or an option is invalid.</exception>
    internal static LbfConfig Parse(EnvironmentId id)
    {
        string[] parts = id.Layout.Split('-');
        string[] size = parts[0].Split('x');
        if (size.Length != 2 || !EnvironmentId.TryInteger(size[0], out int rows) || !EnvironmentId.TryInteger(size[1], out int cols))
        {
            throw id.Error($"'{parts[0]}' is not a size; example of an id: {id.Name}:8x8-2p-2f-coop");
        }

        int? players = null, foods = null, observationRange = null;
        bool coop = false, penalized = false;
        foreach (string part in parts.AsSpan(1))
        {
            bool isNew = part switch
            {
                "coop" => !coop && (coop = true),
                "pen" => !penalized && (penalized = true),
                [.., 'p'] => SetCount(ref players, part),
                [.., 'f'] => SetCount(ref foods, part),
                [.., 's'] => SetCount(ref observationRange, part),
                _ => throw Unknown(part),
            };
            if (!isNew)
            {
                throw id.Error($"'{part}' repeats another part");
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
            ObservationRange = observationRange,
            Coop = coop,
            ExclusiveFoodLevel = id.Name == "lbf-v1",
        };
        double? penalty = id.Number("penalty");
        if (penalized && penalty is not null)
        {
            throw id.Error("'-pen' and 'penalty' are alternatives; use one of them");
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
            => id.Error($"'{part}' is not one of 2p (players), 2f (foods), 2s (observation range), coop, pen, with any number; " +
                UsageException.Suggestion(part, ["coop", "pen", "2p", "2f", "2s"], $"example of an id: {id.Name}:8x8-2p-2f-coop"));

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

    /// <summary>Checks the ranges of all values.</summary>
    /// <exception cref="UsageException">A value is out of range; the message names it.</exception>
    internal void Validate()
    {
        const int maxSize = 128, maxLevel = 1000;
        Require(Rows is >= 3 and <= maxSize && Cols is >= 3 and <= maxSize, $"the field must be 3 to {maxSize} cells wide and high");
        // A player is placed in a cell that is neither another player's cell nor a player's last cell of the previous episode.
        Require(Players >= 1 && Rows * Cols > 2L * Players, "there must be at least one player and more than two cells per player");
        Require(Foods >= 1 && Foods <= (Rows - 2) * (Cols - 2), "there must be at least one food and at most as many as inner cells of the field");
        Require(ObservationRange is null or >= 1, "the observation range must be at least 1");
        Require(double.IsFinite(Penalty) && Penalty >= 0, "the penalty must be finite and not negative");
        Require(MinPlayerLevel >= 1 && MinPlayerLevel <= MaxPlayerLevel && MaxPlayerLevel <= maxLevel,
            $"player levels must be in 1 .. {maxLevel}, and the minimum at most the maximum");
        int minMaxFoodLevel = MaxFoodLevel ?? MinPlayerLevel * Math.Min(Players, 3);
        Require(MinFoodLevel >= 1 && (Coop || MinFoodLevel <= minMaxFoodLevel) && minMaxFoodLevel is >= 1 and <= 3 * maxLevel,
            "the minimum food level must be at least 1 and at most the maximum, by default the sum of the three lowest player levels");
        Require(EpisodeLimit >= 1, "steps must be at least 1");

        void Require(bool holds, string rule)
        {
            if (!holds)
            {
                throw new UsageException($"environment '{Id}': {rule}");
            }
        }
    }
}
