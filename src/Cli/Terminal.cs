namespace Marl.Native.Cli;

/// <summary>What is known of the terminal without asking Spectre.Console, which a redirected run need not even load.</summary>
internal static class Terminal
{
    /// <summary>Whether somebody watches who can be shown a moving picture of this size.</summary>
    public static bool CanDraw(int width, int height) => !Console.IsOutputRedirected
        && Environment.GetEnvironmentVariable("TERM") is not ("dumb" or "")
        && Console.WindowWidth >= width && Console.WindowHeight >= height;
}
