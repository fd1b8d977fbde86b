namespace Marl.Native.Cli;

/// <summary>The exit codes of the process. A run that a signal stopped exits with 128 + the signal number, as shells do: 129 for SIGHUP, 130 for Ctrl-C,
/// 143 for SIGTERM.</summary>
internal static class ExitCode
{
    /// <summary>Success.</summary>
    public const int Success = 0;

    /// <summary>A file, device, environment or the machine failed: a full disk, a folder without write permission, a corrupt file, a program that crashed.</summary>
    public const int Failed = 1;

    /// <summary>Invalid arguments: an unknown name, a value out of range.</summary>
    public const int Usage = 2;

    /// <summary>Training diverged: a loss or weight became NaN or infinite. The last checkpoint is finite. With --seeds: at least one seed diverged; the others are trained.</summary>
    public const int Diverged = 3;
}
