using System.Globalization;
using System.Xml.Linq;

namespace Marl.Native.Cli.Playing;

/// <summary>The times of the frames of a recording, and SMIL animations of attributes that change between frames. A step takes <c>1 / StepsPerSecond</c> seconds; the
/// last frame of an episode is shown for <see cref="Hold"/> steps. All animations have the same duration and repeat together.</summary>
internal sealed class Timeline
{
    /// <summary>The duration of the last frame of an episode, in steps.</summary>
    public const int Hold = 6;

    /// <summary>The speed of an SVG file.</summary>
    public const int StepsPerSecond = 4;

    private readonly int[] times;
    private readonly int length;

    /// <summary>Computes the times of frames.</summary>
    public Timeline(IReadOnlyList<Frame> frames)
    {
        times = new int[frames.Count];
        for (int i = 1; i < times.Length; i++)
        {
            times[i] = times[i - 1] + (frames[i].Episode == frames[i - 1].Episode ? 1 : Hold);
        }
        length = times[^1] + Hold;
    }

    /// <summary>Returns the time of a frame in steps.</summary>
    public int Time(int frame) => times[frame];

    /// <summary>Animates an attribute that changes abruptly at each frame.</summary>
    /// <param name="element">The element.</param>
    /// <param name="attribute">The name of the attribute.</param>
    /// <param name="values">[frames] The values.</param>
    public void Bind(XElement element, string attribute, IReadOnlyList<string> values)
    {
        element.SetAttributeValue(attribute, values[0]);
        Add(element, "animate", Steps(values), new XAttribute("attributeName", attribute), new XAttribute("calcMode", "discrete"));
    }

    /// <summary>Animates an attribute that is interpolated linearly during each step.</summary>
    public void Glide(XElement element, string attribute, IReadOnlyList<string> values)
    {
        element.SetAttributeValue(attribute, values[0]);
        Add(element, "animate", Glides(values), new XAttribute("attributeName", attribute));
    }

    /// <summary>Translates or rotates an element.</summary>
    /// <param name="element">The element.</param>
    /// <param name="type">"translate" or "rotate".</param>
    /// <param name="values">[frames] "x y", or degrees.</param>
    /// <param name="glides">Whether it is interpolated linearly during each step; otherwise it changes at the end of the step.</param>
    public void Transform(XElement element, string type, IReadOnlyList<string> values, bool glides = true)
    {
        element.SetAttributeValue("transform", $"{type}({values[0]})");
        Add(element, "animateTransform", glides ? Glides(values) : Steps(values), new XAttribute("attributeName", "transform"), new XAttribute("type", type),
            glides ? null : new XAttribute("calcMode", "discrete"));
    }

    /// <summary>Shows an element only in some frames.</summary>
    public void Show(XElement element, IReadOnlyList<bool> visible)
    {
        if (visible.Contains(false))
        {
            Bind(element, "display", [.. visible.Select(shown => shown ? "inline" : "none")]);
        }
    }

    /// <summary>Returns the keyframes of a value that changes abruptly.</summary>
    private List<(int Time, string Value)> Steps(IReadOnlyList<string> values)
    {
        List<(int Time, string Value)> keys = [];
        for (int i = 0; i < values.Count; i++)
        {
            if (i == 0 || values[i] != values[i - 1])
            {
                keys.Add((times[i], values[i]));
            }
        }
        return keys;
    }

    /// <summary>Returns the keyframes of a linearly interpolated value, which jumps between episodes.</summary>
    private List<(int Time, string Value)> Glides(IReadOnlyList<string> values)
    {
        List<(int Time, string Value)> all = [];
        for (int i = 0; i < values.Count; i++)
        {
            if (i > 0 && times[i] - times[i - 1] > 1)
            {
                all.Add((times[i - 1], values[i - 1]));
                all.Add((times[i], values[i - 1]));
            }
            all.Add((times[i], values[i]));
        }
        all.Add((length, values[^1]));
        return [.. all.Where((key, i) => i == 0 || i == all.Count - 1 || key.Value != all[i - 1].Value || key.Value != all[i + 1].Value)];
    }

    private void Add(XElement element, string kind, List<(int Time, string Value)> keys, params XAttribute?[] attributes)
    {
        if (keys.All(key => key.Value == keys[0].Value))
        {
            return;
        }
        string Fraction(int time) => ((double)time / length).ToString("0.#######", CultureInfo.InvariantCulture);
        element.AddFirst(new XElement(SceneSvg.Namespace + kind,
            attributes,
            new XAttribute("values", string.Join(';', keys.Select(key => key.Value))),
            new XAttribute("keyTimes", string.Join(';', keys.Select(key => Fraction(key.Time)))),
            new XAttribute("dur", FormattableString.Invariant($"{(double)length / StepsPerSecond}s")),
            new XAttribute("repeatCount", "indefinite")));
    }
}
