using System.Buffers;
using System.Text;
using System.Text.Json;
using Marl.Native.Rl;

namespace Marl.Native.Cli.Playing;

/// <summary>Writes frames as JSON: {"agents":["A",..],"things":[..],"actions":["north",..],"rewards":[..],"return":..}. An object of a grid is
/// {"role":"target","row":1,"col":2,"label":"3"}, an object of a plane {"role":"agent","x":0.1,"y":-0.5,"radius":0.05,"agent":0}.</summary>
internal static class FrameJson
{
    private const int Decimals = 4;

    /// <summary>Returns the line of a frame: {"type":"frame",..}.</summary>
    public static string Line(Performance performance, Frame frame) => Text(json =>
    {
        json.WriteStartObject();
        json.WriteString("type", "frame");
        json.WriteNumber("episode", frame.Episode);
        json.WriteNumber("step", frame.Step);
        WriteNames(json, "agents", Enumerable.Range(0, performance.Spec.Agents.Length).Select(performance.NameOf));
        json.WriteStartArray("things");
        foreach (string thing in Things(frame.Scene))
        {
            json.WriteRawValue(thing);
        }
        json.WriteEndArray();
        Write(json, frame);
        json.WriteEndObject();
    });

    /// <summary>Returns the last line: {"type":"summary",..}.</summary>
    /// <param name="performance">The episodes.</param>
    /// <param name="results">The last frame of every episode.</param>
    /// <param name="files">(kind, path) of the written files.</param>
    public static string Summary(Performance performance, IReadOnlyCollection<Frame> results, (string Kind, string Path)[] files) => Text(json =>
    {
        json.WriteStartObject();
        json.WriteString("type", "summary");
        json.WriteString("environment", performance.Spec.Id);
        json.WriteString("player", performance.Player);
        WriteNames(json, "agents", Enumerable.Range(0, performance.Spec.Agents.Length).Select(performance.NameOf));
        json.WriteNumber("seed", performance.Seed);
        json.WriteNumber("episodes", results.Count);
        WriteNumber(json, "returnMean", results.Select(result => result.Return).DefaultIfEmpty(double.NaN).Average());
        json.WriteStartArray("teamReturnMeans");
        for (int team = 0; team < performance.Spec.Teams.Length && results.Count > 0; team++)
        {
            json.WriteNumberValue(results.Average(result => result.TeamReturns[team]));
        }
        json.WriteEndArray();
        WriteNumber(json, "episodeLength", results.Select(result => (double)result.Step).DefaultIfEmpty(double.NaN).Average());
        foreach (var (kind, path) in files)
        {
            json.WriteString(kind, path);
        }
        json.WriteEndObject();
    });

    /// <summary>Writes the actions, rewards and return of a frame as members of the current object.</summary>
    public static void Write(Utf8JsonWriter json, Frame frame)
    {
        WriteNames(json, "actions", frame.Actions);
        json.WriteStartArray("rewards");
        foreach (double reward in frame.Rewards)
        {
            json.WriteNumberValue(reward);
        }
        json.WriteEndArray();
        json.WriteNumber("return", frame.Return);
    }

    /// <summary>Returns the text that <paramref name="write"/> writes.</summary>
    public static string Text(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            write(json);
        }
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    /// <summary>Returns the name of a role or direction in lower case.</summary>
    public static string NameOf<T>(T value) where T : struct, Enum => value.ToString().ToLowerInvariant();

    /// <summary>Writes a number; null for NaN and infinite values, because JSON has neither.</summary>
    private static void WriteNumber(Utf8JsonWriter json, string property, double value)
    {
        if (double.IsFinite(value))
        {
            json.WriteNumber(property, value);
            return;
        }
        json.WriteNull(property);
    }

    private static void WriteNames(Utf8JsonWriter json, string property, IEnumerable<string> names)
    {
        json.WriteStartArray(property);
        foreach (string name in names)
        {
            json.WriteStringValue(name);
        }
        json.WriteEndArray();
    }

    private static IEnumerable<string> Things(Scene? scene) => scene switch
    {
        GridScene grid => grid.Sprites.Select(sprite => Thing(sprite.Role, sprite.Agent, sprite.Label, json =>
        {
            json.WriteNumber("row", sprite.Row);
            json.WriteNumber("col", sprite.Col);
            if (sprite.Facing != Facing.None)
            {
                json.WriteString("facing", NameOf(sprite.Facing));
            }
            if (sprite.Carries)
            {
                json.WriteBoolean("carries", true);
            }
        })),
        PlaneScene plane => plane.Discs.Select(disc => Thing(disc.Role, disc.Agent, disc.Label, json =>
        {
            WriteNumber(json, "x", Math.Round(disc.X, Decimals));
            WriteNumber(json, "y", Math.Round(disc.Y, Decimals));
            WriteNumber(json, "radius", disc.Radius);
        })),
        _ => [],
    };

    private static string Thing(SceneRole role, int? agent, string? label, Action<Utf8JsonWriter> place) => Text(json =>
    {
        json.WriteStartObject();
        json.WriteString("role", NameOf(role));
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
