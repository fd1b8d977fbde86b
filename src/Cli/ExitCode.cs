namespace Marl.Native.Cli;

/// <summary>What the process ends with. A run that a signal stopped ends with 128 + the signal's number, as shells have it: 129 for
/// SIGHUP, 130 for Ctrl-C, 143 for SIGTERM.</summary>
internal static class ExitCode
{
    /// <summary>All went well.</summary>
    public const int Success = 0;

    /// <summary>A file, the machine or an environment failed: a full disk, a folder without write permission, a damaged file, a program that crashed.</summary>
    public const int Failed = 1;

    /// <summary>A mistake in what was asked for: an unknown name, a value out of range.</summary>
    public const int Usage = 2;

    /// <summary>Training diverged: a loss or weight became NaN or infinite. The last checkpoint is good. With --seeds: at least one seed diverged; the others are trained.</summary>
    public const int Diverged = 3;
}
