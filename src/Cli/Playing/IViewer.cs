namespace Marl.Native.Cli.Playing;

/// <summary>Shows episodes: in a terminal, as text or as JSON.</summary>
internal interface IViewer
{
    /// <summary>Shows frames until the last one or until the user quits. A frame is played when it is enumerated.</summary>
    void Show(Performance performance, IEnumerable<Frame> frames);
}

/// <summary>Writes a line per step, followed by its scene, if any.</summary>
/// <param name="output">Receives the text.</param>
/// <param name="pace">The time between frames; null for none.</param>
internal sealed class PlainViewer(TextWriter output, Pace? pace) : IViewer
{
    /// <inheritdoc/>
    public void Show(Performance performance, IEnumerable<Frame> frames)
    {
        bool first = true;
        foreach (var frame in frames)
        {
            if (first && SceneText.Legend(frame.Scene, performance) is { Length: > 0 } legend)
            {
                output.WriteLine(string.Join("   ", legend));
            }
            first = false;
            output.WriteLine(FrameText.Line(performance, frame));
            foreach (string line in SceneText.Plain(frame.Scene))
            {
                output.WriteLine(line);
            }
            if (pace is not null && !performance.IsLast(frame) && !pace.Next())
            {
                return;
            }
        }
    }
}

/// <summary>Writes a line of JSON per frame.</summary>
internal sealed class JsonViewer(TextWriter output) : IViewer
{
    /// <inheritdoc/>
    public void Show(Performance performance, IEnumerable<Frame> frames)
    {
        foreach (var frame in frames)
        {
            output.WriteLine(FrameJson.Line(performance, frame));
        }
    }
}
