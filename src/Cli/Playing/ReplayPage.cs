using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Marl.Native.Rl;

namespace Marl.Native.Cli.Playing;

/// <summary>A recording as one HTML page that plays it in any browser: the picture (<see cref="SceneSvg"/>), what was done and earned, and a script that moves the
/// clock, in one file that asks the network for nothing.</summary>
internal static partial class ReplayPage
{
    /// <summary>The text of the page.</summary>
    public static string Text(Recording recording)
    {
        // In one pass, so that no name can be taken for a place to fill.
        return Places().Replace(Resources.Read("replay.html"), place => place.Groups[1].Value switch
        {
            "script" => Resources.Read("replay.js"),
            "replay" => Json(recording),
            "scene" => recording.FirstScene is null ? "" : SceneSvg.Draw(recording, caption: false).ToString(SaveOptions.DisableFormatting),
            var other => throw new InvalidOperationException($"the page has no place {other}"),
        });
    }

    /// <summary>What the script reads: <c>{"environment", "player", "seed", "stepsPerSecond", "agents": [..], "episodes": [{"start", "frames": [..]}]}</c>, where
    /// start is the time of an episode's first frame in the picture, in steps.</summary>
    public static string Json(Recording recording) => FrameJson.Text(json =>
    {
        var (performance, timeline) = (recording.Performance, recording.Frames.Count > 0 ? new Timeline(recording.Frames) : null);
        json.WriteStartObject();
        json.WriteString("environment", performance.Spec.Id);
        json.WriteString("player", performance.Player);
        json.WriteString("seed", FormattableString.Invariant($"{performance.Seed}")); // scripts have no whole numbers of 64 bits
        json.WriteNumber("stepsPerSecond", Timeline.StepsPerSecond);
        json.WriteStartArray("agents");
        for (int agent = 0; agent < recording.Agents; agent++)
        {
            WriteAgent(json, performance, agent);
        }
        json.WriteEndArray();
        json.WriteStartArray("episodes");
        foreach (var episode in recording.Frames.Index().GroupBy(frame => frame.Item.Episode))
        {
            json.WriteStartObject();
            json.WriteNumber("start", timeline!.Time(episode.First().Index));
            json.WriteStartArray("frames");
            foreach (var (_, frame) in episode)
            {
                json.WriteStartObject();
                FrameJson.Write(json, frame);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    });

    private static void WriteAgent(Utf8JsonWriter json, Performance performance, int agent)
    {
        var (fill, ink) = AgentColors.Of(agent);
        json.WriteStartObject();
        json.WriteString("letter", Performance.Letter(agent));
        json.WriteString("name", performance.NameOf(agent));
        json.WriteString("fill", fill);
        json.WriteString("ink", ink);
        json.WriteEndObject();
    }

    [GeneratedRegex("{{([a-z]+)}}")]
    private static partial Regex Places();
}
