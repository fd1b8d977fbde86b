using System.IO.Compression;
using System.Text.Json;
using Marl.Native.Rl;

namespace Marl.Native.Tests;

/// <summary>How one family of recordings becomes an environment here.</summary>
/// <param name="Create">params of the header to the environment.</param>
/// <param name="Snapshot">a recorded state to what <see cref="IEnvironment.Save"/> writes in that state.</param>
/// <param name="EndsItself">does the recorded state end the episode by itself, and not by the time limit?</param>
internal sealed record TraceFamily(
    Func<JsonElement, IEnvironment> Create, Func<JsonElement, EnvironmentSpec, double[]> Snapshot, Func<JsonElement, bool> EndsItself)
{
    /// <summary>From the recorded state before a step and the step's line: a generator that draws what was drawn there. Any, where the
    /// steps of a family leave nothing to chance.</summary>
    public Func<JsonElement, JsonElement, Rng> Chance { get; init; } = (_, _) => new Rng(1);

    /// <summary>How far states and rewards may be off: 0 where numbers must be equal to the last bit.</summary>
    public double Tolerance { get; init; }

    /// <summary>How far observations may be off, in single precision.</summary>
    public double ObservationTolerance { get; init; }

    /// <summary>The families that are built, by the first word of their files.</summary>
    public static IReadOnlyDictionary<string, TraceFamily> Built { get; } = new Dictionary<string, TraceFamily>
    {
        ["lbf"] = new(CreateForaging, ForagingSnapshot, state => state.GetProperty("foods").GetArrayLength() == 0),
        ["rware"] = new(CreateWarehouse, WarehouseSnapshot, _ => false) { Chance = WarehouseChance },
        ["matrix"] = new(CreateMatrixGame, (state, _) => [state.GetProperty("t").GetInt32()], _ => false),
        ["mpe2"] = ParticleWorlds,
        ["mpe0"] = ParticleWorlds,
    };

    // Logarithms and exponentials differ between libraries in the last bit.
    private static TraceFamily ParticleWorlds => new(CreateParticleWorld, ParticleSnapshot, _ => false)
    {
        Tolerance = 1e-12,
        ObservationTolerance = 1e-6,
    };

    private static IEnvironment CreateParticleWorld(JsonElement parameters)
    {
        JsonElement[] agents = [.. parameters.GetProperty("agents").EnumerateArray()];
        int adversaries = agents.Count(agent => agent.GetProperty("adversary").GetBoolean()), good = agents.Length - adversaries;
        double[] landmarks = [.. from landmark in parameters.GetProperty("landmarks").EnumerateArray()
                                 select landmark.GetProperty("size").GetDouble()];
        string world = parameters.GetProperty("scenario").GetString()!["simple_".Length..].Replace('_', '-');
        List<string> options = [$"steps={parameters.GetProperty("max_cycles").GetInt32()}", .. world switch
        {
            "spread" => [$"agents={agents.Length}", $"landmarks={landmarks.Length}"],
            "adversary" => [$"good={good}"],
            "tag" => [$"good={good}", $"adversaries={adversaries}", $"obstacles={landmarks.Length}"],
            "world-comm" =>
            [
                $"good={good}", $"adversaries={adversaries}", $"obstacles={landmarks.Count(size => size == 0.2)}",
                $"food={landmarks.Count(size => size == 0.03)}", $"forests={landmarks.Count(size => size == 0.3)}",
            ],
            _ => (string[])[],
        }];
        if (parameters.GetProperty("local_ratio") is { ValueKind: JsonValueKind.Number } ratio)
        {
            options.Add($"ratio={ratio.GetRawText()}");
        }

        if (parameters.GetProperty("variant").GetString() == "mpe0")
        {
            return Catalog.CreateEnvironment($"mpe-v0:{world}?{string.Join('&', options)}");
        }

        if (parameters.GetProperty("integration").GetString() == "velocity_then_position")
        {
            options.Add("order=original");
        }

        return Catalog.CreateEnvironment($"mpe:{world}?{string.Join('&', options)}");
    }

    private static double[] ParticleSnapshot(JsonElement state, EnvironmentSpec spec)
    {
        return [state.GetProperty("t").GetInt32(), .. Read("goals"), .. Read("pos"), .. Read("lm"), .. Read("vel"), .. Read("c")];

        IEnumerable<double> Read(string name) => state.TryGetProperty(name, out var numbers) ? Trace.Numbers(numbers) : [];
    }

    private static LevelBasedForaging CreateForaging(JsonElement parameters)
    {
        int Value(string name) => parameters.GetProperty(name).GetInt32();
        var maxFoodLevel = parameters.GetProperty("max_food_level");
        return new(new LbfConfig
        {
            Rows = Value("rows"),
            Cols = Value("cols"),
            Players = Value("players"),
            Foods = Value("foods"),
            ObservationRange = Value("sight"),
            Coop = parameters.GetProperty("force_coop").GetBoolean(),
            Penalty = parameters.GetProperty("penalty").GetDouble(),
            MinPlayerLevel = Value("min_player_level"),
            MaxPlayerLevel = Value("max_player_level"),
            MinFoodLevel = Value("min_food_level"),
            MaxFoodLevel = maxFoodLevel.ValueKind == JsonValueKind.Null ? null : maxFoodLevel.GetInt32(),
            EpisodeLimit = Value("max_episode_steps"),
        });
    }

    private static double[] ForagingSnapshot(JsonElement state, EnvironmentSpec spec)
    {
        double[] snapshot = new double[spec.SnapshotSize];
        double[] numbers =
        [
            state.GetProperty("t").GetInt32(),
            state.GetProperty("food_spawned").GetInt32(),
            .. Trace.Numbers(state.GetProperty("players")),
            .. Trace.Numbers(state.GetProperty("foods")),
        ];
        numbers.CopyTo(snapshot, 0);
        return snapshot;
    }

    private static RoboticWarehouse CreateWarehouse(JsonElement parameters)
    {
        int Value(string name) => parameters.GetProperty(name).GetInt32();
        string floor = WarehouseFloor(parameters);
        var config = new RwareConfig
        {
            Agents = Value("n_agents"),
            Requests = Value("request_queue_size"),
            EpisodeLimit = Value("max_steps"),
            SensorRange = parameters.TryGetProperty("sensor_range", out var range) ? range.GetInt32() : 1, // mostly unsaid
        };
        if (parameters.GetProperty("shelf_rows").ValueKind == JsonValueKind.Null)
        {
            return new(config with { CustomLayout = floor });
        }

        config = config with
        {
            ShelfRows = Value("shelf_rows"),
            ShelfColumns = Value("shelf_columns"),
            ColumnHeight = Value("column_height"),
        };
        Assert.Equal(floor, WarehousePlan.CreateLayout(config.ShelfRows, config.ShelfColumns, config.ColumnHeight));
        return new(config);
    }

    /// <summary>Highways and goals of the recording, drawn.</summary>
    private static string WarehouseFloor(JsonElement parameters)
    {
        List<char[]> rows = [.. parameters.GetProperty("highways").EnumerateArray().Select(row =>
            row.GetString()!.Replace('1', '.').Replace('0', 'x').ToCharArray())];
        foreach (var goal in parameters.GetProperty("goals").EnumerateArray())
        {
            rows[goal[1].GetInt32()][goal[0].GetInt32()] = 'g';
        }

        return string.Join('/', rows.Select(row => new string(row)));
    }

    /// <summary>There is no limit to idle steps and no second half of a reward, so the numbers about them are 0.</summary>
    private static double[] WarehouseSnapshot(JsonElement state, EnvironmentSpec spec)
    {
        double[] snapshot = new double[spec.SnapshotSize];
        double[] numbers =
        [
            state.GetProperty("t").GetInt32(),
            .. Trace.Numbers(state.GetProperty("agents")),
            .. Trace.Numbers(state.GetProperty("shelves")),
            .. Trace.Numbers(state.GetProperty("queue")),
        ];
        numbers.CopyTo(snapshot, 0);
        return snapshot;
    }

    /// <summary>A delivery draws one of the shelves that are not requested, by its place among them. The first key whose stream begins with
    /// the recorded draws.</summary>
    private static Rng WarehouseChance(JsonElement before, JsonElement step)
    {
        if (!step.TryGetProperty("draws", out var draws))
        {
            return new Rng(1);
        }

        List<int> queue = [.. Trace.Numbers(before.GetProperty("queue")).Select(shelf => (int)shelf)], places = [];
        int unrequested = before.GetProperty("shelves").GetArrayLength() - queue.Count;
        foreach (var draw in draws.EnumerateArray()) // goal, slot of the queue, shelf delivered, shelf requested instead
        {
            int next = draw[3].GetInt32();
            places.Add(next - 1 - queue.Count(shelf => shelf < next));
            queue[draw[1].GetInt32()] = next;
        }
        for (ulong key = 0; ; key++)
        {
            var (rng, start) = (new Rng(key), new Rng(key));
            if (places.All(place => rng.NextInt(unrequested) == place))
            {
                return start;
            }
        }
    }

    private static MatrixGame CreateMatrixGame(JsonElement parameters)
    {
        var payoffs = parameters.GetProperty("payoff");
        List<int> actions = [];
        for (var part = payoffs[0]; part.ValueKind == JsonValueKind.Array; part = part[0])
        {
            actions.Add(part.GetArrayLength());
        }

        double[][] tensors = [.. payoffs.EnumerateArray().Select(tensor => Trace.Numbers(tensor).ToArray())];
        return new("recorded", [.. actions], tensors, parameters.GetProperty("ep_length").GetInt32());
    }
}

/// <summary>One recording.</summary>
internal static class Trace
{
    /// <summary>Its lines, the header first.</summary>
    public static IEnumerable<JsonElement> Lines(string name)
    {
        string path = Path.Combine(ReferenceData.Folder("envs"), name + ".jsonl.gz");
        using var reader = new StreamReader(new GZipStream(File.OpenRead(path), CompressionMode.Decompress));
        while (reader.ReadLine() is { } line)
        {
            using JsonDocument document = JsonDocument.Parse(line);
            yield return document.RootElement.Clone();
        }
    }

    /// <summary>The numbers of nested arrays in their order.</summary>
    public static IEnumerable<double> Numbers(JsonElement nested)
        => nested.ValueKind == JsonValueKind.Array ? nested.EnumerateArray().SelectMany(Numbers) : [nested.GetDouble()];
}
