using System.Text.Json;
using Marl.Native.Nn;
using Marl.Native.Rl;

namespace Marl.Native.Cli.Playing;

/// <summary>A performance as one HTML page that plays it in any browser: the page, its script and the frames in one file that asks
/// the network for nothing.</summary>
internal sealed class Replay(Performance performance)
{
    private readonly List<Frame> frames = [];

    /// <summary>Keeps the next frame.</summary>
    public void Add(Frame frame) => frames.Add(frame);

    /// <summary>Writes the page.</summary>
    /// <exception cref="IOException">it cannot be written.</exception>
    public void Write(string path) => AtomicFile.Write(path, stream =>
    {
        using var writer = new StreamWriter(stream, leaveOpen: true);
        writer.Write(Resource("replay.html").Replace("{{script}}", Resource("replay.js")).Replace("{{replay}}", ToJson()));
    });

    /// <summary>What the script plays. Most things of a grid never move, so each is written once, and frames name it by its number.
    /// </summary>
    public string ToJson() => FrameJson.Text(json =>
    {
        List<string> things = [];
        Dictionary<string, int> numbers = [];
        json.WriteStartObject();
        json.WriteString("environment", performance.Spec.Id);
        json.WriteString("player", performance.Player);
        json.WriteString("seed", FormattableString.Invariant($"{performance.Seed}")); // scripts have no whole numbers of 64 bits
        WriteSize(json);
        WriteAgents(json);
        json.WriteStartArray("episodes");
        foreach (var episode in frames.GroupBy(frame => frame.Episode))
        {
            json.WriteStartArray();
            foreach (var frame in episode)
            {
                json.WriteStartObject();
                FrameJson.Write(json, frame, Number);
                json.WriteEndObject();
            }
            json.WriteEndArray();
        }
        json.WriteEndArray();
        json.WriteStartArray("things");
        foreach (string thing in things)
        {
            json.WriteRawValue(thing);
        }
        json.WriteEndArray();
        json.WriteEndObject();

        string Number(string thing)
        {
            if (!numbers.TryGetValue(thing, out int number))
            {
                numbers[thing] = number = things.Count;
                things.Add(thing);
            }
            return FormattableString.Invariant($"{number}");
        }
    });

    /// <summary>The rows and columns of a grid, or how far a plane reaches at most.</summary>
    private void WriteSize(Utf8JsonWriter json)
    {
        if (frames.FirstOrDefault()?.Scene is GridScene grid)
        {
            json.WriteNumber("rows", grid.Rows);
            json.WriteNumber("cols", grid.Cols);
        }
        double[] extents = [.. frames.Select(frame => frame.Scene).OfType<PlaneScene>().Select(plane => plane.Reach)];
        if (extents.Length > 0)
        {
            json.WriteNumber("extent", extents.Max());
        }
    }

    private void WriteAgents(Utf8JsonWriter json)
    {
        json.WriteStartArray("agents");
        for (int agent = 0; agent < performance.Spec.Agents.Length; agent++)
        {
            json.WriteStartObject();
            json.WriteString("name", Performance.Name(agent));
            json.WriteString("role", FrameJson.Word(SceneRoles.OfTeam(performance.Spec.Agents[agent].Team)));
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static string Resource(string name)
    {
        using var stream = typeof(Replay).Assembly.GetManifestResourceStream(name)!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
