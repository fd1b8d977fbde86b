using System.ComponentModel;
using System.Diagnostics;
using System.Text;

namespace Marl.Native.Rl;

/// <summary>
/// A program that is asked one line and answers one line. What it writes to its standard error is passed on to ours, and the last line of that is
/// its last words should it end. A watchdog ends it if an answer takes too long, which wakes whoever waits: so waiting is a plain blocking
/// read, with no thread and no garbage of its own.
/// </summary>
internal sealed class ExternalProgram : IDisposable
{
    /// <summary>A longer line is no answer: the program is writing something else.</summary>
    private const int MaxAnswerLength = 1 << 28;

    /// <summary>Lines before the first answer that are taken for greetings.</summary>
    private const int MaxGreetingLines = 100;

    /// <summary>How long it may take to end when it is told to, and to say its last words.</summary>
    private static readonly TimeSpan ExitTimeout = TimeSpan.FromSeconds(2);

    private readonly Process process;
    private readonly Stream input, output;
    private readonly Task errors;
    private readonly Timer watchdog;
    private readonly TimeSpan timeout;
    private byte[] buffer = new byte[4096];
    private int filled, consumed; // the buffer holds bytes taken .. read - 1 that nobody has seen
    private volatile string lastErrorLine = "";
    private volatile bool timedOut, disposed;

    /// <summary>Starts it.</summary>
    /// <param name="words">the program and its arguments.</param>
    /// <param name="timeout">how long an answer may take.</param>
    /// <exception cref="ExternalProgramException">there is no such program, or it may not be run.</exception>
    public ExternalProgram(string[] words, TimeSpan timeout)
    {
        this.timeout = timeout;
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
            throw new ExternalProgramException($"the program '{words[0]}' cannot be started: {new Win32Exception(e.NativeErrorCode).Message}");
        }
        (input, output) = (process.StandardInput.BaseStream, process.StandardOutput.BaseStream);
        errors = Task.Run(ForwardErrors);
        watchdog = new Timer(static program => ((ExternalProgram)program!).OnTimeout(), this, Timeout.Infinite, Timeout.Infinite);
    }

    /// <summary>Asks; the time for the answer begins to run.</summary>
    /// <param name="line">with its end of line.</param>
    /// <exception cref="ExternalProgramException">the program has ended.</exception>
    public void Send(ReadOnlySpan<byte> line)
    {
        if (consumed < filled)
        {
            throw new ExternalProgramException($"the program wrote more than one line in answer: {JsonLine.Excerpt(buffer.AsSpan(consumed, filled - consumed))}");
        }

        watchdog.Change(timeout, Timeout.InfiniteTimeSpan);
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
    /// <exception cref="ExternalProgramException">the program has ended, or gave no answer in time.</exception>
    public ReadOnlySpan<byte> ReadAnswer()
    {
        var line = ReadLine();
        watchdog.Change(Timeout.Infinite, Timeout.Infinite);
        return line;
    }

    /// <summary>Waits for the answer to the first question. Before it libraries may greet the user; such lines are passed on.</summary>
    /// <inheritdoc cref="ReadAnswer"/>
    public ReadOnlySpan<byte> ReadFirstAnswer()
    {
        for (int greetings = 0; ; greetings++)
        {
            var line = ReadLine();
            if (line.TrimStart((byte)' ').StartsWith((byte)'{') || greetings >= MaxGreetingLines)
            {
                watchdog.Change(Timeout.Infinite, Timeout.Infinite);
                return line;
            }
            Console.Error.WriteLine(Encoding.UTF8.GetString(line));
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
        if (!process.WaitForExit(ExitTimeout))
        {
            Kill();
        }

        errors.Wait(ExitTimeout);
        process.Dispose();
    }

    private ReadOnlySpan<byte> ReadLine()
    {
        int seen = consumed;
        while (true)
        {
            int end = buffer.AsSpan(seen, filled - seen).IndexOf((byte)'\n');
            if (end >= 0)
            {
                var line = buffer.AsSpan(consumed, seen + end - consumed);
                consumed = seen + end + 1;
                return line;
            }
            EnsureSpace();
            seen = filled;
            int count = output.Read(buffer.AsSpan(filled));
            filled += count > 0 ? count : throw Ended();
        }
    }

    /// <summary>Moves what nobody has seen to the front, and makes the buffer longer if it is full of that.</summary>
    private void EnsureSpace()
    {
        buffer.AsSpan(consumed, filled - consumed).CopyTo(buffer);
        (consumed, filled) = (0, filled - consumed);
        if (filled < buffer.Length)
        {
            return;
        }

        if (filled >= MaxAnswerLength)
        {
            throw new ExternalProgramException($"the answer is longer than {MaxAnswerLength >> 20} MiB");
        }

        Array.Resize(ref buffer, 2 * buffer.Length);
    }

    private void OnTimeout()
    {
        timedOut = true;
        Kill();
    }

    private ExternalProgramException Ended()
    {
        if (timedOut)
        {
            return new($"no answer within {timeout.TotalSeconds} s; more time is given by ?timeout=SECONDS at the end of the id");
        }

        string how = process.WaitForExit(ExitTimeout) ? $"ended with exit code {process.ExitCode}" : "closed its output";
        errors.Wait(ExitTimeout);
        return new($"the program {how}{(lastErrorLine.Length > 0 ? $"; its last words: {lastErrorLine}" : "")}");
    }

    private async Task ForwardErrors()
    {
        try
        {
            while (await process.StandardError.ReadLineAsync().ConfigureAwait(false) is { } line)
            {
                Console.Error.WriteLine(line);
                lastErrorLine = string.IsNullOrWhiteSpace(line) ? lastErrorLine : line.Trim();
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // Nobody listens any more.
        }
    }
}
