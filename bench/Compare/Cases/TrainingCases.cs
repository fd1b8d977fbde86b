using Marl.Native.Rl;

namespace Marl.Native.Bench.Compare;

/// <summary>The whole QMIX training call with GRU agents, from episodes to moved weights.</summary>
internal static class TrainingCases
{
    public static IEnumerable<Case> All() => QmixSize.Published.Select(published => Of(published.Name, published.Size));

    private static Case Of(string name, QmixSize size)
    {
        // Both numbers of threads learn from the same episodes: (c) is large.
        var episodes = new Lazy<Episode[]>(() => size.Episodes(size.Batch));
        return new("QMIX training call", $"train-{name}", threads =>
        {
            var workers = new Workers(threads);
            var learner = size.Learner(workers);
            return new(() => learner.Update(episodes.Value), workers);
        })
        {
            Long = name == "c",
            Flop = size.TrainingFlop,
            PeerCase = "train",
            Size = size.ToJson(),
            Variants = ["stepwise", "fused"],
        };
    }
}
