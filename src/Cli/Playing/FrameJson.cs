using System.Buffers;
using System.Text;
using System.Text.Json;
using Marl.Native.Rl;

namespace Marl.Native.Cli.Playing;

/// <summary>Frames as JSON: {"things":[..],"actions":["north",..],"rewards":[..],"return":..}. A thing of a grid is
/// {"role":"wanted","row":1,"col":2,"label":"3"}, one of a plane {"role":"agent","x":0.1,"y":-0.5,"radius":0.05,"agent":0}.</summary>
internal static class FrameJson
{
    private const int Decimals = 4;

    /// <summary>A line by itself, {"type":"frame",..}.</summary>
    public static string Line(Frame frame) => Text(json =>
    {
        json.WriteStartObject();
        json.WriteString("type", "frame");
        json.WriteNumber("episode", frame.Episode);
        json.WriteNumber("step", frame.Step);
        Write(json, frame, thing => thing);
        json.WriteEndObject();
    });

    /// <summary>The last line, {"type":"summary",..}.</summary>
    /// <param name="performance">what was played.</param>
    /// <param name="results">the last frame of every episode.</param>
    /// <param name="replay">the page that was written, if any.</param>
    public static string Summary(Performance performance, IReadOnlyCollection<Frame> results, string? replay) => Text(json =>
    {
        json.WriteStartObject();
        json.WriteString("type", "summary");
        json.WriteString("environment", performance.Spec.Id);
        json.WriteString("player", performance.Player);
        json.WriteNumber("seed", performance.Seed);
        json.WriteNumber("episodes", results.Count);
        json.WriteNumber("returnMean", results.Select(result => result.Return).DefaultIfEmpty(0).Average());
        json.WriteStartArray("teamReturnMeans");
        for (int team = 0; team < performance.Spec.Teams.Length && results.Count > 0; team++)
        {
            json.WriteNumberValue(results.Average(result => result.TeamReturns[team]));
        }
        json.WriteEndArray();
        json.WriteNumber("episodeLength", results.Select(result => result.Step).DefaultIfEmpty(0).Average());
        if (replay is not null)
        {
            json.WriteString("replay", replay);
        }
        json.WriteEndObject();
    });

    /// <summary>The members of a frame's object.</summary>
    /// <param name="json">what is being written.</param>
    /// <param name="frame">what is written.</param>
    /// <param name="store">what to write for a thing, instead of its JSON.</param>
    public static void Write(Utf8JsonWriter json, Frame frame, Func<string, string> store)
    {
        json.WriteStartArray("things");
        foreach (string thing in Things(frame.Scene))
        {
            json.WriteRawValue(store(thing));
        }
        json.WriteEndArray();
        json.WriteStartArray("actions");
        foreach (string action in frame.Actions)
        {
            json.WriteStringValue(action);
        }
        json.WriteEndArray();
        json.WriteStartArray("rewards");
        foreach (double reward in frame.Rewards)
        {
            json.WriteNumberValue(reward);
        }
        json.WriteEndArray();
        json.WriteNumber("return", frame.Return);
    }

    /// <summary>What <paramref name="write"/> writes.</summary>
    public static string Text(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            write(json);
        }
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    /// <summary>The word for a role: its name in small letters.</summary>
    public static string Word<T>(T value) where T : struct, Enum => value.ToString().ToLowerInvariant();

    private static IEnumerable<string> Things(Scene? scene) => scene switch
    {
        GridScene grid => grid.Sprites.Select(sprite => Thing(sprite.Role, sprite.Agent, sprite.Label, json =>
        {
            json.WriteNumber("row", sprite.Row);
            json.WriteNumber("col", sprite.Col);
            if (sprite.Facing != Facing.None)
            {
                json.WriteString("facing", Word(sprite.Facing));
            }
            if (sprite.Carries)
            {
                json.WriteBoolean("carries", true);
            }
        })),
        PlaneScene plane => plane.Discs.Select(disc => Thing(disc.Role, disc.Agent, disc.Label, json =>
        {
            json.WriteNumber("x", Math.Round(disc.X, Decimals));
            json.WriteNumber("y", Math.Round(disc.Y, Decimals));
            json.WriteNumber("radius", disc.Radius);
        })),
        _ => [],
    };

    private static string Thing(SceneRole role, int? agent, string? label, Action<Utf8JsonWriter> place) => Text(json =>
    {
        json.WriteStartObject();
        json.WriteString("role", Word(role));
        place(json);
        if (agent is int index)
        {
            json.WriteNumber("agent", index);
        }
        if (label is not null)
        {
            json.WriteString("label", label);
        }
        json.WriteEndObject();
    });
}
