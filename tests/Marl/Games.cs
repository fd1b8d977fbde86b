using Marl.Native.Rl;

namespace Marl.Native.Tests;

/// <summary>Runs small enough for tests.</summary>
internal static class Games
{
    public static RunConfiguration Configure(string algorithm, string environment, long steps, ulong seed = 1, int threads = 1, params string[] settings)
        => RunConfiguration.Of(algorithm, environment, null,
            ["evaluationInterval=0", "evaluationEpisodes=4", $"steps={steps}", $"seed={seed}", $"threads={threads}", .. settings]);

    public static TrainingSummary Train(RunConfiguration configuration, Func<IEnvironment>? create = null)
    {
        using var trainer = new Trainer(configuration, create);
        return trainer.Run();
    }

    /// <summary>Networks of a few units, so that hundreds of updates take no time.</summary>
    public static string[] Tiny => ["hidden=8", "batchSize=8", "environments=5", "epsilonAnneal=200"];

    /// <summary>Those settings whose option an algorithm or training has.</summary>
    public static string[] Known(string algorithm, string environment, params string[] settings)
    {
        var configuration = RunConfiguration.Of(algorithm, environment);
        OptionTree[] trees = [OptionTree.Of(configuration.Options), OptionTree.Of(configuration.Training)];
        return [.. settings.Where(setting => trees.Any(tree => tree.Contains(setting[..setting.IndexOf('=')])))];
    }

    /// <summary>Those of them that an algorithm has, and what only some have.</summary>
    public static string[] TinyFor(string algorithm)
        => Known(algorithm, "lbf:5x5-2p-1f", [.. Tiny, "mixer.embed=4", "mixingEmbed=4", "centralHidden=8", "centralEmbed=6", "criticHidden=8"]);

    /// <summary>The names of all mixers.</summary>
    public static IEnumerable<string> Mixers => Parts.TypesOf(typeof(MixerOptions), OptionsJson.Present).Select(part => (string)part.TypeDiscriminator!);

    /// <summary>A mixer with its default sizes.</summary>
    public static MixerOptions Mixer(string name) => (MixerOptions)Activator.CreateInstance(
        Parts.TypesOf(typeof(MixerOptions), OptionsJson.Present).Single(part => (string)part.TypeDiscriminator! == name).DerivedType)!;

    /// <summary>An episode of an environment played at random.</summary>
    public static Episode Play(Func<IEnvironment> create, int index, RewardMode reward = RewardMode.Natural)
    {
        var (environment, rng) = (create(), new Rng(77).Split(RngPurpose.Test, index));
        var episode = new Episode(environment.Spec, reward.Streams(environment.Spec));
        var recorder = new EpisodeRecorder(environment.Spec, new() { Mode = reward });
        environment.Reset(ref rng);
        recorder.Begin(environment, episode);
        var numbers = new RandomActions(environment.Spec);
        do
        {
            bool isIndex = environment.Spec.ActionLayout is { Branches: 1, VectorSize: 0 };
            for (int agent = 0; !isIndex && agent < episode.Agents; agent++)
            {
                bool[] available = new bool[environment.Spec.Agents[agent].ActionCount];
                environment.ReadAvailable(agent, available);
                numbers.Sample(agent, available, ref rng);
                episode.SetAction(numbers.Joint);
                var size = environment.Spec.Agents[agent];
                episode.Probabilities[episode.Length * episode.Agents + agent]
                    = Enumerable.Range(0, size.BranchCount).Aggregate(1f, (p, branch) => p / available.AsSpan()[size.Branch(branch)].Count(true));
            }
            for (int agent = 0; isIndex && agent < episode.Agents; agent++)
            {
                do
                {
                    episode.ActionsAt(episode.Length)[agent] = rng.NextInt(episode.ActionCount);
                }
                while (!episode.AvailableActions(episode.Length, agent)[episode.ActionsAt(episode.Length)[agent]]);
                episode.Probabilities[episode.Length * episode.Agents + agent] = 1f / episode.AvailableActions(episode.Length, agent).Count(true);
            }
        }
        while (recorder.Step(ref rng));
        return episode;
    }
}
