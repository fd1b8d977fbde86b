using Marl.Native.Rl;

namespace Marl.Native.Bench.Gpu;

/// <summary>An algorithm on a device that learns from random rounds of the two-step game: one update, or one round of on-policy learning.</summary>
internal sealed class GpuRound : IDisposable
{
    private const string Environment = "two-step";
    private readonly Workers workers = new(1);
    private readonly ILearner learner;
    private readonly Episode[] round;
    private Rng rng = new(1);

    public GpuRound(string algorithm, Device device)
    {
        string[] settings = ["shards=1", "environments=4", "batchSize=3", "bufferSize=3", "updatesPerEpisode=1", "epochs=1", "minibatches=1"];
        var configuration = RunConfiguration.Of(algorithm, Environment);
        OptionTree[] trees = [OptionTree.Of(configuration.Options), OptionTree.Of(configuration.Training)];
        configuration = RunConfiguration.Of(algorithm, Environment, null,
            [.. settings.Where(setting => trees.Any(tree => tree.Contains(setting[..setting.IndexOf('=', StringComparison.Ordinal)])))]);
        var spec = Catalog.CreateEnvironment(Environment).Spec;
        learner = configuration.CreateLearner(configuration.Training.Context(spec, workers, device));
        round = new Episode[learner is OnPolicyLearner ? configuration.Training.Environments : 1];
        for (int i = 0; i < 3; i++)
        {
            Learn();
        }
    }

    /// <summary>Learns from a round.</summary>
    public void Learn()
    {
        foreach (ref var episode in round.AsSpan())
        {
            episode = Play();
        }
        learner.Learn(round, steps: 0);
    }

    public void Dispose() => workers.Dispose();

    private Episode Play()
    {
        var environment = Catalog.CreateEnvironment(Environment);
        var episode = new Episode(environment.Spec);
        var recorder = new EpisodeRecorder(environment.Spec, new());
        environment.Reset(ref rng);
        recorder.Begin(environment, episode);
        do
        {
            for (int agent = 0; agent < episode.Agents; agent++)
            {
                episode.ActionsAt(episode.Length)[agent] = rng.NextInt(environment.Spec.Agents[agent].ActionCount);
                episode.Probabilities[episode.Length * episode.Agents + agent] = 1f / environment.Spec.Agents[agent].ActionCount;
            }
        }
        while (recorder.Step(ref rng));
        return episode;
    }
}
