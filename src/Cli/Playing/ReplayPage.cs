using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Marl.Native.Rl;

namespace Marl.Native.Cli.Playing;

/// <summary>A recording as a self-contained HTML page: the animated scenes (<see cref="SceneSvg"/>), actions, rewards and returns, and a script that controls the
/// playback.</summary>
internal static partial class ReplayPage
{
    /// <summary>Returns the HTML.</summary>
    public static string Text(Recording recording)
    {
        // Replaced in one pass, so that inserted text is not taken for a placeholder.
        return Placeholders().Replace(Resources.Read("replay.html"), match => match.Groups[1].Value switch
        {
            "script" => Resources.Read("replay.js"),
            "replay" => Json(recording),
            "scene" => recording.FirstScene is null ? "" : SceneSvg.Draw(recording, caption: false).ToString(SaveOptions.DisableFormatting),
            var other => throw new InvalidOperationException($"unknown placeholder {other}"),
        });
    }

    /// <summary>Returns the data of the script: <c>{"environment", "player", "seed", "stepsPerSecond", "agents": [..], "episodes": [{"start", "frames": [..]}]}</c>, where
    /// start is the time of the first frame of the episode in the animation, in steps.</summary>
    public static string Json(Recording recording) => FrameJson.Text(json =>
    {
        var (performance, timeline) = (recording.Performance, recording.Frames.Count > 0 ? new Timeline(recording.Frames) : null);
        json.WriteStartObject();
        json.WriteString("environment", performance.Spec.Id);
        json.WriteString("player", performance.Player);
        json.WriteString("seed", FormattableString.Invariant($"{performance.Seed}")); // JavaScript has no 64-bit integers in JSON
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
    private static partial Regex Placeholders();
}
