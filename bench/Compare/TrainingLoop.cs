using System.Diagnostics;
using Marl.Native.Rl;

namespace Marl.Native.Bench.Compare;

/// <summary>
/// Measures environment steps per second of complete training runs in level-based foraging: rollout, replay and an update per episode. EPyMARL's figures are
/// quoted, not measured.
/// </summary>
internal static class TrainingLoop
{
    private const string Foraging = "lbf:8x8-2p-2f-coop";

    private static readonly (string Algorithm, string[] Settings, string Quoted)[] Runs =
    [
        ("qmix", ["agent=mlp"], "1.4k"),
        ("iql", ["agent=gru", "hidden=128"], "0.76k"),
    ];

    public static void Measure(CompareOptions options)
    {
        var table = new Table("whole training loop, env steps/s", "ours, 1 thread", "2 threads", "EPyMARL (quoted, not measured)");
        foreach (var (algorithm, settings, quoted) in Runs)
        {
            string name = $"{algorithm} {string.Join(' ', settings)}, {Foraging}";
            Console.Error.WriteLine($".. {name}");
            table.Add(name, Rate(algorithm, settings, 1, options), Rate(algorithm, settings, 2, options), quoted);
        }
        Console.WriteLine();
        table.Write(Console.Out, options.Markdown);
    }

    /// <summary>Measures after a warm-up, in which code is compiled and the replay buffer is filled.</summary>
    private static string Rate(string algorithm, string[] settings, int threads, CompareOptions options)
    {
        var (warm, measured) = options.Quick ? (1.0, 2.0) : (3.0, 7.0);
        using var trainer = new Trainer(RunConfiguration.Of(algorithm, Foraging, null,
            ["steps=1000000000", "evaluationInterval=0", "evaluationEpisodes=1", $"threads={threads}", .. settings]));
        using var stop = new CancellationTokenSource();
        long begin = Stopwatch.GetTimestamp(), first = 0, last = 0;
        double from = 0, until = 0;
        trainer.Run(cancellationToken: stop.Token, onRound: (steps, _) =>
        {
            double now = Stopwatch.GetElapsedTime(begin).TotalSeconds;
            (last, until) = (steps, now);
            if (first == 0 && now > warm)
            {
                (first, from) = (steps, now);
            }
            else if (now > warm + measured)
            {
                stop.Cancel();
            }
        });
        return $"{(last - first) / (until - from) / 1000:F1}k";
    }
}
