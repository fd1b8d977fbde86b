using Spectre.Console;
using Spectre.Console.Rendering;

namespace Marl.Native.Cli;

/// <summary>
/// A picture that is drawn over and over on the terminal's alternate screen, each time from its upper left corner: after a change of size nothing of an older
/// picture is left. When it ends, the terminal has what it had before.
/// </summary>
/// <param name="console">the terminal.</param>
internal sealed class LiveScreen(IAnsiConsole console)
{
    /// <summary>Columns of the terminal.</summary>
    public int Width => console.Profile.Width;

    /// <summary>Rows of the terminal.</summary>
    public int Height => console.Profile.Height;

    /// <summary>Does something that draws.</summary>
    public void Run(Action draws) => console.AlternateScreen(() =>
    {
        console.Cursor.Hide();
        Terminal.IsOnAlternateScreen = true;
        try
        {
            draws();
        }
        finally
        {
            Terminal.IsOnAlternateScreen = false;
            console.Cursor.Show();
        }
    });

    /// <summary>Draws a picture in place of the one before; lines that do not fit are left out.</summary>
    public void Draw(IRenderable picture) => console.Write(new Picture(picture, Height));

    /// <summary>Every cell of the screen is written, and none erased before, so that nothing flickers.</summary>
    private sealed class Picture(IRenderable content, int height) : Renderable
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
