using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>
/// Learning from the episodes of the last round and from no others: everything of the actor-critic family but its <see cref="PolicyObjective"/>. The critic looks at
/// the episodes once; then the policy and the critic take their steps, over some epochs and minibatches of whole episodes.
/// </summary>
internal sealed class OnPolicyLearner : ILearner
{
    private readonly OnPolicyOptions options;
    private readonly PolicyObjective objective;
    private readonly TrainedNetwork[] networks;
    private readonly BatchGradient whole, minibatch;
    private readonly LossReport report;
    private readonly RunningStatistics? rewards, returns;
    private readonly RoundMemory? memory;
    private readonly Episode[] shuffled;
    private readonly Action<LossContext> computeReturns;
    private readonly Column[] columns;
    private readonly Snapshot before = new();
    private readonly Action<IArchive> archive;
    private CancellationToken stop;
    private long updates;
    private Rng sampling;

    /// <summary>Networks with fresh weights.</summary>
    /// <param name="options">how it learns.</param>
    /// <param name="context">where.</param>
    /// <param name="objective">what it learns.</param>
    public OnPolicyLearner(OnPolicyOptions options, LearningContext context, PolicyObjective objective)
    {
        (this.options, this.objective) = (options, objective);
        // Weights of critics are drawn from other streams than the actor's.
        networks = [.. objective.Networks.Select((network, i) => new TrainedNetwork(network.Name, network.Layout, network.Training,
            i == 0 ? context.Rng : context.Rng.Split(RngPurpose.Initialization, i - 1), context.Device))];
        int round = context.Environments, metrics = objective.Metrics.Count;
        if (round % options.Minibatches != 0)
        {
            throw new UsageException($"{round} environments play {round} episodes in a round, which cannot be cut into {options.Minibatches} minibatches alike; " +
                "change environments or minibatches");
        }
        columns = [.. objective.Columns, .. context.RolloutLength > 0 && Agent.StateColumn is { } state ? [state] : (Column[])[]];
        var schema = context.NewSchema(columns);
        whole = new BatchGradient(context, schema, round, networks, metrics);
        minibatch = options.Minibatches == 1 ? whole : new BatchGradient(context, schema, round / options.Minibatches, networks, metrics);
        report = minibatch.NewReport();
        memory = RoundMemory.Of(schema, round, context.MostRows, context.Device);
        rewards = options.StandardizeRewards ? new RunningStatistics(context.RewardStreams) : null;
        returns = options.StandardizeReturns ? new RunningStatistics(objective.Agent.Agents) : null;
        shuffled = new Episode[round];
        (computeReturns, archive) = (objective.ComputeReturns, Archive);
        sampling = context.Rng.Split(RngPurpose.Sampling);
    }

    /// <inheritdoc/>
    public Agent Agent => objective.Agent;

    /// <inheritdoc/>
    public Parameters Parameters => networks[0].Online;

    /// <inheritdoc/>
    public IReadOnlyList<Actor> Actors => [new(Agent, Parameters)];

    /// <summary>The actor, and the critics if there are any.</summary>
    public IReadOnlyList<TrainedNetwork> Networks => networks;

    /// <inheritdoc/>
    public Exploration Exploration => options.Exploration;

    /// <inheritdoc/>
    public bool NeedsNextAction => objective.NeedsNextAction;

    /// <inheritdoc/>
    public IReadOnlyList<Column> Columns => columns;

    /// <inheritdoc/>
    public long Updates => updates;

    /// <inheritdoc/>
    public UpdateStatistics Statistics => new(report.Loss.ToScalar(), networks[0].GradientNorm,
        [.. objective.Metrics.Zip(report.Metrics().ToArray()), .. networks.Skip(1).Select(critic => ($"{critic.Name}GradientNorm", critic.GradientNorm))]);

    /// <inheritdoc/>
    public void Synchronize()
    {
        foreach (var network in networks)
        {
            network.Synchronize();
        }
    }

    /// <inheritdoc/>
    public float ExplorationRate(long steps) => Exploration.RateAt(steps);

    /// <inheritdoc/>
    public void Learn(Span<Episode> episodes, long steps, CancellationToken stop = default)
    {
        this.stop = stop;
        if (stop.CanBeCanceled)
        {
            before.Save(archive);
        }
        try
        {
            Begin(episodes, steps);
            for (int epoch = 0; epoch < options.Epochs; epoch++)
            {
                RunEpoch(steps);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            memory?.Forget(shuffled);
            before.Restore(archive);
            throw;
        }
        End();
    }

    /// <summary>What comes before the first epoch: rewards, values, returns and advantages.</summary>
    internal void Begin(ReadOnlySpan<Episode> episodes, long steps)
    {
        episodes.CopyTo(shuffled);
        foreach (var episode in episodes)
        {
            foreach (var column in columns)
            {
                episode.Add(column);
            }
            rewards?.UpdateRewards(episode);
        }
        memory?.Keep(episodes);
        whole.ForEach(computeReturns, episodes, Setting(steps));
        foreach (var episode in episodes)
        {
            returns?.Update(episode, Column.Returns);
        }
        foreach (var episode in episodes)
        {
            returns?.Normalize(episode, Column.Returns);
            objective.ComputeAdvantages(episode);
        }
        if (options.NormalizeAdvantages)
        {
            objective.NormalizeAdvantages(episodes);
        }
        memory?.KeepEstimates(episodes);
    }

    /// <summary>One epoch: a step for every minibatch.</summary>
    internal void RunEpoch(long steps)
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
            stop.ThrowIfCancellationRequested();
            using var together = Parameters.Values.Device.BeginCapture();
            objective.Step(minibatch, shuffled.AsSpan(first, minibatch.Count), Setting(steps), report);
        }
    }

    /// <summary>What comes after the last epoch: targets follow.</summary>
    internal void End()
    {
        memory?.Forget(shuffled);
        foreach (var network in networks)
        {
            network.UpdateTarget();
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
    }

    /// <summary>Losses look at the floor that their episodes were played with.</summary>
    private LossContext.Setting Setting(long steps) => new(rewards, steps, shuffled[0].Fingerprint.Exploration, returns) { Stop = stop };
}
