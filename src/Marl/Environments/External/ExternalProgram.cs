using System.ComponentModel;
using System.Diagnostics;
using System.Text;
using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>
/// A program that answers every request, a line, with a line. Its standard error is forwarded (<see cref="ErrorRelay"/>), and the error of a program that ends
/// has the last line of it. A watchdog kills the program if an answer exceeds the timeout, which also ends the blocking read; so reading needs no thread and
/// does not allocate.
/// </summary>
internal sealed class ExternalProgram : IDisposable
{
    /// <summary>The maximum length of an answer in bytes.</summary>
    private const int MaxAnswerLength = 1 << 28;

    /// <summary>The maximum number of lines before the first answer that are not part of the protocol.</summary>
    private const int MaxGreetingLines = 100;

    /// <summary>The time in which the program has to end after its input was closed, and to close its standard error.</summary>
    private static readonly TimeSpan ExitTimeout = TimeSpan.FromSeconds(2);

    private readonly Process process;
    private readonly Stream input, output;
    private readonly ErrorRelay errors;
    private readonly Timer watchdog;
    private readonly TimeSpan timeout;
    private byte[] buffer = new byte[4096];
    private int filled, consumed; // bytes consumed .. filled - 1 of the buffer are unread
    private volatile bool timedOut, disposed;

    /// <summary>Starts the program.</summary>
    /// <param name="arguments">The program and its arguments.</param>
    /// <param name="timeout">The timeout of an answer.</param>
    /// <exception cref="ExternalProgramException">The program does not exist or cannot be executed.</exception>
    public ExternalProgram(string[] arguments, TimeSpan timeout)
    {
        this.timeout = timeout;
        var start = new ProcessStartInfo(arguments[0], arguments[1..])
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
            throw new ExternalProgramException($"the program '{arguments[0]}' cannot be started: {new Win32Exception(e.NativeErrorCode).Message}");
        }
        (input, output) = (process.StandardInput.BaseStream, process.StandardOutput.BaseStream);
        errors = new ErrorRelay(process.StandardError.BaseStream, Console.Error);
        AppDomain.CurrentDomain.ProcessExit += OnProcessExit;
        watchdog = new Timer(static program => ((ExternalProgram)program!).OnTimeout(), this, Timeout.Infinite, Timeout.Infinite);
    }

    /// <summary>Sends a request and starts the timeout of its answer.</summary>
    /// <param name="line">The request, with the end of line.</param>
    /// <exception cref="ExternalProgramException">The program has ended, or it wrote more than one line in answer to the previous request.</exception>
    public void Send(ReadOnlySpan<byte> line)
    {
        if (consumed < filled)
        {
            string excerpt = JsonLine.Excerpt(buffer.AsSpan(consumed, filled - consumed));
            throw new ExternalProgramException($"the program wrote more than one line in answer: {excerpt}");
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
    /// <returns>The line without its end; valid until the next call.</returns>
    /// <exception cref="ExternalProgramException">The program has ended, or did not answer within the timeout.</exception>
    public ReadOnlySpan<byte> ReadAnswer()
    {
        var line = ReadLine();
        watchdog.Change(Timeout.Infinite, Timeout.Infinite);
        return line;
    }

    /// <summary>Waits for the first answer. Lines that libraries print before it are forwarded to the standard error; a byte order mark is skipped.</summary>
    /// <inheritdoc cref="ReadAnswer"/>
    public ReadOnlySpan<byte> ReadFirstAnswer()
    {
        for (int greetings = 0; ; greetings++)
        {
            var line = ReadLine();
            line = greetings == 0 && line.StartsWith(Encoding.UTF8.Preamble) ? line[Encoding.UTF8.Preamble.Length..] : line;
            if (line.TrimStart((byte)' ').StartsWith((byte)'{') || greetings >= MaxGreetingLines)
            {
                watchdog.Change(Timeout.Infinite, Timeout.Infinite);
                return line;
            }
            Console.Error.WriteLine(Printable.Of(Encoding.UTF8.GetString(line)));
        }
    }

    /// <summary>Kills the program.</summary>
    public void Kill()
    {
        try
        {
            process.Kill(entireProcessTree: true);
        }
        catch (Exception e) when (e is InvalidOperationException or Win32Exception or AggregateException)
        {
            // The program has ended.
        }
    }

    /// <summary>Closes the input of the program, which has to end, and kills it after a timeout.</summary>
    public void Dispose()
    {
        if (disposed)
        {
            return;
        }

        disposed = true;
        AppDomain.CurrentDomain.ProcessExit -= OnProcessExit;
        watchdog.Dispose();
        try
        {
            input.Dispose();
        }
        catch (IOException)
        {
            // The program has ended.
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
        int searched = consumed;
        while (true)
        {
            int end = buffer.AsSpan(searched, filled - searched).IndexOf((byte)'\n');
            if (end >= 0)
            {
                var line = buffer.AsSpan(consumed, searched + end - consumed);
                consumed = searched + end + 1;
                return line;
            }
            EnsureSpace();
            searched = filled;
            int count = output.Read(buffer.AsSpan(filled));
            filled += count > 0 ? count : throw Ended();
        }
    }

    /// <summary>Moves the unread bytes to the front of the buffer, and enlarges it if it is full.</summary>
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

    /// <summary>No program outlives this process, whichever way it ends; after a kill the program finds its input closed.</summary>
    private void OnProcessExit(object? sender, EventArgs e) => Kill();

    private void OnTimeout()
    {
        timedOut = true;
        Kill();
    }

    private ExternalProgramException Ended()
    {
        if (timedOut)
        {
            return new($"no answer within {timeout.TotalSeconds} s; set ?timeout=SECONDS at the end of the id");
        }

        string reason = process.WaitForExit(ExitTimeout) ? $"ended with exit code {process.ExitCode}" : "closed its output";
        errors.Wait(ExitTimeout);
        return new($"the program {reason}{(errors.LastLine.Length > 0 ? $"; its last error line: {errors.LastLine}" : "")}");
    }
}
