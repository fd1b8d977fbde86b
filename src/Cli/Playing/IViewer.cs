namespace Marl.Native.Cli.Playing;

/// <summary>Shows a performance to whoever watches: a person at a terminal, a log, a program.</summary>
internal interface IViewer
{
    /// <summary>Shows frame after frame, each of which is played when it is asked for, to the end or until somebody has seen enough.
    /// </summary>
    void Watch(Performance performance, IEnumerable<Frame> frames);
}

/// <summary>For logs, and for games without a picture: a line per step, and under it what there is to see.</summary>
/// <param name="output">where to.</param>
/// <param name="pace">how fast; null: as fast as it can be played.</param>
internal sealed class PlainViewer(TextWriter output, Pace? pace) : IViewer
{
    /// <inheritdoc/>
    public void Watch(Performance performance, IEnumerable<Frame> frames)
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

/// <summary>For programs: a line of JSON per frame.</summary>
internal sealed class JsonViewer(TextWriter output) : IViewer
{
    /// <inheritdoc/>
    public void Watch(Performance performance, IEnumerable<Frame> frames)
    {
        foreach (var frame in frames)
        {
            output.WriteLine(FrameJson.Line(performance, frame));
        }
    }
}
