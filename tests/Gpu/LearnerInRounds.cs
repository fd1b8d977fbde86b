using Marl.Native.Nn;
using Marl.Native.Rl;

namespace Marl.Native.Tests.Gpu;

/// <summary>A learner in the two-step game, an episode a round; or as many as there are environments, where it learns from all of a round.</summary>
internal sealed class LearnerInRounds : IDisposable
{
    private const string TwoStep = "two-step";
    private readonly Workers workers = new(1);
    private readonly Episode[] round;
    private int played;

    public LearnerInRounds(string algorithm, Device device, params string[] settings)
    {
        string[] all = ["hidden=8", "mixer.embed=4", "batchSize=3", "bufferSize=3", "standardizeRewards=false", "criticHidden=8", "agent=mlp",
            "hypernetEmbed=8", "kernelEmbed=8", "centralHidden=8", "centralEmbed=6", .. settings];
        var configuration = Games.Configure(algorithm, TwoStep, 1_000,
            settings: ["shards=1", .. Games.Known(algorithm, TwoStep, all)]);
        Learner = configuration.CreateLearner(
            configuration.Training.Context(Catalog.CreateEnvironment(TwoStep).Spec, workers, device));
        round = new Episode[Learner is OnPolicyLearner ? configuration.Training.Environments : 1];
    }

    public ILearner Learner { get; }

    public float[] Weights => Learner.Parameters.Values.ToArray();

    public void Learn(int rounds, float? reward = null)
    {
        for (; rounds > 0; rounds--)
        {
            foreach (ref var episode in round.AsSpan())
            {
                episode = Games.Play(() => Catalog.CreateEnvironment(TwoStep), played++);
                episode.Rewards[1] = reward ?? episode.Rewards[1];
            }
            Learner.Learn(round, steps: 0);
        }
    }

    public void Restore(string path, int rounds)
    {
        Learner.Archive(new SafetensorsReader(Safetensors.Read(path)));
        played = rounds;
    }

    public void Dispose() => workers.Dispose();
}
