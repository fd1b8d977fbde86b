using System.Text;

namespace Marl.Native.Cli.Reporting;

/// <summary>An output that may fail in the middle of a run (a full disk, a closed stream): what is written afterwards is dropped, and the run is told.</summary>
/// <param name="output">The output.</param>
internal sealed class GuardedOutput(Func<TextWriter> output) : TextWriter
{
    private readonly CancellationTokenSource failed = new();

    /// <summary>Canceled when the output fails.</summary>
    public CancellationToken Failed => failed.Token;

    /// <summary>Why the output failed; null: it did not.</summary>
    public string? Problem { get; private set; }

    /// <inheritdoc/>
    public override Encoding Encoding => Encoding.UTF8;

    /// <inheritdoc/>
    public override void Write(char value) => Write(value.ToString());

    /// <inheritdoc/>
    public override void Write(string? value) => Attempt(writer => writer.Write(value));

    /// <inheritdoc/>
    public override void WriteLine(string? value) => Attempt(writer => writer.WriteLine(value));

    private void Attempt(Action<TextWriter> write)
    {
        if (Problem is not null)
        {
            return;
        }
        try
        {
            write(output());
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Problem = e.Message;
            failed.Cancel();
        }
    }
}
