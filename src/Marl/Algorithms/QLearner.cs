using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>
/// Deep Q-learning of many agents: independent (IQL), with a sum (VDN) or with a monotone mixing network (QMIX), by the mixer it is given.
/// <code>
/// Q_tot = mix(Q_1(u_1), .., Q_n(u_n); s)
/// y_t   = r_t + gamma (1 - terminated_t) Q_tot^-(s_{t+1}, argmax_u Q_a(u))      argmax by the online networks (double Q) or by the target's
/// L     = sum_t mask_t (Q_tot,t - y_t)^2 / sum_t mask_t
/// </code>
/// with n-step or TD(lambda) returns in place of y where asked for. Greedy actions are each agent's own, which is the team's best because the mixers are
/// monotone (Rashid et al. 2018, equation 4).
/// </summary>
public sealed class QLearner : ILearner
{
    private readonly QLearningOptions options;
    private readonly LearnerContext context;
    private readonly Agent agent;
    private readonly IMixer mixer;
    private readonly Parameters online, target;
    private readonly Optimizer optimizer;
    private readonly GradientClip clip;
    private readonly ReplayBuffer replay;
    private readonly RunningStatistics? rewards;
    private readonly Shard[] shards;
    private readonly Bench[] benches;
    private readonly Episode[] sample;
    private readonly Action<int, int> differentiate;
    private readonly Schedule epsilon;
    private float totalMask, owed;
    private long updates;
    private Rng sampling;

    /// <summary>Networks with fresh weights and an empty memory.</summary>
    public QLearner(QLearningOptions options, LearnerContext context)
    {
        options.Validate();
        (this.options, this.context) = (options, context);
        var spec = context.Spec;
        var layout = new ParameterLayout();
        agent = new Agent(layout.Scope("agent"), spec, new AgentOptions
        {
            Kind = options.Agent,
            Hidden = options.Hidden,
            Shared = options.Shared,
            LastAction = options.LastAction,
            AgentId = options.AgentId,
        });
        mixer = options.Mixer switch
        {
            MixerKind.Vdn => new VdnMixer(),
            MixerKind.Qmix => new QmixMixer(layout.Scope("mixer"), spec.Agents.Length, spec.StateSize, new QmixOptions
            {
                Embed = options.MixingEmbed,
                HypernetLayers = options.HypernetLayers,
                HypernetEmbed = options.HypernetEmbed,
            }),
            _ => new IndependentMixer(),
        };
        if (options.Mixer != MixerKind.None && context.Reward.Streams(spec) > 1)
        {
            string rewards = spec.Teams.Length > 1 ? $"the {spec.Teams.Length} teams of {spec.Id} have rewards of their own and" : "individual rewards";
            throw new UsageException($"a mixer learns one common value; {rewards} need mixer=none, which is iql");
        }
        online = new Parameters(layout).Initialise(context.Rng);
        target = new Parameters(layout);
        target.CopyFrom(online);
        clip = new GradientClip(online);
        optimizer = new Optimizer(online, options.Optimizer == OptimizerKind.Adam
            ? new Adam { LearningRate = options.LearningRate, Epsilon = options.OptimizerEpsilon }
            : new RmsProp { LearningRate = options.LearningRate, Alpha = options.RmspropAlpha, Epsilon = options.OptimizerEpsilon });
        replay = new ReplayBuffer(options.BufferSize);
        int streams = context.Reward.Streams(spec);
        rewards = options.StandardiseRewards ? new RunningStatistics(streams) : null;
        sample = new Episode[options.BatchSize];
        shards = new Shard[context.Training.ShardsOf(options.BatchSize)];
        for (int s = 0; s < shards.Length; s++)
        {
            int first = s * options.BatchSize / shards.Length, end = (s + 1) * options.BatchSize / shards.Length;
            shards[s] = new Shard(first, end - first, layout.Count);
        }
        int largest = shards.Max(shard => shard.Count);
        benches = [.. Enumerable.Range(0, context.Workers.Count).Select(_ => new Bench(spec, largest, streams))];
        differentiate = (shard, worker) => Differentiate(shards[shard], benches[worker]);
        epsilon = Schedule.Linear(options.EpsilonStart, options.EpsilonFinish, options.EpsilonAnneal);
        sampling = context.Rng.Split(RngPurpose.Sampling);
    }

    /// <inheritdoc/>
    public Agent Agent => agent;

    /// <inheritdoc/>
    public Parameters Parameters => online;

    /// <summary>The parameters that targets are computed with.</summary>
    public Parameters TargetParameters => target;

    /// <inheritdoc/>
    public IActionSelector Selector { get; } = new EpsilonGreedy();

    /// <inheritdoc/>
    public long Updates => updates;

    /// <inheritdoc/>
    public UpdateStatistics Statistics { get; private set; }

    /// <inheritdoc/>
    public float Exploration(long steps) => epsilon.At(steps);

    /// <inheritdoc/>
    public void Learn(Span<Episode> episodes, long steps)
    {
        foreach (ref var episode in episodes)
        {
            episode = replay.Add(episode) ?? context.NewEpisode();
            owed += options.UpdatesPerEpisode;
        }
        for (; owed >= 1; owed--)
        {
            if (replay.Count >= options.BatchSize)
            {
                replay.Sample(sample, ref sampling);
                Update(sample);
            }
        }
    }

    /// <summary>One update from the given episodes, as many as the batch size: the training call of the papers.</summary>
    /// <exception cref="DivergedException">the loss or a gradient is no number any more.</exception>
    public void Update(ReadOnlySpan<Episode> episodes)
    {
        if (episodes.Length != sample.Length)
        {
            throw new ArgumentException($"{episodes.Length} episodes for a batch of {sample.Length}");
        }
        episodes.CopyTo(sample);
        // What concerns the whole batch comes first; then the shards are on their own.
        totalMask = 0;
        foreach (var episode in sample)
        {
            totalMask += episode.Length;
            rewards?.Update(episode.Rewards.AsSpan(0, episode.Length * episode.RewardStreams));
        }
        totalMask *= options.Mixer == MixerKind.None ? agent.Agents : 1;
        context.Workers.Run(shards.Length, differentiate);

        var (loss, prediction, goal) = (0f, 0f, 0f);
        foreach (var shard in shards)
        {
            (loss, prediction, goal) = (loss + shard.Loss, prediction + shard.Prediction, goal + shard.Target);
        }
        ShardSum.Reduce(shards, static shard => shard.Gradient, online.Gradient);
        float norm = options.GradientClip > 0 ? clip.ByGlobalNorm(options.GradientClip) : clip.GlobalNorm();
        if (!float.IsFinite(loss) || !float.IsFinite(norm))
        {
            var where = clip.FirstNonFinite(online.Values) ?? clip.FirstNonFinite(online.Gradient);
            throw new DivergedException($"diverged at update {updates + 1}: loss {loss}, gradient norm {norm}; the first tensor that is not finite is " +
                $"'{where?.Name ?? "loss"}'");
        }
        optimizer.Step();
        updates++;
        if (updates % options.TargetEvery == 0)
        {
            target.Blend(online, options.TargetTau);
        }
        Statistics = new UpdateStatistics(loss, norm, prediction / totalMask, goal / totalMask);
    }

    /// <inheritdoc/>
    public void Archive(IArchive archive)
    {
        archive.Tensor("online", online.Values);
        archive.Tensor("target", target.Values);
        archive.Value("updates", ref updates);
        archive.Value("owed", ref owed);
        archive.Rng("sampling", ref sampling);
        archive.Optimizer("optimizer", optimizer);
        archive.Statistics("rewards", rewards);
        replay.Archive(archive.Scope("replay"), context.NewEpisode);
    }

    /// <summary>Forward and backward of one shard, into its own gradient.</summary>
    private void Differentiate(Shard shard, Bench bench)
    {
        var (tape, batch) = (bench.Tape, bench.Batch);
        batch.Load(sample.AsSpan(shard.First, shard.Count));
        shard.Gradient.Span.Clear();
        using (tape.Step())
        {
            var (loss, prediction, y) = Loss(tape, batch, shard.Gradient);
            tape.Backward(loss);
            shard.Loss = loss.Value.ToScalar();
            var mask = tape.Constant(batch.Mask);
            shard.Prediction = (prediction * mask).Sum().Value.ToScalar();
            shard.Target = (tape.Constant(y) * mask).Sum().Value.ToScalar();
        }
    }

    private (Var Loss, Var Prediction, Tensor Target) Loss(Tape tape, EpisodeBatch batch, Tensor gradient)
    {
        int steps = batch.Steps;
        var w = tape.Bind(online, gradient);
        var input = tape.Constant(agent.Input.Build(tape, batch.Observations, batch.Actions));
        var q = agent.Forward(w, input, Rest(tape, batch)).Output;                                         // [T+1, B, N, A]
        var chosen = q.Slice(0, 0, steps).Gather(Columns(batch.Actions)).Reshape(batch.Actions.Shape);      // [T, B, N]
        var qTot = mixer.Forward(w, chosen, batch.States.Slice(0, steps));                                  // [T, B, M]
        var y = TargetReturns(tape, batch, input.Value, q.Value, qTot.Shape);
        var loss = ((qTot - y).Square() * batch.Mask).Sum() * (options.LossScale / totalMask);
        return (loss, qTot, y);
    }

    /// <summary>y_t [T, B, M]: what Q_tot should have been, by the target networks. A function of tensors: no gradient.</summary>
    private Tensor TargetReturns(Tape tape, EpisodeBatch batch, Tensor input, Tensor qOnline, Shape shape)
    {
        int steps = batch.Steps;
        var y = tape.Scratch(shape);
        using (tape.NoGrad())
        {
            var w = tape.Freeze(target);
            var q = agent.Forward(w, tape.Constant(input), Rest(tape, batch)).Output.Slice(0, 1, steps);    // [T, B, N, A] of rows 1 .. T
            var greedyBy = options.DoubleQ ? qOnline.Slice(1, steps) : q.Value;
            var greedy = tape.ArgMax(greedyBy, batch.Available.Slice(1, steps));
            var vNext = mixer.Forward(w, q.Gather(greedy).Reshape(batch.Actions.Shape), batch.States.Slice(1, steps));
            var reward = tape.Scratch(batch.Rewards.Shape);
            batch.Rewards.CopyTo(reward);
            rewards?.Normalise(reward);
            var transitions = Transitions.Of(tape, reward, batch.Terminated, options.Gamma, batch.Mask);
            var returns = options.Lambda > 0
                ? Targets.Lambda(tape, transitions, vNext.Value, options.Lambda)
                : Targets.NStep(tape, transitions, vNext.Value, options.NStep);
            returns.CopyTo(y);
        }
        return y;
    }

    /// <summary>The state of agents whose episode begins: zeros [B, N, H].</summary>
    private Var Rest(Tape tape, EpisodeBatch batch)
    {
        var zeros = tape.Scratch(new Shape(batch.Count, agent.Agents, agent.Hidden));
        tape.Device.Fill(zeros, 0f);
        return tape.Constant(zeros);
    }

    /// <summary>[T, B, N] as indices into the last axis, [T, B, N, 1].</summary>
    private static Tensor Columns(Tensor actions) => actions.Reshape(actions.Shape.Append(1));

    /// <summary>A part of the batch and what came of it.</summary>
    private sealed class Shard(int first, int count, int parameters)
    {
        public int First { get; } = first;
        public int Count { get; } = count;
        public Tensor Gradient { get; } = Tensor.Zeros(parameters);
        public float Loss, Prediction, Target;
    }

    /// <summary>What a worker works on one shard after the other with.</summary>
    private sealed class Bench(EnvironmentSpec spec, int capacity, int streams)
    {
        public EpisodeBatch Batch { get; } = new(spec, capacity, streams);
        public Tape Tape { get; } = new();
    }
}
