using System.Diagnostics;

namespace Marl.Native.Cli.Playing;

/// <summary>How fast frames follow each other: by the clock, or by key presses.</summary>
/// <param name="fps">frames per second.</param>
/// <param name="waits">whether every frame waits for a key at first; the space bar changes it.</param>
/// <param name="stop">ends the waiting.</param>
internal sealed class Pace(double fps, bool waits, CancellationToken stop)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(10);

    private bool waits = waits;

    /// <summary>What can be pressed; nothing where nobody can press a key.</summary>
    public static string[] Keys => Console.IsInputRedirected ? [] : ["space: pause or go on", "any other key: one step", "q: quit"];

    /// <summary>Waits until the next frame is due.</summary>
    /// <returns>whether there shall be one.</returns>
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
            Thread.Sleep(Patience);
        }
        return false;
    }
}
