using System.Runtime.InteropServices;

namespace Marl.Native.Cli;

/// <summary>Ctrl-C, SIGTERM and SIGHUP (a terminal that closes): the first asks the command to end, a second one ends it where it stands.</summary>
internal sealed class StopSignal : IDisposable
{
    private readonly string lastWords;
    private readonly CancellationTokenSource source = new();
    private readonly PosixSignalRegistration[] registrations;
    private int received;

    /// <param name="lastWords">what stderr is told at the second signal.</param>
    public StopSignal(string lastWords)
    {
        this.lastWords = lastWords;
        PosixSignal[] signals = [PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP];
        registrations = [.. signals.Select(signal => PosixSignalRegistration.Create(signal, Receive))];
    }

    /// <summary>Canceled by the first signal.</summary>
    public CancellationToken Token => source.Token;

    /// <summary>128 + the number of the signal, see <see cref="Cli.ExitCode"/>.</summary>
    public int ExitCode => 128 + Number((PosixSignal)received);

    /// <summary>Is done first at the second signal.</summary>
    public Action? BeforeLastWords { get; set; }

    /// <inheritdoc/>
    public void Dispose()
    {
        Array.ForEach(registrations, registration => registration.Dispose());
        source.Dispose();
    }

    private static int Number(PosixSignal signal) => signal switch
    {
        PosixSignal.SIGHUP => 1,
        PosixSignal.SIGTERM => 15,
        _ => 2,
    };

    private void Receive(PosixSignalContext context)
    {
        if (Interlocked.CompareExchange(ref received, (int)context.Signal, 0) == 0)
        {
            context.Cancel = true;
            source.Cancel();
        }
        else
        {
            BeforeLastWords?.Invoke();
            Terminal.WriteError(lastWords);
            // Programs of environments are ended on the way out, which they are not by the signal itself.
            Environment.Exit(128 + Number(context.Signal));
        }
    }
}
