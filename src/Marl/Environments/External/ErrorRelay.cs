using System.Text;

namespace Marl.Native.Rl;

/// <summary>
/// Passes a program's standard error on to that of this process, line by line, without control characters, and remembers the last line that is not blank. A line of more than
/// 4,096 bytes is passed on in pieces, so memory stays constant. Reads on a thread of its own: the thread pool may be busy when a program ends.
/// </summary>
internal sealed class ErrorRelay
{
    private const int LongestPiece = 4096, LongestLastLine = 400;

    private readonly Thread thread;
    private volatile string lastLine = "";

    /// <summary>Starts to read.</summary>
    /// <param name="errors">The program's standard error.</param>
    /// <param name="writer">Where it is passed on.</param>
    public ErrorRelay(Stream errors, TextWriter writer)
    {
        thread = new Thread(() => Relay(errors, writer)) { IsBackground = true, Name = "standard error of an environment" };
        thread.Start();
    }

    /// <summary>The last line that is not blank, 400 characters of it at most; empty if there is none.</summary>
    public string LastLine => lastLine;

    /// <summary>Waits until the program has closed its standard error, or until the time is over.</summary>
    public void Wait(TimeSpan patience) => thread.Join(patience);

    private void Relay(Stream errors, TextWriter writer)
    {
        var (bytes, characters) = (new byte[LongestPiece], new char[LongestPiece]);
        int filled = 0;
        try
        {
            while (true)
            {
                int read = errors.Read(bytes, filled, bytes.Length - filled), begin = 0;
                filled += read;
                while (bytes.AsSpan(begin, filled - begin).IndexOf((byte)'\n') is >= 0 and int length)
                {
                    Pass(bytes.AsSpan(begin, length), characters, writer);
                    begin += length + 1;
                }
                if (filled - begin == bytes.Length || (read == 0 && begin < filled))
                {
                    Pass(bytes.AsSpan(begin, filled - begin), characters, writer);
                    begin = filled;
                }
                if (read == 0)
                {
                    return;
                }
                bytes.AsSpan(begin, filled - begin).CopyTo(bytes);
                filled -= begin;
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // The program was ended, or nobody reads this process's standard error.
        }
    }

    private void Pass(ReadOnlySpan<byte> piece, char[] characters, TextWriter writer)
    {
        string text = Printable.Of(characters.AsSpan(0, Encoding.UTF8.GetChars(piece, characters)).TrimEnd('\r'));
        writer.WriteLine(text);
        if (!string.IsNullOrWhiteSpace(text))
        {
            text = text.Trim();
            lastLine = text.Length > LongestLastLine ? $"{text[..LongestLastLine]}.." : text;
        }
    }
}
