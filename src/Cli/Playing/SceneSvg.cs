using System.Globalization;
using System.Xml;
using System.Xml.Linq;
using Marl.Native.Rl;

namespace Marl.Native.Cli.Playing;

/// <summary>Draws the scenes of a recording as one self-contained animated SVG. As a file it has a caption and plays in a loop; a replay page embeds it without
/// caption and controls its time.</summary>
internal static class SceneSvg
{
    /// <summary>The XML namespace of SVG.</summary>
    public static readonly XNamespace Namespace = "http://www.w3.org/2000/svg";

    private const double Margin = 16, LegendLine = 22, CaptionHeight = 26, ProgressHeight = 10, MinWidth = 384, Letter = 7, IconWidth = 24;

    private static readonly SceneRole[] legendOrder =
        [SceneRole.Agent, SceneRole.Opponent, SceneRole.Target, SceneRole.Item, SceneRole.Goal, SceneRole.Floor, SceneRole.Shelter];

    /// <summary>Returns the content of an SVG file.</summary>
    public static string Text(Recording recording) => Draw(recording, caption: true).ToString(SaveOptions.DisableFormatting) + "\n";

    /// <summary>Draws the scenes.</summary>
    /// <param name="recording">A recording with at least one scene.</param>
    /// <param name="caption">Whether the environment, the step, the return and a progress bar are above the scene.</param>
    public static XElement Draw(Recording recording, bool caption)
    {
        var timeline = new Timeline(recording.Frames);
        var (scene, width, height) = recording.FirstScene switch
        {
            GridScene grid => GridSvg.Draw(recording, timeline, grid.Rows, grid.Cols),
            PlaneScene => PlaneSvg.Draw(recording, timeline),
            _ => throw new InvalidOperationException("the recording has no scene"),
        };
        double whole = Math.Max(width, MinWidth);
        var legend = Legend(recording, whole, out double legendHeight);
        double top = caption ? CaptionHeight + ProgressHeight : 0;
        double full = Margin + top + height + legendHeight + Margin;
        string title = $"{recording.Performance.Player} in {recording.Performance.Spec.Id}";
        XElement picture = new(Namespace + "svg",
            new XAttribute("class", "scene"),
            new XAttribute("viewBox", $"0 0 {Number(whole + 2 * Margin)} {Number(full)}"),
            new XAttribute("role", "img"),
            Element("title", Printable(title)),
            Element("style", Resources.Read("scene.css")),
            Element("rect", ("class", "back"), ("width", Number(whole + 2 * Margin)), ("height", Number(full)), ("rx", "8")),
            caption ? Caption(recording, timeline, whole) : null,
            Group(Margin + (whole - width) / 2, Margin + top, scene),
            Group(Margin, Margin + top + height, legend));
        if (caption)
        {
            picture.Add(new XAttribute("width", Number(whole + 2 * Margin)), new XAttribute("height", Number(full)));
        }
        return picture;
    }

    /// <summary>Returns an SVG element.</summary>
    public static XElement Element(string name, params (string Name, string Value)[] attributes)
        => new(Namespace + name, attributes.Select(attribute => new XAttribute(attribute.Name, attribute.Value)));

    /// <summary>Returns text centered at a point, smaller than <paramref name="size"/> if it would be wider than <paramref name="width"/>.</summary>
    public static XElement Label(string text, double x, double y, double size, double width, string? fill = null)
    {
        const double aspect = 0.62; // width / height of a letter
        double fitting = Math.Min(size, width / (aspect * Math.Max(1, text.Length)));
        return new(Namespace + "text", new XAttribute("x", Number(x)), new XAttribute("y", Number(y + 0.35 * fitting)),
            new XAttribute("font-size", Number(fitting)), new XAttribute("text-anchor", "middle"),
            fill is null ? null : new XAttribute("style", $"fill:{fill}"), Printable(text));
    }

    /// <summary>Returns a disc with the letter of an agent; opponents have a border.</summary>
    public static IEnumerable<XElement> Badge(int? agent, SceneRole role, double radius)
    {
        var (fill, ink) = agent is int number ? AgentColors.Of(number) : ("var(--item)", "var(--back)");
        yield return Element("circle", ("class", role == SceneRole.Opponent ? "disc opponent" : "disc"), ("r", Number(radius)), ("style", $"fill:{fill}"));
        if (agent is int named)
        {
            yield return Label(Performance.Letter(named), 0, 0, Math.Max(10, 1.1 * radius), Math.Max(14, 1.5 * radius), ink);
        }
    }

    /// <summary>Formats a coordinate with two decimals.</summary>
    public static string Number(double value) => value.ToString("0.##", CultureInfo.InvariantCulture);

    /// <summary>Replaces control characters and characters that XML does not allow by U+FFFD.</summary>
    public static string Printable(string text) => string.Concat(text.Select((letter, i) =>
        char.IsControl(letter) || !(XmlConvert.IsXmlChar(letter) || IsPair(text, i)) ? '\ufffd' : letter));

    private static bool IsPair(string text, int i)
        => char.IsHighSurrogate(text[i]) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1])
        || char.IsLowSurrogate(text[i]) && i > 0 && char.IsHighSurrogate(text[i - 1]);

    private static XElement Group(double x, double y, IEnumerable<XElement> content)
        => new(Namespace + "g", new XAttribute("transform", $"translate({Number(x)} {Number(y)})"), content);

    private static XElement Caption(Recording recording, Timeline timeline, double width)
    {
        var frames = recording.Frames;
        const double stepWidth = 72, returnWidth = 110, size = 14;
        int letters = (int)((width - stepWidth - returnWidth) / (1.15 * Letter));
        string id = Printable(recording.Performance.Spec.Id);
        var name = Element("text", ("class", "name"), ("y", Number(size)), ("font-size", Number(size)));
        name.Add(id.Length <= letters ? id : id[..(letters - 1)] + "…");
        var bar = Element("rect", ("class", "progress"), ("y", Number(CaptionHeight - 2)), ("height", "3"), ("rx", "1.5"));
        int[] lengths = [.. frames.GroupBy(frame => frame.Episode).OrderBy(episode => episode.Key).Select(episode => Math.Max(1, episode.Count() - 1))];
        timeline.Glide(bar, "width", [.. frames.Select(frame => Number(width * frame.Step / lengths[frame.Episode - frames[0].Episode]))]);
        return Group(Margin, Margin,
        [
            name,
            Counter(timeline, width - returnWidth, stepWidth, size, [.. frames.Select(frame => $"step {frame.Step}")]),
            Counter(timeline, width, returnWidth, size, [.. frames.Select(frame => $"return {FrameText.Amount(frame.Return)}")]),
            Element("rect", ("class", "track"), ("y", Number(CaptionHeight - 2)), ("width", Number(width)), ("height", "3"), ("rx", "1.5")),
            bar,
        ]);
    }

    /// <summary>Returns text that changes: a column of all its values, of which a window shows one line.</summary>
    private static XElement Counter(Timeline timeline, double right, double width, double size, string[] texts)
    {
        string[] lines = [.. texts.Distinct()];
        double height = Math.Ceiling(1.4 * size);
        var column = Element("text", ("font-size", Number(size)), ("text-anchor", "end"));
        column.Add(lines.Select((line, i) =>
        {
            var text = Element("tspan", ("x", Number(width)), ("y", Number(i * height + size)));
            text.Add(line);
            return text;
        }));
        timeline.Transform(column, "translate", [.. texts.Select(text => $"0 {Number(-height * Array.IndexOf(lines, text) + 0)}")], glides: false);
        var window = Element("svg", ("class", "count"), ("x", Number(right - width)), ("width", Number(width)), ("height", Number(height)));
        window.Add(column);
        return window;
    }

    /// <summary>Returns the legend: rows of symbols with their names.</summary>
    private static IEnumerable<XElement> Legend(Recording recording, double width, out double height)
    {
        List<XElement> entries = [];
        double x = 0, y = 0.5 * LegendLine + 6;
        foreach (var (symbol, text) in Entries(recording))
        {
            string name = Printable(text);
            double breadth = IconWidth + Letter * name.Length;
            if (x > 0 && x + breadth > width)
            {
                (x, y) = (0, y + LegendLine);
            }
            var words = Element("text", ("class", "plain"), ("x", Number(IconWidth)), ("y", "4"), ("font-size", "13"));
            words.Add(name);
            entries.Add(Group(x, y, [Group(8, 0, symbol), words]));
            x += breadth + 18;
        }
        height = entries.Count == 0 ? 0 : y + 0.5 * LegendLine;
        return entries;
    }

    private static IEnumerable<(IEnumerable<XElement> Symbol, string Text)> Entries(Recording recording)
    {
        const double radius = 8;
        var performance = recording.Performance;
        var (isGrid, roles) = (recording.FirstScene is GridScene, Roles(recording));
        bool named = performance.Spec.Agents.Any(agent => agent.Name is not null);
        for (int agent = 0; named && agent < recording.Agents; agent++)
        {
            yield return (Badge(agent, SceneRoles.OfTeam(performance.Spec.Agents[agent].Team), radius), performance.NameOf(agent));
        }
        foreach (var role in legendOrder.Where(roles.Contains))
        {
            if (role.IsAgent())
            {
                int first = Array.FindIndex(performance.Spec.Agents, agent => SceneRoles.OfTeam(agent.Team) == role);
                yield return (Badge(first < 0 ? null : first, role, radius), performance.RoleName(role));
                continue;
            }
            yield return ([isGrid ? GridSvg.Square(role, 2 * radius) : PlaneSvg.Circle(role, radius)], performance.RoleName(role));
        }
        if (recording.Frames.Any(frame => frame.Scene is GridScene grid && grid.Sprites.Any(sprite => sprite.Carries)))
        {
            yield return ([GridSvg.Load(SceneRole.Item, 2 * radius)], "carried");
        }
    }

    private static HashSet<SceneRole> Roles(Recording recording) =>
    [
        .. recording.Frames.SelectMany(frame => frame.Scene switch
        {
            GridScene grid => grid.Sprites.Select(sprite => sprite.Role),
            PlaneScene plane => plane.Discs.Select(disc => disc.Role),
            _ => [],
        }),
    ];

    private static XElement Element(string name, string text) => new(Namespace + name, text);
}
