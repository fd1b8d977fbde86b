using System.Globalization;
using System.Text;
using Spectre.Console;

namespace Marl.Native.Tests.Cli;

/// <summary>
/// As much of a terminal as the command needs: text, new lines, moves of the cursor, erasing, and an alternate screen. What it shows is what a person would see.
/// </summary>
internal sealed class Screen : TextWriter, IAnsiConsoleOutput
{
    private readonly StringBuilder pending = new();
    private readonly List<string> scrolled = [];
    private char[][] cells, hidden = [];
    private (int Row, int Column) cursor, saved;
    private bool isAlternate;

    public Screen(int width, int height)
    {
        cells = Blank(width, height);
        (Width, Height) = (width, height);
        Console = AnsiConsole.Create(new()
        {
            Ansi = AnsiSupport.Yes,
            ColorSystem = ColorSystemSupport.TrueColor,
            Interactive = InteractionSupport.Yes,
            Out = this,
        });
    }

    public IAnsiConsole Console { get; }

    public int Width { get; private set; }

    public int Height { get; private set; }

    public TextWriter Writer => this;

    public bool IsTerminal => true;

    public override Encoding Encoding => Encoding.UTF8;

    /// <summary>Whether the alternate screen is shown.</summary>
    public bool IsAlternate => isAlternate;

    /// <summary>What is shown, row by row, without colors and what is empty at the ends of rows.</summary>
    public string[] Rows => [.. cells.Select(row => new string(row).TrimEnd())];

    /// <summary>The same without the empty rows at the end, and with what was scrolled out of the main screen.</summary>
    public string[] Lines => string.Join('\n', (isAlternate ? [] : scrolled).Concat(Rows)).TrimEnd().Split('\n');

    /// <summary>How often the cursor went home.</summary>
    public int Drawn { get; private set; }

    /// <summary>Changes the size, and cuts what does not fit, as terminals do with an alternate screen.</summary>
    public void Resize(int width, int height)
    {
        var old = cells;
        cells = Blank(width, height);
        for (int row = 0; row < Math.Min(height, old.Length); row++)
        {
            old[row].AsSpan(0, Math.Min(width, old[row].Length)).CopyTo(cells[row]);
        }
        (Width, Height) = (width, height);
        cursor = (Math.Min(cursor.Row, height - 1), Math.Min(cursor.Column, width - 1));
    }

    public void SetEncoding(Encoding encoding)
    {
    }

    public override void Write(char value)
    {
        if (pending.Length > 0 || value == '\e')
        {
            pending.Append(value);
            Obey();
            return;
        }
        switch (value)
        {
            case '\r':
                cursor.Column = 0;
                break;
            case '\n':
                BreakLine();
                break;
            default:
                if (cursor.Column == Width)
                {
                    BreakLine();
                }
                cells[cursor.Row][cursor.Column++] = value;
                break;
        }
    }

    private void BreakLine()
    {
        cursor = (cursor.Row + 1, 0);
        if (cursor.Row < Height)
        {
            return;
        }
        if (!isAlternate)
        {
            scrolled.Add(new string(cells[0]).TrimEnd());
        }
        cells = [.. cells[1..], .. Blank(Width, 1)];
        cursor.Row--;
    }

    /// <summary>Does what a sequence says, when it is complete.</summary>
    private void Obey()
    {
        string sequence = pending.ToString();
        if (sequence.Length < 2 || sequence[1] == '[' && (sequence.Length < 3 || !char.IsAsciiLetter(sequence[^1])))
        {
            return;
        }
        pending.Clear();
        if (sequence[1] != '[')
        {
            return; // the mode of the keypad
        }
        string argument = sequence[2..^1];
        int number = int.TryParse(argument, CultureInfo.InvariantCulture, out int given) ? given : 1;
        switch (sequence[^1])
        {
            case 'A':
                cursor.Row = Math.Max(0, cursor.Row - number);
                break;
            case 'H':
                int[] place = argument == "" ? [1, 1] : [.. argument.Split(';').Select(text => int.Parse(text, CultureInfo.InvariantCulture))];
                cursor = (place[0] - 1, place[1] - 1);
                Drawn += cursor == (0, 0) ? 1 : 0;
                break;
            case 'J':
                Assert.Equal("2", argument);
                cells = Blank(Width, Height);
                break;
            case 'K':
                cells[cursor.Row].AsSpan(argument == "2" ? 0 : cursor.Column).Fill(' ');
                break;
            case 'h' when argument == "?1049":
                (hidden, cells, saved, isAlternate) = (cells, Blank(Width, Height), cursor, true);
                break;
            case 'l' when argument == "?1049" && isAlternate:
                (cells, isAlternate) = (hidden, false);
                Resize(Width, Height);
                cursor = saved;
                break;
            case 'm' or 'h' or 'l':
                break;
            default:
                Assert.Fail($"what is \\e{sequence[1..]}?");
                break;
        }
    }

    private static char[][] Blank(int width, int height) => [.. Enumerable.Range(0, height).Select(_ => Enumerable.Repeat(' ', width).ToArray())];
}
