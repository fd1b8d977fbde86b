using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>
/// Learning from the episodes of the last round and from no others: everything of the actor-critic family but its <see cref="PolicyObjective"/>. The critic looks at
/// the episodes once; then the policy and the critic take their steps, over some epochs and minibatches of whole episodes.
/// </summary>
public sealed class OnPolicyLearner : ILearner
{
    private readonly OnPolicyOptions options;
    private readonly PolicyObjective objective;
    private readonly TrainedNetwork[] networks;
    private readonly BatchGradient whole, minibatch;
    private readonly RunningStatistics? rewards, returns;
    private readonly Episode[] shuffled;
    private readonly Func<Shard, Var> lossOf;
    private readonly Action<Shard> estimate;
    private readonly Schedule floor;
    private float loss;
    private long updates;
    private Rng sampling;

    /// <summary>Networks with fresh weights.</summary>
    /// <param name="options">how it learns.</param>
    /// <param name="context">where.</param>
    /// <param name="objective">what it learns: adds its parameters to the layouts of actor and critic.</param>
    public OnPolicyLearner(OnPolicyOptions options, LearnerContext context, Func<ParameterLayout, ParameterLayout, PolicyObjective> objective)
    {
        options.Validate();
        this.options = options;
        ParameterLayout actorLayout = new(), criticLayout = new();
        this.objective = objective(actorLayout, criticLayout);
        var actor = new TrainedNetwork("actor", actorLayout, options, context.Rng, context.Device);
        // Weights of their own, from another stream than the actor's.
        networks = criticLayout.Count == 0 ? [actor]
            : [actor, new TrainedNetwork("critic", criticLayout, options, context.Rng.Split(RngPurpose.Initialisation), context.Device, options.CriticLearningRate)];
        int round = context.Training.Environments, metrics = this.objective.Metrics.Count;
        if (round % options.Minibatches != 0)
        {
            throw new UsageException($"{round} environments play {round} episodes in a round, which cannot be cut into {options.Minibatches} minibatches alike; " +
                "change environments or minibatches");
        }
        whole = new BatchGradient(context, round, networks, metrics);
        minibatch = options.Minibatches == 1 ? whole : new BatchGradient(context, round / options.Minibatches, networks, metrics);
        rewards = options.StandardiseRewards ? new RunningStatistics(context.Reward.Streams(context.Spec)) : null;
        returns = options.StandardiseReturns ? new RunningStatistics(this.objective.Agent.Agents) : null;
        shuffled = new Episode[round];
        (lossOf, estimate) = (this.objective.Loss, this.objective.Estimate);
        sampling = context.Rng.Split(RngPurpose.Sampling);
        floor = Schedule.Linear(options.FloorStart, options.FloorFinish, options.FloorAnneal);
        this.objective.Selector.Floor = floor.At(0);
    }

    /// <inheritdoc/>
    public Agent Agent => objective.Agent;

    /// <inheritdoc/>
    public Parameters Parameters => networks[0].Online;

    /// <summary>The actor, and the critic if there is one.</summary>
    public IReadOnlyList<TrainedNetwork> Networks => networks;

    /// <inheritdoc/>
    public IActionSelector Selector => objective.Selector;

    /// <inheritdoc/>
    public bool NeedsNextAction => objective.NeedsNextAction;

    /// <inheritdoc/>
    public long Updates => updates;

    /// <inheritdoc/>
    public UpdateStatistics Statistics => new(loss, networks[0].GradientNorm,
        [.. objective.Metrics.Zip(minibatch.Metrics.ToArray()), .. networks.Skip(1).Select(critic => ("criticGradientNorm", critic.GradientNorm))]);

    /// <inheritdoc/>
    public float Exploration(long steps) => 1f;

    /// <inheritdoc/>
    public void Learn(Span<Episode> episodes, long steps)
    {
        Begin(episodes, steps);
        for (int epoch = 0; epoch < options.Epochs; epoch++)
        {
            Pass(steps);
        }
        End();
        // The floor of the next round: losses look at the one that their episodes were played with.
        objective.Selector.Floor = floor.At(steps);
    }

    /// <summary>What comes before the first epoch: rewards, values, returns and advantages.</summary>
    internal void Begin(ReadOnlySpan<Episode> episodes, long steps)
    {
        foreach (var episode in episodes)
        {
            episode.Estimates ??= new Estimates(episode);
            rewards?.Update(episode.Rewards.AsSpan(0, episode.Length * episode.RewardStreams));
        }
        whole.ForEach(estimate, episodes, Setting(steps));
        foreach (var episode in episodes)
        {
            returns?.Update(Lived(episode, episode.Estimates!.Returns));
        }
        foreach (var episode in episodes)
        {
            returns?.Normalise(Lived(episode, episode.Estimates!.Returns));
            objective.Appraise(episode, episode.Estimates!);
        }
        if (options.NormaliseAdvantages)
        {
            Normalise(episodes);
        }
        episodes.CopyTo(shuffled);
    }

    /// <summary>One epoch: a step of the networks for every minibatch.</summary>
    internal void Pass(long steps)
    {
        if (options.Minibatches > 1)
        {
            // Fisher and Yates.
            for (int i = shuffled.Length - 1; i > 0; i--)
            {
                int j = sampling.NextInt(i + 1);
                (shuffled[i], shuffled[j]) = (shuffled[j], shuffled[i]);
            }
        }
        for (int first = 0; first < shuffled.Length; first += minibatch.Count)
        {
            loss = minibatch.Of(lossOf, shuffled.AsSpan(first, minibatch.Count), Setting(steps));
            foreach (var network in networks)
            {
                network.Step(loss);
            }
        }
    }

    /// <summary>What comes after the last epoch: targets follow.</summary>
    internal void End()
    {
        foreach (var network in networks)
        {
            network.Follow();
        }
        updates++;
    }

    /// <inheritdoc/>
    public void Archive(IArchive archive)
    {
        foreach (var network in networks)
        {
            network.Archive(archive);
        }
        whole.Archive(archive.Scope("whole"));
        minibatch.Archive(archive.Scope("minibatch"));
        archive.Value("updates", ref updates);
        archive.Rng("sampling", ref sampling);
        archive.Statistics("rewards", rewards);
        archive.Statistics("returns", returns);
        float share = objective.Selector.Floor;
        archive.Value("floor", ref share);
        objective.Selector.Floor = share;
    }

    private Shard.Setting Setting(long steps) => new(rewards, steps, Exploration(steps), returns);

    private static Span<float> Lived(Episode episode, float[] estimates) => estimates.AsSpan(0, episode.Length * episode.Agents);

    /// <summary>A = (A - mean) / (standard deviation + 1e-8), over all transitions and agents.</summary>
    private static void Normalise(ReadOnlySpan<Episode> episodes)
    {
        double sum = 0, squares = 0;
        int count = 0;
        foreach (var episode in episodes)
        {
            foreach (float advantage in Lived(episode, episode.Estimates!.Advantages))
            {
                (sum, squares, count) = (sum + advantage, squares + (double)advantage * advantage, count + 1);
            }
        }
        double mean = sum / count, deviation = Math.Sqrt(Math.Max(0, squares / count - mean * mean)) + 1e-8;
        foreach (var episode in episodes)
        {
            foreach (ref float advantage in Lived(episode, episode.Estimates!.Advantages))
            {
                advantage = (float)((advantage - mean) / deviation);
            }
        }
    }
}
