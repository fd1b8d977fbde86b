namespace Marl.Native.Cli;

/// <summary>What is known of the terminal without asking Spectre.Console, which a redirected run need not even load.</summary>
internal static class Terminal
{
    private const string ShowCursor = "\e[?25h", LeaveAlternateScreen = "\e[?1049l";

    /// <summary>Whether a <see cref="LiveScreen"/> is drawing.</summary>
    public static bool IsOnAlternateScreen { get; set; }

    /// <summary>Whether somebody watches who can be shown a moving picture of this size.</summary>
    public static bool CanDraw(int width, int height) => !Console.IsOutputRedirected
        && Environment.GetEnvironmentVariable("TERM") is not ("dumb" or "")
        && Console.WindowWidth >= width && Console.WindowHeight >= height;

    /// <summary>Gives the terminal back, when the process is about to end in the middle of a moving picture.</summary>
    public static void Restore()
    {
        if (IsOnAlternateScreen)
        {
            Console.Out.Write(ShowCursor + LeaveAlternateScreen);
        }
    }
}
