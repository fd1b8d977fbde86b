using System.Text.Json.Nodes;
using Marl.Native.Nn;
using Marl.Native.Rl;

namespace Marl.Native.Bench.Compare;

/// <summary>
/// Checks that both sides compute the same: from the same weights and episodes (of different lengths, some truncated) a few updates must give the same losses
/// and gradient norms, with either optimizer and either implementation of the peer.
/// </summary>
internal static class Agreement
{
    private const int Updates = 3;
    private const double Tolerance = 1e-4;

    private static readonly QmixSize Small =
        new(Batch: 6, Steps: 9, Agents: 3, Observation: 7, State: 10, Actions: 5, Hidden: 16, Embed: 8, Hyper: 12);

    /// <summary>Compares both sides and prints the largest difference.</summary>
    public static bool Holds(PeerSettings settings)
    {
        string folder = Directory.CreateTempSubdirectory("marl-agreement-").FullName;
        try
        {
            using PeerProcess peer = new(settings, threads: 1);
            double apart = 0;
            foreach (var optimizer in (UpdateRule[])[new RmsProp { Epsilon = 1e-5 }, new Adam { Epsilon = 1e-5 }])
            {
                var (request, loss, norm) = Ours(optimizer, folder);
                foreach (string variant in new[] { "stepwise", "fused" })
                {
                    request["variant"] = variant;
                    var theirs = peer.Ask(request);
                    apart = Math.Max(apart, Math.Max(Apart(loss, theirs["loss"]!), Apart(norm, theirs["norm"]!)));
                }
            }
            bool holds = apart <= Tolerance;
            Console.WriteLine($"both sides {(holds ? "compute the same" : "DO NOT AGREE")}: losses and gradient norms of {Updates} QMIX " +
                $"updates differ by {apart:E1} of their size at most ({Tolerance:E0} is allowed)");
            return holds;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Performs our updates, and creates the request to the peer with the paths of the files.</summary>
    private static (JsonObject Request, double[] Loss, double[] Norm) Ours(UpdateRule optimizer, string folder)
    {
        using var workers = new Workers(1);
        var learner = Small.Learner(workers, optimizer);
        // A target network that differs from the online network, so that mixing up the two is detected.
        learner.TargetParameters.Initialize(new Rng(8));
        var episodes = Small.Episodes(Small.Batch);
        for (int i = 1; i < episodes.Length; i++)
        {
            (episodes[i].Length, episodes[i].Terminated) = (Small.Steps - i, i % 2 == 0);
        }
        string PathOf(string name) => Path.Combine(folder, name);
        Checkpoint.Save(PathOf("weights"), learner.Parameters);
        Checkpoint.Save(PathOf("target"), learner.TargetParameters);
        WriteEpisodes(PathOf("episodes"), episodes);

        var (loss, norm) = (new double[Updates], new double[Updates]);
        for (int update = 0; update < Updates; update++)
        {
            learner.Update(episodes);
            (loss[update], norm[update]) = (learner.Statistics.Loss, learner.Statistics.GradientNorm);
        }
        JsonObject request = new()
        {
            ["do"] = "agree",
            ["size"] = Small.ToJson(),
            ["optimizer"] = optimizer.GetType().Name.ToLowerInvariant(),
            ["weights"] = PathOf("weights"),
            ["target"] = PathOf("target"),
            ["episodes"] = PathOf("episodes"),
            ["updates"] = Updates,
        };
        return (request, loss, norm);
    }

    /// <summary>Writes the batch as tensors [T, B, ..].</summary>
    private static void WriteEpisodes(string path, Episode[] episodes)
    {
        var batch = new EpisodeBatch(Small.Spec, episodes.Length, rewardStreams: 1);
        batch.Load(episodes);
        static SafetensorsEntry Entry(string name, Tensor x, params ReadOnlySpan<int> shape)
            => SafetensorsEntry.Of(name, shape, x.ToArray());
        var (t, b, n) = (batch.Steps, batch.Count, Small.Agents);
        new Safetensors(
        [
            Entry("obs", batch.Observations, t + 1, b, n, Small.Observation),
            Entry("state", batch.States, t + 1, b, Small.State),
            Entry("available", batch.Available, t + 1, b, n, Small.Actions),
            Entry("actions", batch.Actions, t, b, n, 1),
            Entry("reward", batch.Rewards, t, b, 1),
            Entry("terminated", batch.Terminated, t, b, 1),
            Entry("mask", batch.Mask, t, b, 1),
        ]).Write(path);
    }

    /// <summary>Returns the largest relative difference.</summary>
    private static double Apart(double[] ours, JsonNode theirs)
        => ours.Zip(theirs.AsArray(), (a, b) => Math.Abs(a - b!.GetValue<double>()) / Math.Abs(a)).Max();
}
