using Marl.Native.Rl;

namespace Marl.Native.Tests;

/// <summary>Who plays where does not depend on how many play.</summary>
public sealed class RolloutTests
{
    [Fact]
    public void AnEpisodeHasItsEnvironmentWhateverTheNumberOfWorkers()
    {
        var spec = Catalog.CreateEnvironment("lbf:5x5-2p-1f").Spec;
        var alone = Play(spec, workers: 1);
        for (int i = 0; i < 8; i++)
        {
            Assert.Equal([.. alone.Stages[i % 3].Begun], alone.Episodes.Where((_, j) => j % 3 == i % 3).Select(First));
        }
        for (int workers = 2; workers <= 4; workers++)
        {
            var together = Play(spec, workers);
            for (int i = 0; i < 8; i++)
            {
                int rows = alone.Episodes[i].Length;
                Assert.Equal(rows, together.Episodes[i].Length);
                Assert.Equal(alone.Episodes[i].Observations[..((rows + 1) * 2 * spec.ObservationSize)], together.Episodes[i].Observations[..((rows + 1) * 2 * spec.ObservationSize)]);
                Assert.Equal(alone.Episodes[i].Actions[..(rows * 2)], together.Episodes[i].Actions[..(rows * 2)]);
            }
            Assert.All(alone.Stages.Zip(together.Stages), pair => Assert.Equal(pair.First.Begun, pair.Second.Begun));
        }
    }

    private static string First(Episode episode) => string.Join(' ', episode.Observation(0, 0).ToArray());

    /// <summary>Eight episodes in three environments.</summary>
    private static (Witness[] Stages, Episode[] Episodes) Play(EnvironmentSpec spec, int workers)
    {
        using var players = new Workers(workers);
        var configuration = Games.Configure("iql", "lbf:5x5-2p-1f", 1_000, settings: ["hidden=8"]);
        var learner = configuration.CreateLearner(configuration.Training.Context(spec, players));
        Witness[] stages = [new(), new(), new()];
        Episode[] episodes = [.. Enumerable.Range(0, 8).Select(_ => new Episode(spec))];
        new Rollout(stages, episodes.Length, learner.Actors, learner.Exploration, players, new Rng(3)).Play(episodes, exploration: 0.5f);
        return (stages, episodes);
    }

    /// <summary>Foraging that remembers how its episodes began.</summary>
    private sealed class Witness : IEnvironment
    {
        private readonly IEnvironment stage = Catalog.CreateEnvironment("lbf:5x5-2p-1f");

        public List<string> Begun { get; } = [];

        public EnvironmentSpec Spec => stage.Spec;

        public void Reset(ref Rng rng)
        {
            stage.Reset(ref rng);
            float[] seen = new float[Spec.ObservationSize];
            stage.Observe(0, seen);
            Begun.Add(string.Join(' ', seen));
        }

        public void Observe(int agent, Span<float> observation) => stage.Observe(agent, observation);

        public void ReadAvailable(int agent, Span<bool> available) => stage.ReadAvailable(agent, available);

        public void ReadState(Span<float> state) => stage.ReadState(state);

        public void Save(Span<double> snapshot) => stage.Save(snapshot);

        public void Restore(ReadOnlySpan<double> snapshot) => stage.Restore(snapshot);

        public StepResult Step(JointAction actions, Span<double> rewards, ref Rng rng) => stage.Step(actions, rewards, ref rng);
    }
}
