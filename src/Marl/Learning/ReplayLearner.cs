using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>
/// Learning from replayed episodes with target networks (Mnih et al. 2015): everything of the value-based family, and of the deterministic policy gradients, but
/// their <see cref="Objective"/>.
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
    private readonly Episode[] sample, ownSample;
    private readonly Tensor[] into;
    private readonly int slowestPhase;

    // Of each phase, when it was last taken.
    private readonly LossReport[] reports;
    private double pendingUpdates;
    private long updates, steps;
    private Rng sampling;

    /// <summary>Networks with fresh weights and an empty memory.</summary>
    /// <param name="options">How it learns.</param>
    /// <param name="context">Where.</param>
    /// <param name="objective">What it minimizes.</param>
    public ReplayLearner(ReplayOptions options, LearningContext context, Objective objective)
    {
        if (context.RolloutLength > 0)
        {
            throw new UsageException("rolloutLength is for algorithms that learn from the last round alone; replay keeps whole episodes: set it to 0");
        }
        (this.options, this.context, this.objective) = (options, context, objective);
        Exploration = options.Exploration.For(context.Spec);
        phases = [.. objective.Phases];
        slowestPhase = phases.Max(phase => phase.Every);
        // Weights of their own: the first network's stream is the run's, as if there were no other.
        networks = [.. objective.Networks.Select((network, i) => new TrainedNetwork(network.Name, network.Layout, network.Training,
            i == 0 ? context.Rng : context.Rng.Split(RngPurpose.Initialization, i), context.Device))];
        Actors = [.. networks.Take(objective.Members).Select(network => new Actor(Agent, network.Online))];
        schema = context.NewSchema(objective.Columns);
        gradient = new BatchGradient(context, schema, options.BatchSize, networks, objective.Metrics.Count);
        into = new Tensor[networks.Length];
        reports = [.. phases.Select(_ => gradient.NewReport())];
        replay = new ReplayBuffer(options.BufferSize, ReplayMemory.Of(schema, options.BufferSize, context.Device));
        rewards = options.StandardizeRewards ? new RunningStatistics(context.RewardStreams) : null;
        (sample, ownSample) = (new Episode[options.BatchSize], new Episode[options.BatchSize]);
        sampling = context.Rng.Split(RngPurpose.Sampling);
    }

    /// <inheritdoc/>
    public Agent Agent => objective.Agent;

    /// <inheritdoc/>
    public IReadOnlyList<Actor> Actors { get; }

    /// <inheritdoc/>
    public Parameters Parameters => networks[0].Online;

    /// <summary>The parameters that targets are computed with, of the first network.</summary>
    public Parameters TargetParameters => networks[0].Target;

    /// <summary>All networks, those that act first.</summary>
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
                objective.Complete(metrics);
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
    public void Learn(Span<Episode> episodes, long steps, CancellationToken stop = default)
    {
        foreach (ref var episode in episodes)
        {
            episode = replay.Add(episode) ?? schema.NewEpisode();
            pendingUpdates += options.UpdatesPerEpisode;
        }
        if (replay.Count < options.BatchSize)
        {
            pendingUpdates -= Math.Floor(pendingUpdates);
        }
        CompleteUpdates(steps, stop);
    }

    /// <inheritdoc/>
    public void CompleteUpdates(long steps, CancellationToken stop = default)
    {
        this.steps = steps;
        for (; pendingUpdates >= 1 && !stop.IsCancellationRequested; pendingUpdates--)
        {
            replay.Sample(sample, ref sampling);
            Update(sample, replays: true);
        }
    }

    /// <summary>One update from the given episodes, as many as the batch size: the training call of the papers.</summary>
    /// <exception cref="DivergedException">the loss or a gradient is no number any more.</exception>
    public void Update(ReadOnlySpan<Episode> episodes) => Update(episodes, replays: false);

    /// <param name="episodes">of all members of ensembles.</param>
    /// <param name="replays">whether members learn from replayed episodes of their own.</param>
    private void Update(ReadOnlySpan<Episode> episodes, bool replays)
    {
        foreach (var episode in episodes)
        {
            rewards?.UpdateRewards(episode);
        }
        updates++;
        using var together = context.Device.BeginCapture();
        for (int p = 0; p < phases.Length; p++)
        {
            if (updates % phases[p].Every != 0)
            {
                continue;
            }
            if (phases[p].Member < 0 || !replays)
            {
                Take(p, episodes);
            }
            else if (replay.Sample(ownSample, phases[p].Member, ref sampling))
            {
                Take(p, ownSample);
            }
        }
        if (updates % slowestPhase == 0)
        {
            foreach (var network in networks)
            {
                network.UpdateTarget();
            }
        }
    }

    private void Take(int p, ReadOnlySpan<Episode> episodes)
    {
        var phase = phases[p];
        if (phase.Member >= 0 && !HasPlayed(phase.Member, episodes))
        {
            return;
        }
        var network = networks[phase.Network];
        into.AsSpan().Clear();
        into[phase.Network] = network.Online.Gradient;
        var setting = new LossContext.Setting(rewards, steps, Exploration.RateAt(steps)) { Member = phase.Member, CountsChoices = objective.CountsChoices };
        gradient.Of(phase.Loss, episodes, setting, reports[p], into);
        if (objective.Divisor is int metric)
        {
            reports[p].DivideBy(metric, network.Online.Gradient);
        }
        network.Step(reports[p].Loss);
    }

    /// <summary>Where there are several phases: the loss of each, and the norm of its gradient; phases of one name, as of members of ensembles, are taken together.</summary>
    private IEnumerable<(string Name, float Value)> PhaseStatistics(float[] losses)
        => from p in Enumerable.Range(0, phases.Length)
           where phases.Length > 1
           group p by phases[p].Name into same
           from number in (IEnumerable<(string, float)>)
           [
               ($"{same.Key}Loss", same.Sum(p => losses[p])),
               ($"{same.Key}GradientNorm", MathF.Sqrt(same.Sum(p => networks[phases[p].Network].GradientNorm * networks[phases[p].Network].GradientNorm))),
           ]
           select number;

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
        gradient.Archive(archive.Scope("gradient"));
        archive.Value("updates", ref updates);
        archive.Value("pendingUpdates", ref pendingUpdates);
        archive.Rng("sampling", ref sampling);
        archive.Statistics("rewards", rewards);
        replay.Archive(archive.Scope("replay"), schema.NewEpisode);
    }
}
