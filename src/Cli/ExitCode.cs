namespace Marl.Native.Cli;

/// <summary>What the process ends with. A run that a signal stopped ends with 128 + the signal's number, as shells have it: 130 for
/// Ctrl-C, 143 for SIGTERM.</summary>
internal static class ExitCode
{
    /// <summary>All went well.</summary>
    public const int Success = 0;

    /// <summary>The machine could not do it: a full disk, a folder that is not ours, a damaged file.</summary>
    public const int Failed = 1;

    /// <summary>What was asked for cannot be had: an unknown name, an impossible value.</summary>
    public const int Usage = 2;

    /// <summary>Numbers stopped being numbers; the last checkpoint is good.</summary>
    public const int Diverged = 3;
}
