using Spectre.Console;
using Spectre.Console.Rendering;

namespace Marl.Native.Cli;

/// <summary>
/// The alternate screen of a terminal, drawn repeatedly. Every drawing covers the whole screen, so none of the previous one is left after the terminal is
/// resized. When it ends, the terminal shows its former content.
/// </summary>
/// <param name="console">The terminal.</param>
internal sealed class LiveScreen(IAnsiConsole console)
{
    private readonly Lock drawing = new();
    private bool isShown;

    /// <summary>The number of columns of the terminal.</summary>
    public int Width => console.Profile.Width;

    /// <summary>The number of rows of the terminal.</summary>
    public int Height => console.Profile.Height;

    /// <summary>Shows the screen while an action runs.</summary>
    public void Run(Action action) => console.AlternateScreen(() =>
    {
        console.Cursor.Hide();
        isShown = true;
        try
        {
            action();
        }
        finally
        {
            lock (drawing)
            {
                isShown = false;
                console.Cursor.Show();
            }
        }
    });

    /// <summary>Replaces the content of the screen; does nothing if the screen is not shown. Lines that do not fit are cut off.</summary>
    public void Draw(IRenderable content)
    {
        lock (drawing)
        {
            if (isShown)
            {
                console.Write(new FullScreen(content, Height));
            }
        }
    }

    /// <summary>Restores the terminal before the process is terminated. Nothing is drawn after it.</summary>
    public void Restore()
    {
        lock (drawing)
        {
            if (isShown)
            {
                isShown = false;
                console.Cursor.Show();
                console.Write(new ControlCode("\e[?1049l"));
            }
        }
    }

    /// <summary>Writes every cell of the screen without erasing it first, which avoids flicker.</summary>
    private sealed class FullScreen(IRenderable content, int height) : Renderable
    {
        private const string Home = "\e[H";

        protected override IEnumerable<Segment> Render(RenderOptions options, int maxWidth)
        {
            var lines = Segment.SplitLines(content.Render(options, maxWidth));
            yield return Segment.Control(Home);
            for (int row = 0; row < height; row++)
            {
                int used = 0;
                foreach (var segment in row < lines.Count ? lines[row] : [])
                {
                    used += segment.CellCount();
                    yield return segment;
                }
                yield return Segment.Padding(Math.Max(0, maxWidth - used));
                if (row < height - 1)
                {
                    yield return Segment.LineBreak;
                }
            }
        }
    }
}
