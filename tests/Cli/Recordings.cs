using Marl.Native.Cli.Playing;
using Marl.Native.Rl;

namespace Marl.Native.Tests.Cli;

/// <summary>Episodes of random agents.</summary>
internal static class Recordings
{
    /// <summary>Of an environment of the catalog.</summary>
    public static Recording Random(string id, int episodes = 1, ulong seed = 1) => Random(Catalog.CreateEnvironment(id), episodes, seed);

    /// <summary>Of any environment.</summary>
    public static Recording Random(IEnvironment environment, int episodes = 1, ulong seed = 1)
    {
        var rng = new Rng(seed);
        var performance = new Performance(environment, new RandomPlayer(environment.Spec, rng), rng) { Player = "random", Seed = seed, Episodes = episodes };
        var recording = new Recording(performance);
        recording.Frames.AddRange(performance.Play());
        return recording;
    }
}
