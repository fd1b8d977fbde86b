using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>
/// The learner of off-policy algorithms: samples batches of episodes from a replay buffer, and updates networks and target networks (Mnih et al. 2015).
/// </summary>
internal sealed class ReplayLearner : ILearner
{
    private readonly ReplayOptions options;
    private readonly LearningContext context;
    private readonly Schema schema;
    private readonly Objective objective;
    private readonly Phase[] phases;
    private readonly TrainedNetwork[] networks;
    private readonly BatchGradient gradient;
    private readonly ReplayBuffer replay;
    private readonly RunningStatistics? rewards;
    private readonly Episode[] batch, phaseBatch;
    private readonly Tensor[] gradients;
    private readonly int longestInterval;

    // The last report of each phase.
    private readonly LossReport[] reports;
    private double pendingUpdates;
    private long updates, steps;
    private Rng sampling;

    /// <summary>Creates a learner with newly initialized weights and an empty replay buffer.</summary>
    /// <param name="options">The options of the algorithm.</param>
    /// <param name="context">The environment and the run.</param>
    /// <param name="objective">Networks and losses.</param>
    public ReplayLearner(ReplayOptions options, LearningContext context, Objective objective)
    {
        if (context.RolloutLength > 0)
        {
            throw new UsageException("rolloutLength is for on-policy algorithms; replay needs whole episodes: set it to 0");
        }
        (this.options, this.context, this.objective) = (options, context, objective);
        Exploration = options.Exploration.For(context.Spec);
        phases = [.. objective.Phases];
        longestInterval = phases.Max(phase => phase.Interval);
        // The first network is initialized from the run's own stream, whether or not there are others.
        networks = [.. objective.Networks.Select((network, i) => new TrainedNetwork(network.Name, network.Layout, network.Options,
            i == 0 ? context.Rng : context.Rng.Split(RngPurpose.Initialization, i), context.Device))];
        Actors = [.. networks.Take(objective.EnsembleSize).Select(network => new Actor(Agent, network.Online))];
        schema = context.NewSchema(objective.Columns);
        gradient = new BatchGradient(context, schema, options.BatchSize, networks, objective.Metrics.Count);
        gradients = new Tensor[networks.Length];
        reports = [.. phases.Select(_ => gradient.NewReport())];
        replay = new ReplayBuffer(options.BufferSize, ReplayMemory.TryCreate(schema, options.BufferSize, context.Device));
        rewards = options.StandardizeRewards ? new RunningStatistics(context.RewardStreams) : null;
        (batch, phaseBatch) = (new Episode[options.BatchSize], new Episode[options.BatchSize]);
        sampling = context.Rng.Split(RngPurpose.Sampling);
    }

    /// <inheritdoc/>
    public Agent Agent => objective.Agent;

    /// <inheritdoc/>
    public IReadOnlyList<Actor> Actors { get; }

    /// <inheritdoc/>
    public Parameters Parameters => networks[0].Online;

    /// <summary>The target parameters of the first network.</summary>
    public Parameters TargetParameters => networks[0].Target;

    /// <summary>All networks, the agents' first.</summary>
    public IReadOnlyList<TrainedNetwork> Networks => networks;

    /// <inheritdoc/>
    public Exploration Exploration { get; }

    /// <inheritdoc/>
    public IReadOnlyList<Column> Columns => objective.Columns;

    /// <inheritdoc/>
    public long Updates => updates;

    /// <inheritdoc/>
    public UpdateStatistics Statistics
    {
        get
        {
            Synchronize();
            float[] losses = [.. reports.Select(report => report.Loss.ToScalar())];
            float[][] metrics = [.. reports.Select(Completed)];
            return new(losses.Sum(), networks[0].GradientNorm,
            [
                .. objective.Metrics.Select((name, i) => (name, metrics.Sum(phase => phase[i]))),
                .. PhaseStatistics(losses),
            ]);

            float[] Completed(LossReport report)
            {
                var metrics = report.Metrics();
                objective.CompleteMetrics(metrics);
                return metrics.ToArray();
            }
        }
    }

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
        foreach (ref var episode in episodes)
        {
            objective.Record(episode);
            episode = replay.Add(episode) ?? schema.CreateEpisode();
            pendingUpdates += options.UpdatesPerEpisode;
        }
        if (replay.Count < options.BatchSize)
        {
            pendingUpdates -= Math.Floor(pendingUpdates);
        }
        CompleteUpdates(steps, cancellationToken);
    }

    /// <inheritdoc/>
    public void CompleteUpdates(long steps, CancellationToken cancellationToken = default)
    {
        this.steps = steps;
        for (; pendingUpdates >= 1 && !cancellationToken.IsCancellationRequested; pendingUpdates--)
        {
            replay.Sample(batch, ref sampling);
            Update(batch, replays: true);
        }
    }

    /// <summary>Performs one update with a given batch.</summary>
    /// <param name="episodes">The batch, as many episodes as the batch size.</param>
    /// <exception cref="DivergedException">A loss or a gradient was not finite.</exception>
    public void Update(ReadOnlySpan<Episode> episodes) => Update(episodes, replays: false);

    /// <param name="episodes">The batch, of all ensemble members.</param>
    /// <param name="replays">Whether phases with a batch of their own read it from the replay buffer: ensemble members the episodes that they played.</param>
    private void Update(ReadOnlySpan<Episode> episodes, bool replays)
    {
        foreach (var episode in episodes)
        {
            rewards?.UpdateRewards(episode);
        }
        updates++;
        using var capture = context.Device.BeginCapture();
        for (int p = 0; p < phases.Length; p++)
        {
            if (updates % phases[p].Interval != 0)
            {
                continue;
            }
            if (replays && phases[p].OnLatest)
            {
                replay.Latest(phaseBatch);
                TakeStep(p, phaseBatch);
            }
            else if (phases[p].Member < 0 || !replays)
            {
                TakeStep(p, episodes);
            }
            else if (replay.Sample(phaseBatch, phases[p].Member, ref sampling))
            {
                TakeStep(p, phaseBatch);
            }
        }
        if (updates % longestInterval == 0)
        {
            foreach (var network in networks)
            {
                network.UpdateTarget();
            }
        }
    }

    private void TakeStep(int p, ReadOnlySpan<Episode> episodes)
    {
        var phase = phases[p];
        if (phase.Member >= 0 && !HasPlayed(phase.Member, episodes))
        {
            return;
        }
        var network = networks[phase.Network];
        gradients.AsSpan().Clear();
        gradients[phase.Network] = network.Online.Gradient;
        var info = new LossContext.BatchInfo(rewards, steps, Exploration.RateAt(steps))
        {
            Member = phase.Member,
            CountsAvailableActions = objective.CountsAvailableActions,
        };
        gradient.Compute(phase.Loss, episodes, info, reports[p], gradients);
        if (objective.DivisorMetric is int metric)
        {
            reports[p].DivideBy(metric, network.Online.Gradient);
        }
        network.Step(reports[p].Loss);
    }

    /// <summary>Returns the loss and the gradient norm of each phase, if there are several. Phases of the same name, as of ensemble members, are
    /// combined.</summary>
    private IEnumerable<(string Name, float Value)> PhaseStatistics(float[] losses)
        => from p in Enumerable.Range(0, phases.Length)
           where phases.Length > 1
           group p by phases[p].Name into same
           from metric in (IEnumerable<(string, float)>)
           [
               ($"{same.Key}Loss", same.Sum(p => losses[p])),
               ($"{same.Key}GradientNorm", MathF.Sqrt(same.Sum(p => networks[phases[p].Network].GradientNorm * networks[phases[p].Network].GradientNorm))),
           ]
           select metric;

    private static bool HasPlayed(int member, ReadOnlySpan<Episode> episodes)
    {
        foreach (var episode in episodes)
        {
            if (episode.Members.Contains(member))
            {
                return true;
            }
        }
        return false;
    }

    /// <inheritdoc/>
    public void Archive(IArchive archive)
    {
        foreach (var network in networks)
        {
            network.Archive(archive);
        }
        objective.Archive(archive.Scope("objective"));
        gradient.Archive(archive.Scope("gradient"));
        archive.Value("updates", ref updates, 0, ArchiveExtensions.MaxUpdates);
        archive.Value("pendingUpdates", ref pendingUpdates, 0, ArchiveExtensions.MaxUpdates);
        archive.Rng("sampling", ref sampling);
        archive.Statistics("rewards", rewards);
        replay.Archive(archive.Scope("replay"), schema.CreateEpisode);
    }
}
