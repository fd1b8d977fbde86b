using System.Runtime.InteropServices;

namespace Marl.Native.Cli;

/// <summary>Handles Ctrl-C, SIGTERM and SIGHUP (the terminal was closed): the first signal cancels the command, the second one terminates the process.</summary>
internal sealed class StopSignal : IDisposable
{
    private readonly string terminationMessage;
    private readonly CancellationTokenSource source = new();
    private readonly PosixSignalRegistration[] registrations;
    private int received;

    /// <param name="terminationMessage">Written to the standard error at the second signal.</param>
    public StopSignal(string terminationMessage)
    {
        this.terminationMessage = terminationMessage;
        PosixSignal[] signals = [PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP];
        registrations = [.. signals.Select(signal => PosixSignalRegistration.Create(signal, Receive))];
    }

    /// <summary>Canceled by the first signal.</summary>
    public CancellationToken Token => source.Token;

    /// <summary>128 + the signal number, see <see cref="Cli.ExitCode"/>.</summary>
    public int ExitCode => 128 + Number((PosixSignal)received);

    /// <summary>Called at the second signal, before the message is written.</summary>
    public Action? BeforeTermination { get; set; }

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
            BeforeTermination?.Invoke();
            Terminal.WriteError(terminationMessage);
            // Environment.Exit ends the programs of environments; the signal alone does not.
            Environment.Exit(128 + Number(context.Signal));
        }
    }
}
