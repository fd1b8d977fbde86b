using System.Text;
using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>
/// Forwards the standard error of a program to that of this process, line by line and without control characters, and keeps the last line that is not blank.
/// A line of more than 4,096 bytes is forwarded in pieces, so memory is bounded. Reads on a thread of its own, because the thread pool may be busy when a
/// program ends.
/// </summary>
internal sealed class ErrorRelay
{
    private const int MaxPieceLength = 4096, MaxLastLineLength = 400;

    private readonly Thread thread;
    private volatile string lastLine = "";

    /// <summary>Starts the thread.</summary>
    /// <param name="errors">The program's standard error.</param>
    /// <param name="writer">Receives the lines.</param>
    public ErrorRelay(Stream errors, TextWriter writer)
    {
        thread = new Thread(() => Relay(errors, writer)) { IsBackground = true, Name = "standard error of an environment" };
        thread.Start();
    }

    /// <summary>The last line that is not blank, truncated to 400 characters; empty if there is none.</summary>
    public string LastLine => lastLine;

    /// <summary>Waits until the program has closed its standard error, or until the timeout.</summary>
    public void Wait(TimeSpan timeout) => thread.Join(timeout);

    private void Relay(Stream errors, TextWriter writer)
    {
        var (bytes, characters) = (new byte[MaxPieceLength], new char[MaxPieceLength]);
        int filled = 0;
        try
        {
            while (true)
            {
                int read = errors.Read(bytes, filled, bytes.Length - filled), begin = 0;
                filled += read;
                while (bytes.AsSpan(begin, filled - begin).IndexOf((byte)'\n') is >= 0 and int length)
                {
                    Forward(bytes.AsSpan(begin, length), characters, writer);
                    begin += length + 1;
                }
                if (filled - begin == bytes.Length || (read == 0 && begin < filled))
                {
                    Forward(bytes.AsSpan(begin, filled - begin), characters, writer);
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
            // The program was killed, or the standard error of this process is closed.
        }
    }

    private void Forward(ReadOnlySpan<byte> piece, char[] characters, TextWriter writer)
    {
        string text = Printable.Of(characters.AsSpan(0, Encoding.UTF8.GetChars(piece, characters)).TrimEnd('\r'));
        writer.WriteLine(text);
        if (!string.IsNullOrWhiteSpace(text))
        {
            text = text.Trim();
            lastLine = text.Length > MaxLastLineLength ? $"{text[..MaxLastLineLength]}.." : text;
        }
    }
}
