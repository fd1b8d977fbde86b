using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>
/// Multi-agent deep deterministic policy gradients (MADDPG, Lowe et al. 2017): every agent has a critic that knows what all see and do, in training only.
/// <code>
/// y_i      = r_i + gamma (1 - terminated) Q_i'(x', mu_1'(o_1'), .., mu_N'(o_N'))                  n-step where asked for
/// L_critic = mean (Q_i(x, a_1, .., a_N) - y_i)^2                                                  (equation 6)
/// L_policy = -mean Q_i(x, a_1, .., mu_i(o_i), .., a_N) + c mean output^2                          (equation 5), by the critic after its step
/// </code>
/// mu is center + radius tanh(output) where actions are numbers; where agents choose, it is a sample of the softmax of the output, differentiable by
/// Gumbel-softmax (Jang et al. 2017; Maddison et al. 2017). Besides, as options:
/// <code>
/// DDPG       Q_i(o_i, a_i): every agent by itself (Lillicrap et al. 2016)
/// MATD3      min of two critics' Q_i', noise clip(z, -c, c) on mu', the policy in one of d updates (Ackermann et al. 2019)
/// inference  mu_j' of the others is agent i's idea of it, trained by -mean (log mu^_ij(a_j) + lambda H(mu^_ij))            (equation 7)
/// ensembles  mu_i^(k), one of K per episode; L_policy^(k) / K over the episodes that k played                              (equation 9)
/// </code>
/// Agents that share weights share their critic and their idea of the others.
/// </summary>
internal sealed class Maddpg : Objective
{
    // Places in Metrics.
    private const int Value = 0, Goal = 1, Divergence = 2;

    // Streams of chance of a loss.
    private const int OwnSample = 0, TargetSample = 1, InferredSample = 2;

    private readonly MaddpgOptions options;
    private readonly ActionEncoding encoding;
    private readonly TanhPolicy? box;
    private readonly Critic critic;
    private readonly Critic? twin;
    private readonly LossNoise noise;
    private readonly int critics, inferred, observers;

    public Maddpg(MaddpgOptions options, LearningContext context, LossNoise? noise = null)
    {
        (this.options, this.noise) = (options, noise ?? new LossNoise());
        var spec = context.Spec;
        var actorLayout = new ParameterLayout();
        for (int member = 0; member < options.EnsembleSize; member++)
        {
            AddNetwork(options.EnsembleSize == 1 ? "actor" : $"actor{member}", options, actorLayout);
        }
        var criticLayout = AddNetwork("critic", options.At(options.CriticLearningRate));
        Agent = new Agent(actorLayout.Scope("agent"), spec, options.Network);
        var input = CriticInput(spec, options.Critic, options.AgentId);
        critic = new Critic(criticLayout.Scope("critic"), input, options.CriticNetwork, options.CriticHidden, options.ShareParameters, outputs: 1);
        twin = options.TwinCritics ? new Critic(criticLayout.Scope("critic2"), input, options.CriticNetwork, options.CriticHidden, options.ShareParameters, outputs: 1) : null;
        if (critic.IsRecurrent)
        {
            throw new UsageException("a critic that values actions that were not taken cannot be recurrent; use a feed-forward one");
        }
        (encoding, box) = (new ActionEncoding(spec), spec.IsContinuous ? new TanhPolicy(spec) : null);
        // Who acts, the critics, and what each observer thinks of everyone's policy (its own among them, which nobody asks for).
        (critics, inferred) = (options.EnsembleSize, options.EnsembleSize + 1);
        observers = !options.InferPolicies ? 0 : options.ShareParameters ? 1 : spec.Agents.Length;
        for (int observer = 0; observer < observers; observer++)
        {
            AddNetwork($"inferred{observer}", options.At(options.InferenceLearningRate), actorLayout);
        }
        Metrics = options.InferPolicies ? ["value", "target", "inferenceDivergence"] : ["value", "target"];
        Phases =
        [
            .. Enumerable.Range(0, observers).Select(observer => new Phase("inference", inferred + observer, shard => InferenceLoss(shard, inferred + observer))),
            new("critic", critics, Loss),
            .. Enumerable.Range(0, options.EnsembleSize).Select(member => new Phase("policy", member, shard => PolicyLoss(shard, member))
            {
                Every = options.PolicyDelay,
                Member = options.EnsembleSize > 1 ? member : -1,
            }),
        ];
    }

    /// <inheritdoc/>
    public override Agent Agent { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<string> Metrics { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<Phase> Phases { get; }

    /// <inheritdoc/>
    public override int Members => options.EnsembleSize;

    /// <summary>Which member of an ensemble played, where policies are ensembles.</summary>
    public override IReadOnlyList<Column> Columns => options.EnsembleSize > 1 ? [Column.Members] : [];

    /// <inheritdoc/>
    public override bool CountsChoices => true;

    /// <summary>[state or all observations, index, joint action], or [observation, index, action] of a local critic; the index as chosen.</summary>
    internal static NetworkInput CriticInput(EnvironmentSpec spec, ActionCriticKind kind, bool agentId)
    {
        InputColumn[] id = agentId ? [InputColumn.AgentId] : [];
        switch (kind)
        {
            case ActionCriticKind.Local:
                return new(spec, common: [], own: [InputColumn.Observation, .. id, InputColumn.Action]);
            case ActionCriticKind.Observations:
                return new(spec, common: [InputColumn.Observations], own: [.. id, InputColumn.JointAction]);
            default:
                NetworkInput.RequireState(spec, "the critic", "use critic=observations");
                return new(spec, common: [InputColumn.State], own: [.. id, InputColumn.JointAction]);
        }
    }

    /// <summary>Q_i [T, B, N] of rows row .. row + T - 1 and some actions.</summary>
    internal static Var Values(Critic critic, Weights w, EpisodeBatch batch, int row, Var actions)
    {
        var q = critic.Forward(w, batch, row, actions);
        return q.Reshape(q.Shape.Without(-1));
    }

    /// <summary>Of the critics: mean (Q_i(x, a) - y_i)^2.</summary>
    public override Var Loss(LossContext shard)
    {
        var (tape, w) = (shard.Tape, shard.OnlineOf(critics));
        var y = TargetReturns(shard);
        var actions = tape.Constant(ForCritic(tape, encoding.Recorded(tape, shard.Batch)));
        var q = Values(critic, w, shard.Batch, 0, actions);
        var error = (q - y).Square();
        if (twin is not null)
        {
            error += (Values(twin, w, shard.Batch, 0, actions) - y).Square();
        }
        shard.Report(Value, q.Value);
        shard.Report(Goal, y);
        return shard.Mean(error);
    }

    /// <summary>-log mu(a) - lambda H(mu) [T, B, N] of an inferred policy over choices (equation 7).</summary>
    /// <param name="logPolicy">[T, B, N, A]</param>
    /// <param name="actions">[T, B, N] what was done.</param>
    /// <param name="entropy">lambda</param>
    public static Var InferenceLoss(Var logPolicy, Tensor actions, float entropy)
        => -(new ActionValues(logPolicy, actions, default).Chosen + entropy * logPolicy.Entropy());

    /// <summary>y_i [T, B, N]. A function of tensors: no gradient.</summary>
    private Tensor TargetReturns(LossContext shard)
    {
        var (tape, batch, steps) = (shard.Tape, shard.Batch, shard.Batch.Steps);
        var y = tape.Scratch(new Shape(steps, batch.Count, encoding.Agents));
        using (tape.NoGrad())
        {
            var (w, next) = (shard.TargetOf(critics), NextActions(shard));
            var vNext = Values(critic, w, batch, 1, next);
            if (twin is not null)
            {
                vNext = vNext.Minimum(Values(twin, w, batch, 1, next));
            }
            Targets.NStep(tape, shard.TransitionsOf(options.Gamma), vNext.Value, options.NStep).CopyTo(y);
        }
        return y;
    }

    /// <summary>To every agent what all will do in rows 1 .. T, as far as it knows: [T, B, N, N A], or [T, B, N, A] for a local critic.</summary>
    private Var NextActions(LossContext shard)
    {
        var (tape, batch, steps) = (shard.Tape, shard.Batch, shard.Batch.Steps);
        var own = TargetActions(shard, Played(shard, target: true), TargetSample);
        if (observers == 0)
        {
            return tape.Constant(ForCritic(tape, own.Value));
        }
        var each = tape.Scratch(new Shape(steps, batch.Count, encoding.Agents, encoding.Agents * encoding.Actions));
        for (int observer = 0; observer < observers; observer++)
        {
            var idea = TargetActions(shard, Output(shard, shard.TargetOf(inferred + observer)), InferredSample + observer).Value;
            if (observers == 1)
            {
                each = encoding.Repeat(tape, idea);
                continue;
            }
            int width = encoding.Agents * encoding.Actions;
            tape.Device.CopyStrided(idea, [0, 0, width, 1], new Tensor(each.Storage, each.Offset + observer * width, new Shape(each.Count - observer * width)),
                [0, 0, encoding.Agents * width, 1], [1, 1, steps * batch.Count, width], accumulate: false);
        }
        return encoding.Replace(each, own);
    }

    /// <summary>mu' [T, B, N, A] in rows 1 .. T.</summary>
    /// <param name="shard">what was seen.</param>
    /// <param name="output">[T+1, B, N, A]</param>
    /// <param name="stream">of chance.</param>
    private Var TargetActions(LossContext shard, Var output, int stream)
    {
        var (tape, batch, steps) = (shard.Tape, shard.Batch, shard.Batch.Steps);
        output = output.Slice(0, 1, steps);
        if (box is null)
        {
            var available = batch.Available.Slice(1, steps);
            return options.SampleTargets ? Sample(shard, output, available, stream)
                : tape.Constant(encoding.Encode(tape, tape.ArgMax(output.Value, available), steps * batch.Count).Reshape(output.Shape));
        }
        var mean = box.Mean(output);
        if (options.TargetPolicyNoise == 0)
        {
            return mean;
        }
        var z = tape.Scratch(mean.Shape);
        noise.Normal(shard, stream, z);
        return box.Clip(mean + (tape.Constant(z) * options.TargetPolicyNoise).Clamp(-options.TargetNoiseClip, options.TargetNoiseClip) * tape.Cached(box.Radius));
    }

    /// <summary>Of a policy: -mean Q_i(x, a_1, .., mu_i(o_i), .., a_N) + c mean output^2, over K for the member of an ensemble.</summary>
    private Var PolicyLoss(LossContext shard, int member)
    {
        var (tape, batch, steps) = (shard.Tape, shard.Batch, shard.Batch.Steps);
        var output = Output(shard, shard.OnlineOf(member)).Slice(0, 0, steps);                                              // [T, B, N, A]
        var own = box is null ? Sample(shard, output, batch.Available.Slice(0, steps), OwnSample) : box.Mean(output);
        var actions = IsLocal ? own : encoding.Replace(encoding.Repeat(tape, encoding.Recorded(tape, batch)), own);
        var q = Values(critic, shard.OnlineOf(critics), batch, 0, actions);
        return (options.LogitRegularization * shard.MeanOverAvailableActions(output.Square()) - shard.MeanOfMember(q)) / options.EnsembleSize;
    }

    /// <summary>Of inferred policies: -mean (log mu^(a) + lambda H(mu^)). Where actions are numbers, a policy is taken for a Gaussian around mu^ as wide as half
    /// the range of each number: its log-probability is a squared distance, and its entropy a constant. Reports the divergence KL(mu, mu^), of which the observers' parts are added up.</summary>
    private Var InferenceLoss(LossContext shard, int network)
    {
        var (tape, batch, steps) = (shard.Tape, shard.Batch, shard.Batch.Steps);
        var available = batch.Available.Slice(0, steps);
        var output = Output(shard, shard.OnlineOf(network)).Slice(0, 0, steps);                                             // [T, B, N, A]
        var truth = Played(shard, target: false).Slice(0, 0, steps);
        if (box is null)
        {
            var logPolicy = output.LogSoftmax(available);
            using (tape.NoGrad())
            {
                var logTruth = truth.LogSoftmax(available);
                shard.Report(Divergence, ((logTruth.Exp() * available * (logTruth - logPolicy)).Sum(-1) / observers).Value);
            }
            return shard.Mean(InferenceLoss(logPolicy, batch.Actions, options.InferenceEntropyCoefficient));
        }
        var mean = output.Tanh();
        using (tape.NoGrad())
        {
            shard.Report(Divergence, (0.5f / observers * ((truth.Tanh() - mean).Square() * available).Sum(-1)).Value);
        }
        return shard.Mean(0.5f * ((mean - box.Normalize(tape.Constant(batch.ContinuousActions)).Value).Square() * available).Sum(-1));
    }

    /// <summary>What the networks say that the agents played, members of ensembles or the only one; constants. [T+1, B, N, A]</summary>
    private Var Played(LossContext shard, bool target)
    {
        var all = Of(0);
        if (options.EnsembleSize > 1)
        {
            all *= shard.MaskOf(0);
            for (int member = 1; member < options.EnsembleSize; member++)
            {
                all += Of(member) * shard.MaskOf(member);
            }
        }
        return all;

        Var Of(int member) => Output(shard, target ? shard.TargetOf(member) : shard.OnlineOf(member));
    }

    /// <summary>What the agents' network says in all rows, [T+1, B, N, A].</summary>
    private Var Output(LossContext shard, Weights w) => Agent.Forward(w, Agent.Input.Build(shard.Tape, shard.Batch), shard.InitialState(Agent)).Output;

    /// <summary>A differentiable sample of the policy, [T, B, N, A].</summary>
    private Var Sample(LossContext shard, Var output, Tensor available, int stream)
    {
        var gumbel = shard.Tape.Scratch(output.Shape);
        noise.Gumbel(shard, stream, gumbel);
        return output.GumbelSoftmax(gumbel, options.Temperature, options.HardSamples, available);
    }

    private bool IsLocal => options.Critic == ActionCriticKind.Local;

    /// <summary>Actions [T, B, N, A] as the critic reads them: to every agent the joint one, or its own.</summary>
    private Tensor ForCritic(Tape tape, Tensor actions) => IsLocal ? actions : encoding.Repeat(tape, actions);
}
