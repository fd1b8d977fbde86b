using System.Diagnostics;
using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>
/// The learner of on-policy algorithms (<see cref="PolicyObjective"/>), which learn from the episodes of the last round. Returns and advantages are computed
/// once per round; then policy and critic are updated over epochs and minibatches of whole episodes.
/// </summary>
internal sealed class OnPolicyLearner : ILearner
{
    private readonly OnPolicyOptions options;
    private readonly PolicyObjective objective;
    private readonly TrainedNetwork[] networks;
    private readonly BatchGradient roundGradient, minibatchGradient;
    private readonly LossReport report;
    private readonly RunningStatistics? rewards;
    private readonly ReturnNormalization? returns;
    private readonly RoundMemory? memory;
    private readonly CriticMemory? criticMemory;
    private readonly Episode[] shuffled;
    private readonly Action<LossContext> computeReturns;
    private readonly Column[] columns;
    private readonly Snapshot snapshot = new();
    private readonly Action<IArchive> archive;
    private CancellationToken stop;
    private TimeSpan duration = TimeSpan.MaxValue;
    private long updates;
    private Rng sampling;

    /// <summary>Creates a learner with newly initialized weights.</summary>
    /// <param name="options">The options of the algorithm.</param>
    /// <param name="context">The environment and the run.</param>
    /// <param name="objective">Networks and losses.</param>
    public OnPolicyLearner(OnPolicyOptions options, LearningContext context, PolicyObjective objective)
    {
        (this.options, this.objective) = (options, objective);
        // Critics are initialized from other random streams than the actor.
        networks = [.. objective.Networks.Select((network, i) => new TrainedNetwork(network.Name, network.Layout, network.Options,
            i == 0 ? context.Rng : context.Rng.Split(RngPurpose.Initialization, i - 1), context.Device))];
        if (options.CriticSteps > 1 && networks.Length == 1)
        {
            throw new UsageException($"criticSteps={options.CriticSteps}, but the algorithm has no critic; use criticSteps=1");
        }
        int round = context.Environments, metrics = objective.Metrics.Count;
        if (round % options.Minibatches != 0)
        {
            throw new UsageException($"{round} environments play {round} episodes per round, which is not a multiple of minibatches={options.Minibatches}; " +
                "change environments or minibatches");
        }
        criticMemory = context.RolloutLength > 0 ? new CriticMemory(objective.Critics, network: 1, round) : null;
        columns =
        [
            .. objective.Columns, .. context.RolloutLength > 0 && Agent.StateColumn is { } state ? [state] : (Column[])[], .. criticMemory?.Columns ?? [],
        ];
        var schema = context.NewSchema(columns);
        roundGradient = new BatchGradient(context, schema, round, networks, metrics);
        minibatchGradient = options.Minibatches == 1 ? roundGradient : new BatchGradient(context, schema, round / options.Minibatches, networks, metrics);
        report = minibatchGradient.NewReport();
        memory = RoundMemory.TryCreate(schema, round, context.MaxRows, context.Device);
        rewards = options.StandardizeRewards ? new RunningStatistics(context.RewardStreams) : null;
        returns = options.StandardizeReturns ? new ReturnNormalization(options, objective, networks) : null;
        shuffled = new Episode[round];
        (computeReturns, archive) = (ComputeReturns, Archive);
        sampling = context.Rng.Split(RngPurpose.Sampling);
    }

    /// <summary>A round can be canceled, for which the state before it is copied, if the last one took at least this long.</summary>
    internal TimeSpan ShortestCancelable { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <inheritdoc/>
    public Agent Agent => objective.Agent;

    /// <inheritdoc/>
    public Parameters Parameters => networks[0].Online;

    /// <inheritdoc/>
    public IReadOnlyList<Actor> Actors => [new(Agent, Parameters)];

    /// <summary>The actor, then the critics.</summary>
    public IReadOnlyList<TrainedNetwork> Networks => networks;

    /// <summary>The networks and the losses.</summary>
    internal PolicyObjective Objective => objective;

    /// <summary>The statistics of the returns; null: returns are not standardized.</summary>
    internal RunningStatistics? ReturnStatistics => returns?.Statistics;

    /// <inheritdoc/>
    public Exploration Exploration => options.Exploration;

    /// <inheritdoc/>
    public bool NeedsBootstrapAction => objective.NeedsBootstrapAction;

    /// <inheritdoc/>
    public IReadOnlyList<Column> Columns => columns;

    /// <inheritdoc/>
    RoundMemory? ILearner.RoundMemory => memory;

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
    public void Learn(Span<Episode> episodes, long steps, CancellationToken cancellationToken = default)
    {
        stop = duration >= ShortestCancelable ? cancellationToken : default;
        if (stop.CanBeCanceled)
        {
            snapshot.Save(archive);
        }
        long start = Stopwatch.GetTimestamp();
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
            memory?.Release(shuffled);
            snapshot.Restore(archive);
            throw;
        }
        End();
        duration = Stopwatch.GetElapsedTime(start);
    }

    /// <summary>Computes values, returns and advantages before the first epoch.</summary>
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
        criticMemory?.Begin(episodes);
        memory?.Store(episodes);
        roundGradient.ForEach(computeReturns, episodes, InfoOf(steps));
        criticMemory?.End(episodes);
        returns?.Normalize(episodes);
        foreach (var episode in episodes)
        {
            objective.ComputeAdvantages(episode);
        }
        if (options.NormalizeAdvantages)
        {
            objective.NormalizeAdvantages(episodes);
        }
        memory?.StoreEstimates(episodes);
    }

    private void ComputeReturns(LossContext context)
    {
        objective.ComputeReturns(context);
        criticMemory?.Advance(context);
    }

    /// <summary>Runs an epoch: one step per minibatch.</summary>
    internal void RunEpoch(long steps)
    {
        if (options.Minibatches > 1)
        {
            // Fisher-Yates shuffle.
            for (int i = shuffled.Length - 1; i > 0; i--)
            {
                int j = sampling.NextInt(i + 1);
                (shuffled[i], shuffled[j]) = (shuffled[j], shuffled[i]);
            }
        }
        for (int first = 0; first < shuffled.Length; first += minibatchGradient.Count)
        {
            stop.ThrowIfCancellationRequested();
            using var capture = Parameters.Values.Device.BeginCapture();
            objective.Step(minibatchGradient, shuffled.AsSpan(first, minibatchGradient.Count), InfoOf(steps), report);
        }
    }

    /// <summary>Updates the target networks after the last epoch.</summary>
    internal void End()
    {
        memory?.Release(shuffled);
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
        roundGradient.Archive(archive.Scope("round"));
        minibatchGradient.Archive(archive.Scope("minibatch"));
        criticMemory?.Archive(archive);
        archive.Value("updates", ref updates, 0, ArchiveExtensions.MaxUpdates);
        archive.Rng("sampling", ref sampling);
        archive.Statistics("rewards", rewards);
        archive.Statistics("returns", ReturnStatistics);
    }

    /// <summary>Returns the values that all shards share. The exploration rate is the one that the episodes were played with.</summary>
    private LossContext.BatchInfo InfoOf(long steps) => new(rewards, steps, shuffled[0].Fingerprint.Exploration, ReturnStatistics) { Stop = stop };
}
