using System.Xml.Linq;
using Marl.Native.Rl;

namespace Marl.Native.Cli.Playing;

/// <summary>Draws plane scenes as SVG. The view of an episode is the square around all discs of all its frames. The k-th disc of a role is the same one in all
/// frames.</summary>
internal static class PlaneSvg
{
    private const double Canvas = 480, MinRadius = 3;

    /// <summary>Returns the animated content and its size.</summary>
    public static (IEnumerable<XElement> Content, double Width, double Height) Draw(Recording recording, Timeline timeline)
    {
        PlaneScene[] planes = [.. recording.Frames.Select(frame => (PlaneScene)frame.Scene!)];
        var views = recording.Frames.Zip(planes).GroupBy(pair => pair.First.Episode, pair => pair.Second)
            .ToDictionary(episode => episode.Key, episode => View.Of(episode));
        View[] view = [.. recording.Frames.Select(frame => views[frame.Episode])];
        Dictionary<(SceneRole Role, int Number), Disc?[]> tracks = [];
        for (int frame = 0; frame < planes.Length; frame++)
        {
            foreach (var role in planes[frame].Discs.GroupBy(disc => disc.Role))
            {
                foreach (var (number, disc) in role.Index())
                {
                    var key = (disc.Role, disc.Role.IsAgent() ? disc.Agent ?? number : number);
                    if (!tracks.TryGetValue(key, out var track))
                    {
                        tracks[key] = track = new Disc?[planes.Length];
                    }
                    track[frame] = disc;
                }
            }
        }
        // A nested svg element clips its content.
        var window = SceneSvg.Element("svg", ("width", SceneSvg.Number(Canvas)), ("height", SceneSvg.Number(Canvas)));
        window.Add(
            views.OrderBy(pair => pair.Key).Select(pair => Lines(pair.Value, timeline, [.. recording.Frames.Select(frame => frame.Episode == pair.Key)])),
            tracks.OrderBy(track => track.Key.Role).Select(track => Draw(track.Value, view, timeline)),
            SceneSvg.Element("rect", ("class", "lines"), ("x", "0.5"), ("y", "0.5"),
                ("width", SceneSvg.Number(Canvas - 1)), ("height", SceneSvg.Number(Canvas - 1))));
        return ([window], Canvas, Canvas);
    }

    /// <summary>Returns the symbol of a role, centered at the origin.</summary>
    public static XElement Circle(SceneRole role, double radius) => SceneSvg.Element("circle", ("class", FrameJson.NameOf(role)), ("r", SceneSvg.Number(radius)));

    private static XElement Draw(Disc?[] track, View[] view, Timeline timeline)
    {
        var first = (Disc)Array.Find(track, disc => disc is not null)!;
        var discs = new Disc[track.Length];
        for (int frame = 0; frame < track.Length; frame++)
        {
            discs[frame] = track[frame] ?? (frame > 0 ? discs[frame - 1] : first);
        }
        double[] radii = [.. discs.Zip(view, (disc, view) => Math.Max(MinRadius, disc.Radius * view.Scale))];
        var shape = SceneSvg.Element("g");
        timeline.Transform(shape, "translate",
            [.. discs.Zip(view, (disc, view) => $"{SceneSvg.Number(view.Across(disc.X))} {SceneSvg.Number(view.Down(disc.Y))}")]);
        var body = SceneSvg.Element("g", ("class", first.Role.IsAgent() ? "agent" : "thing"));
        body.Add(shape);
        timeline.Show(body, [.. track.Select(disc => disc is not null)]);
        if (first.Role.IsAgent())
        {
            var badge = SceneSvg.Badge(first.Agent, first.Role, radii[0]).ToArray();
            timeline.Bind(badge[0], "r", [.. radii.Select(SceneSvg.Number)]);
            shape.Add(badge);
        }
        else
        {
            var circle = Circle(first.Role, radii[0]);
            timeline.Bind(circle, "r", [.. radii.Select(SceneSvg.Number)]);
            shape.Add(circle);
            foreach (int agent in discs.Select(disc => disc.Agent).OfType<int>().Distinct())
            {
                var owner = SceneSvg.Element("g");
                owner.Add(SceneSvg.Element("circle", ("class", "owner"), ("r", SceneSvg.Number(radii[0] + 2)),
                        ("style", $"stroke:{AgentColors.Of(agent).Fill}")),
                    SceneSvg.Label(Performance.Letter(agent), 0, 0, Math.Max(10, radii[0]), 14));
                timeline.Show(owner, [.. discs.Select(disc => disc.Agent == agent)]);
                shape.Add(owner);
            }
        }
        foreach (string label in discs.Select(disc => disc.Label).OfType<string>().Distinct())
        {
            double width = 12 + 8 * label.Length;
            var bubble = SceneSvg.Element("g",
                ("transform", $"translate({SceneSvg.Number(0.6 * radii[0] + width / 2)} {SceneSvg.Number(-0.6 * radii[0] - 10)})"));
            bubble.Add(SceneSvg.Element("rect", ("class", "tag"), ("x", SceneSvg.Number(-width / 2)), ("y", "-10"),
                    ("width", SceneSvg.Number(width)), ("height", "20"), ("rx", "8")),
                SceneSvg.Label(label, 0, 0, 13, width - 8));
            timeline.Show(bubble, [.. discs.Select(disc => disc.Label == label)]);
            shape.Add(bubble);
        }
        return body;
    }

    /// <summary>Returns grid lines: one per half unit of the plane, fewer if the view is large.</summary>
    private static XElement Lines(View view, Timeline timeline, bool[] visible)
    {
        double distance = 0.5;
        while (distance * view.Scale < Canvas / 12)
        {
            distance *= 2;
        }
        var lines = SceneSvg.Element("path", ("class", "lines"), ("d", string.Concat(
            [
                .. Multiples(view.Left).Select(x => $"M{SceneSvg.Number(view.Across(x))} 0v{SceneSvg.Number(Canvas)}"),
                .. Multiples(view.Bottom).Select(y => $"M0 {SceneSvg.Number(view.Down(y))}h{SceneSvg.Number(Canvas)}"),
            ])));
        timeline.Show(lines, visible);
        return lines;

        IEnumerable<double> Multiples(double start)
        {
            for (double at = Math.Ceiling(start / distance) * distance; at < start + Canvas / view.Scale; at += distance)
            {
                yield return at;
            }
        }
    }

    /// <summary>A square of the plane.</summary>
    private sealed record View(double Left, double Bottom, double Scale)
    {
        private const double Margin = 0.03, MinSize = 1e-3;

        /// <summary>Returns the smallest view of some scenes, with a margin.</summary>
        public static View Of(IEnumerable<PlaneScene> planes)
        {
            Disc[] discs = [.. planes.SelectMany(plane => plane.Discs)];
            double left = Min(disc => disc.X - disc.Radius), right = -Min(disc => -disc.X - disc.Radius);
            double bottom = Min(disc => disc.Y - disc.Radius), top = -Min(disc => -disc.Y - disc.Radius);
            double size = Math.Max(MinSize, Math.Max(right - left, top - bottom)) * (1 + 2 * Margin);
            return new((left + right - size) / 2, (bottom + top - size) / 2, Canvas / size);

            double Min(Func<Disc, double> side) => discs.Select(side).DefaultIfEmpty(-1).Min();
        }

        public double Across(double x) => (x - Left) * Scale;

        public double Down(double y) => Canvas - (y - Bottom) * Scale;
    }
}
