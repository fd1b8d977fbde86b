using Marl.Native.Rl;

namespace Marl.Native.Bench.Compare;

/// <summary>One step of action selection of the agents of (a), from observations to epsilon-greedy actions.</summary>
internal static class ActingCases
{
    public static IEnumerable<Case> All()
    {
        yield return Of(environments: 1, [1]);
        yield return Of(environments: 32, [1, 2]);
    }

    private static Case Of(int environments, int[] threads)
    {
        var (_, size) = QmixSize.Published[0];
        var peerSize = size.ToJson();
        peerSize["envs"] = environments;
        return new("Acting, 5 agents", $"act-{environments}", count => Ours(size, environments, count))
        {
            Flop = environments * size.Agents * size.ActingFlop,
            Threads = threads,
            PeerCase = "act",
            Size = peerSize,
            Variants = ["plain", "lean", "script"],
        };
    }

    /// <summary>Each thread has a controller and a part of the environments, as in a rollout.</summary>
    private static Work Ours(QmixSize size, int environments, int threads)
    {
        using var workers = new Workers(1);
        var learner = size.Learner(workers);
        return Work.OfParts([.. Enumerable.Range(0, threads).Select(_ => Part(learner, size, environments / threads))]);
    }

    private static Action Part(ReplayLearner learner, QmixSize size, int environments)
    {
        const float Epsilon = 0.05f;
        var single = size with { Steps = 1 };
        var episodes = single.Episodes(environments);
        var rngs = Enumerable.Range(0, environments).Select(i => new Rng(3).Split(RngPurpose.Exploration, i)).ToArray();
        Array.ForEach(episodes, episode => episode.Length = 0);
        var controller = new Controller(learner.Actors, learner.Exploration, single.Spec, environments);
        controller.UpdateWeights();
        controller.Begin(environments);
        return () => controller.Act(episodes, Epsilon, rngs);
    }
}
