namespace Marl.Native.Cli;

/// <summary>Properties of the terminal, read without loading Spectre.Console, which a run with redirected output does not need.</summary>
internal static class Terminal
{
    /// <summary>Whether the output is a terminal that can show a live view of at least this size.</summary>
    public static bool CanDraw(int width, int height) => !Console.IsOutputRedirected
        && Environment.GetEnvironmentVariable("TERM") is not ("dumb" or "")
        && Console.WindowWidth >= width && Console.WindowHeight >= height;
}
