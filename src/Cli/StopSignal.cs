using System.Runtime.InteropServices;

namespace Marl.Native.Cli;

/// <summary>Ctrl-C and SIGTERM: the first asks the command to end, a second one ends it where it stands.</summary>
internal sealed class StopSignal : IDisposable
{
    private readonly string lastWords;
    private readonly CancellationTokenSource source = new();
    private readonly PosixSignalRegistration interrupt, terminate;
    private int received;

    /// <param name="lastWords">what stderr is told at the second signal.</param>
    public StopSignal(string lastWords)
    {
        this.lastWords = lastWords;
        interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Receive);
        terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Receive);
    }

    /// <summary>Canceled by the first signal.</summary>
    public CancellationToken Token => source.Token;

    /// <summary>128 + the number of the signal, see <see cref="Cli.ExitCode"/>.</summary>
    public int ExitCode => received == (int)PosixSignal.SIGTERM ? 128 + 15 : 128 + 2;

    /// <inheritdoc/>
    public void Dispose()
    {
        interrupt.Dispose();
        terminate.Dispose();
        source.Dispose();
    }

    private void Receive(PosixSignalContext context)
    {
        if (Interlocked.CompareExchange(ref received, (int)context.Signal, 0) == 0)
        {
            context.Cancel = true;
            source.Cancel();
        }
        else
        {
            Terminal.Restore();
            Console.Error.WriteLine($"marl: {lastWords}");
        }
    }
}
