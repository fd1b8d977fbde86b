using System.Diagnostics;

namespace Marl.Native.Cli.Playing;

/// <summary>Waits between frames: for a fixed time, or for a key.</summary>
/// <param name="fps">The number of frames per second.</param>
/// <param name="waits">Whether every frame waits for a key at first; the space bar toggles it.</param>
/// <param name="stop">Ends the waiting.</param>
internal sealed class Pace(double fps, bool waits, CancellationToken stop)
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(10);

    private bool waits = waits;

    /// <summary>The keys and their meanings; empty if the input is redirected.</summary>
    public static string[] Keys => Console.IsInputRedirected ? [] : ["space: pause or continue", "any other key: one step", "q: quit"];

    /// <summary>Waits until the next frame is due.</summary>
    /// <returns>False if the user quits.</returns>
    public bool Next()
    {
        var watch = Stopwatch.StartNew();
        while (!stop.IsCancellationRequested)
        {
            if (!Console.IsInputRedirected && Console.KeyAvailable)
            {
                var key = Console.ReadKey(intercept: true).Key;
                if (key is ConsoleKey.Q or ConsoleKey.Escape)
                {
                    return false;
                }
                if (key != ConsoleKey.Spacebar)
                {
                    waits = true;
                    return true;
                }
                waits = !waits;
            }
            if (!waits && watch.Elapsed.TotalSeconds >= 1 / fps)
            {
                return true;
            }
            Thread.Sleep(PollInterval);
        }
        return false;
    }
}
