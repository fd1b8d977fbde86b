using System.ComponentModel;
using System.Diagnostics;
using System.Text;

namespace Marl.Native.Rl;

/// <summary>
/// A program that is asked one line and answers one line. Its standard error is passed on (see <see cref="ErrorRelay"/>), and the last line of it is
/// part of the error if it ends. A watchdog ends it if an answer takes too long, which wakes whoever waits: so waiting is a plain blocking
/// read, with no thread and no garbage of its own.
/// </summary>
internal sealed class ExternalProgram : IDisposable
{
    /// <summary>A longer line is no answer: the program is writing something else.</summary>
    private const int LongestAnswer = 1 << 28;

    /// <summary>Lines before the first answer that are taken for greetings.</summary>
    private const int MostGreetings = 100;

    /// <summary>How long it may take to end when it is told to, and to close its standard error.</summary>
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(2);

    private readonly Process process;
    private readonly Stream input, output;
    private readonly ErrorRelay errors;
    private readonly Timer watchdog;
    private readonly TimeSpan patience;
    private byte[] buffer = new byte[4096];
    private int read, taken; // the buffer holds bytes taken .. read - 1 that nobody has seen
    private volatile bool late, disposed;

    /// <summary>Starts it.</summary>
    /// <param name="words">the program and its arguments.</param>
    /// <param name="patience">how long an answer may take.</param>
    /// <exception cref="ProgramFault">there is no such program, or it may not be run.</exception>
    public ExternalProgram(string[] words, TimeSpan patience)
    {
        this.patience = patience;
        var start = new ProcessStartInfo(words[0], words[1..])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        try
        {
            process = Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            throw new ProgramFault($"the program '{words[0]}' cannot be started: {new Win32Exception(e.NativeErrorCode).Message}");
        }
        (input, output) = (process.StandardInput.BaseStream, process.StandardOutput.BaseStream);
        errors = new ErrorRelay(process.StandardError.BaseStream, Console.Error);
        watchdog = new Timer(static program => ((ExternalProgram)program!).BeLate(), this, Timeout.Infinite, Timeout.Infinite);
    }

    /// <summary>Asks; the time for the answer begins to run.</summary>
    /// <param name="line">with its end of line.</param>
    /// <exception cref="ProgramFault">the program has ended.</exception>
    public void Ask(ReadOnlySpan<byte> line)
    {
        if (taken < read)
        {
            throw new ProgramFault($"the program wrote more than one line in answer: {JsonLine.Excerpt(buffer.AsSpan(taken, read - taken))}");
        }

        watchdog.Change(patience, Timeout.InfiniteTimeSpan);
        try
        {
            input.Write(line);
        }
        catch (IOException)
        {
            throw Ended();
        }
    }

    /// <summary>Waits for the answer.</summary>
    /// <returns>the line without its end; valid until the next call.</returns>
    /// <exception cref="ProgramFault">the program has ended, or gave no answer in time.</exception>
    public ReadOnlySpan<byte> Answer()
    {
        var line = ReadLine();
        watchdog.Change(Timeout.Infinite, Timeout.Infinite);
        return line;
    }

    /// <summary>Waits for the answer to the first question. Before it libraries may greet the user; such lines are passed on. A byte order mark is skipped.</summary>
    /// <inheritdoc cref="Answer"/>
    public ReadOnlySpan<byte> FirstAnswer()
    {
        for (int greetings = 0; ; greetings++)
        {
            var line = ReadLine();
            line = greetings == 0 && line.StartsWith(Encoding.UTF8.Preamble) ? line[Encoding.UTF8.Preamble.Length..] : line;
            if (line.TrimStart((byte)' ').StartsWith((byte)'{') || greetings >= MostGreetings)
            {
                watchdog.Change(Timeout.Infinite, Timeout.Infinite);
                return line;
            }
            Console.Error.WriteLine(Printable.Of(Encoding.UTF8.GetString(line)));
        }
    }

    /// <summary>Ends it at once.</summary>
    public void Kill()
    {
        try
        {
            process.Kill(entireProcessTree: true);
        }
        catch (Exception e) when (e is InvalidOperationException or Win32Exception or AggregateException)
        {
            // It has ended by itself.
        }
    }

    /// <summary>Ends its input, which tells it to end, and after a while ends it.</summary>
    public void Dispose()
    {
        if (disposed)
        {
            return;
        }

        disposed = true;
        watchdog.Dispose();
        try
        {
            input.Dispose();
        }
        catch (IOException)
        {
            // It has ended by itself.
        }
        if (!process.WaitForExit(Farewell))
        {
            Kill();
        }

        errors.Wait(Farewell);
        process.Dispose();
    }

    private ReadOnlySpan<byte> ReadLine()
    {
        int seen = taken;
        while (true)
        {
            int end = buffer.AsSpan(seen, read - seen).IndexOf((byte)'\n');
            if (end >= 0)
            {
                var line = buffer.AsSpan(taken, seen + end - taken);
                taken = seen + end + 1;
                return line;
            }
            MakeRoom();
            seen = read;
            int count = output.Read(buffer.AsSpan(read));
            read += count > 0 ? count : throw Ended();
        }
    }

    /// <summary>Moves what nobody has seen to the front, and makes the buffer longer if it is full of that.</summary>
    private void MakeRoom()
    {
        buffer.AsSpan(taken, read - taken).CopyTo(buffer);
        (taken, read) = (0, read - taken);
        if (read < buffer.Length)
        {
            return;
        }

        if (read >= LongestAnswer)
        {
            throw new ProgramFault($"the answer is longer than {LongestAnswer >> 20} MiB");
        }

        Array.Resize(ref buffer, 2 * buffer.Length);
    }

    private void BeLate()
    {
        late = true;
        Kill();
    }

    private ProgramFault Ended()
    {
        if (late)
        {
            return new($"no answer within {patience.TotalSeconds} s; more time is given by ?timeout=SECONDS at the end of the id");
        }

        string how = process.WaitForExit(Farewell) ? $"ended with exit code {process.ExitCode}" : "closed its output";
        errors.Wait(Farewell);
        return new($"the program {how}{(errors.LastLine.Length > 0 ? $"; its last error line: {errors.LastLine}" : "")}");
    }
}
