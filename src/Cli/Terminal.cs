namespace Marl.Native.Cli;

/// <summary>What is known of the terminal without asking Spectre.Console, which a redirected run need not even load.</summary>
internal static class Terminal
{
    /// <summary>Below this size a moving picture is no use.</summary>
    private const int LeastWidth = 60, LeastHeight = 18;

    /// <summary>Whether somebody watches who can be shown a moving picture.</summary>
    public static bool CanDraw => !Console.IsOutputRedirected
        && Environment.GetEnvironmentVariable("TERM") is not ("dumb" or "")
        && Console.WindowWidth >= LeastWidth && Console.WindowHeight >= LeastHeight;

    /// <summary>Gives the cursor back that a moving picture hid, when the process is about to end in the middle of it.</summary>
    public static void ShowCursor()
    {
        if (!Console.IsOutputRedirected)
        {
            Console.Out.Write("\e[?25h");
        }
    }
}
