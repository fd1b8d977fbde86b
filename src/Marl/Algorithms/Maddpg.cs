using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>
/// Multi-agent deep deterministic policy gradients (MADDPG, Lowe et al. 2017): every agent has a centralized critic of all observations and actions.
/// <code>
/// y_i      = r_i + gamma (1 - terminated) Q_i'(x', mu_1'(o_1'), .., mu_N'(o_N'))                  or n-step
/// L_critic = mean (Q_i(x, a_1, .., a_N) - y_i)^2                                                  (equation 6)
/// L_policy = -mean Q_i(x, a_1, .., mu_i(o_i), .., a_N) + c mean output^2                          (equation 5), by the critic after its step
/// </code>
/// In L_policy the a_j of the others are recorded, or mu_j(o_j) without gradients (<see cref="OthersActions"/>).
/// For continuous actions mu is center + scale tanh(output); for discrete actions it is a sample of the softmax of the output, differentiable by Gumbel-softmax
/// (Jang et al. 2017; Maddison et al. 2017). Each branch of an action is a sample of its own, and an action with a continuous part is the concatenation.
/// Variants, by options:
/// <code>
/// DDPG       Q_i(o_i, a_i): independent agents (Lillicrap et al. 2016)
/// MATD3      min of two critics' Q_i', noise clip(z, -c, c) on mu', a policy step every d updates (Ackermann et al. 2019)
/// inference  y_i has mu^_ij'(o_j'), agent i's models of the others, in place of mu_j'(o_j')                                (equation 8)
///            L = -mean (log mu^_ij(a_j|o_j) + lambda H(mu^_ij)), over the latest episodes, before the critic's step        (equation 7)
/// ensembles  mu_i^(k), one of K per episode; L_policy^(k) / K over the episodes that k played                              (equation 9)
/// </code>
/// Agents that share weights share their critic and their models of the others.
/// </summary>
internal sealed class Maddpg : Objective
{
    // Indices in Metrics.
    private const int Value = 0, Target = 1, Divergence = 2;

    // Random streams of a loss.
    private const int OwnSample = 0, TargetSample = 1, InferredSample = 2;

    /// <summary>The least probability whose logarithm is an input of the critics; that of unavailable actions.</summary>
    private const float LeastProbability = 1e-4f;

    private readonly MaddpgOptions options;
    private readonly ActionEncoding encoding;
    private readonly TanhPolicy tanhPolicy;
    private readonly ActionLayout layout;
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
        var criticLayout = AddNetwork("critic", options.WithLearningRate(options.CriticLearningRate));
        Agent = new Agent(actorLayout.Scope("agent"), spec, options.Network);
        var input = CriticInput(spec, options.Critic, options.AgentId);
        critic = new Critic(criticLayout.Scope("critic"), input, options.CriticNetwork, options.CriticHidden, options.ShareParameters, outputs: 1);
        twin = !options.TwinCritics ? null
            : new Critic(criticLayout.Scope("critic2"), input, options.CriticNetwork, options.CriticHidden, options.ShareParameters, outputs: 1);
        if (critic.IsRecurrent)
        {
            throw new UsageException("a critic that evaluates actions that were not taken cannot be recurrent; use criticNetwork=mlp");
        }
        (layout, encoding, tanhPolicy) = (spec.ActionLayout, new ActionEncoding(spec), new TanhPolicy(spec));
        // Networks: the members of the ensemble, the critics, and for each observer its model of all policies (its own is not used).
        (critics, inferred) = (options.EnsembleSize, options.EnsembleSize + 1);
        observers = !options.InferPolicies ? 0 : options.ShareParameters ? 1 : spec.Agents.Length;
        for (int observer = 0; observer < observers; observer++)
        {
            AddNetwork($"inferred{observer}", options.WithLearningRate(options.InferenceLearningRate), actorLayout);
        }
        Metrics = options.InferPolicies ? ["value", "target", "inferenceDivergence"] : ["value", "target"];
        Phases =
        [
            .. Enumerable.Range(0, observers).Select(observer => new Phase("inference", inferred + observer, loss => InferenceLoss(loss, inferred + observer))
            {
                OnLatest = true,
            }),
            new("critic", critics, Loss),
            .. Enumerable.Range(0, options.EnsembleSize).Select(member => new Phase("policy", member, loss => PolicyLoss(loss, member))
            {
                Interval = options.PolicyDelay,
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
    public override int EnsembleSize => options.EnsembleSize;

    /// <summary>The ensemble member that each agent played, if policies are ensembles.</summary>
    public override IReadOnlyList<Column> Columns => options.EnsembleSize > 1 ? [Column.Members] : [];

    /// <inheritdoc/>
    public override bool CountsAvailableActions => true;

    /// <summary>Creates the critic's input: [state or all observations, agent index, joint action], or [observation, agent index, action] of a local critic;
    /// the index if <paramref name="agentId"/>.</summary>
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

    /// <summary>Computes Q_i [T, B, N] of given actions in rows row to row + T - 1.</summary>
    internal static Var Values(Critic critic, Weights w, EpisodeBatch batch, int row, Var actions)
    {
        var q = critic.Forward(w, batch, row, actions);
        return q.Reshape(q.Shape.Without(-1));
    }

    /// <summary>Computes the loss of the critics, mean (Q_i(x, a) - y_i)^2.</summary>
    public override Var Loss(LossContext context)
    {
        var (tape, w) = (context.Tape, context.OnlineOf(critics));
        var y = TargetReturns(context);
        var actions = tape.Constant(ForCritic(tape, encoding.Recorded(tape, context.Batch)));
        var q = Values(critic, w, context.Batch, 0, actions);
        var error = (q - y).Square();
        if (twin is not null)
        {
            error += (Values(twin, w, context.Batch, 0, actions) - y).Square();
        }
        context.Report(Value, q.Value);
        context.Report(Target, y);
        return context.Mean(error);
    }

    /// <summary>Computes the loss -log mu(a) - lambda H(mu) [T, B, N] of an inferred policy over discrete actions (equation 7).</summary>
    /// <param name="logPolicy">log mu [T, B, N, A].</param>
    /// <param name="actions">Actions taken [T, B, N].</param>
    /// <param name="entropy">The entropy coefficient lambda.</param>
    public static Var InferenceLoss(Var logPolicy, Tensor actions, float entropy) => -(logPolicy.OfChoices(actions) + entropy * logPolicy.Entropy());

    /// <summary>Computes the targets y_i [T, B, N]. Without gradients.</summary>
    private Tensor TargetReturns(LossContext context)
    {
        var (tape, batch, steps) = (context.Tape, context.Batch, context.Batch.Steps);
        var y = tape.Scratch(new Shape(steps, batch.Count, encoding.Agents));
        using (tape.NoGrad())
        {
            var (w, next) = (context.TargetOf(critics), NextActions(context));
            var vNext = Values(critic, w, batch, 1, next);
            if (twin is not null)
            {
                vNext = vNext.Minimum(Values(twin, w, batch, 1, next));
            }
            Targets.NStep(tape, context.TransitionsOf(options.Gamma), vNext.Value, options.NStep).CopyTo(y);
        }
        return y;
    }

    /// <summary>Computes the target actions of rows 1 to T for every agent's critic: [T, B, N, N A], or [T, B, N, A] for a local critic. With inferred
    /// policies the others' actions are those of the agent's models.</summary>
    private Var NextActions(LossContext context)
    {
        var (tape, batch, steps) = (context.Tape, context.Batch, context.Batch.Steps);
        var own = TargetActions(context, PlayedOutput(context, target: true), TargetSample);
        if (observers == 0)
        {
            return tape.Constant(ForCritic(tape, own.Value));
        }
        var each = tape.Scratch(new Shape(steps, batch.Count, encoding.Agents, encoding.Agents * encoding.Actions));
        for (int observer = 0; observer < observers; observer++)
        {
            var inferredActions = InferredActions(context, observer).Value;
            if (observers == 1)
            {
                each = encoding.Repeat(tape, inferredActions);
                continue;
            }
            int width = encoding.Agents * encoding.Actions;
            var destination = new Tensor(each.Storage, each.Offset + observer * width, new Shape(each.Count - observer * width));
            tape.Device.CopyStrided(inferredActions, [0, 0, width, 1], destination, [0, 0, encoding.Agents * width, 1], [1, 1, steps * batch.Count, width],
                accumulate: false);
        }
        return encoding.Replace(each, own);
    }

    /// <summary>Computes what an observer's critic reads as the others' actions in rows 1 to T, [T, B, N, A], by its models of their policies.</summary>
    private Var InferredActions(LossContext context, int observer)
    {
        var (output, stream) = (Output(context, context.TargetOf(inferred + observer)), InferredSample + observer);
        if (layout.Branches == 0 || options.InferredActions == InferredActionKind.Actions)
        {
            return TargetActions(context, output, stream);
        }
        var (batch, steps) = (context.Batch, context.Batch.Steps);
        output = output.Slice(0, 1, steps);
        var (logits, available) = (output.Branches(layout), batch.Available.Slice(1, steps).Branches(layout, context.Tape));
        var choices = options.InferredActions == InferredActionKind.Probabilities ? logits.Softmax(available)
            : logits.LogSoftmax(available).Clamp(MathF.Log(LeastProbability), 0f).MaskedFill(available, MathF.Log(LeastProbability));
        return layout.Join(choices, HasVector ? TargetVector(context, output, stream) : null);
    }

    /// <summary>Computes the target actions mu' [T, B, N, A] of rows 1 to T.</summary>
    /// <param name="context">The episodes.</param>
    /// <param name="output">Outputs of the target policies [T+1, B, N, A].</param>
    /// <param name="stream">The random stream.</param>
    private Var TargetActions(LossContext context, Var output, int stream)
    {
        output = output.Slice(0, 1, context.Batch.Steps);
        return layout.Join(layout.Branches == 0 ? null : TargetChoices(context, output, stream), HasVector ? TargetVector(context, output, stream) : null);
    }

    /// <summary>Computes target choices [T, B, N K, W], one-hot: samples, or the most probable ones.</summary>
    private Var TargetChoices(LossContext context, Var output, int stream)
    {
        var (tape, batch, steps) = (context.Tape, context.Batch, context.Batch.Steps);
        var (logits, available) = (output.Branches(layout), batch.Available.Slice(1, steps).Branches(layout, tape));
        if (options.SampleTargets)
        {
            return Sample(context, logits, available, stream);
        }
        var best = new ActionRows(tape.ArgMax(logits.Value, available), Vectors: default);
        return tape.Constant(encoding.Encode(tape, best, steps * batch.Count).Reshape(output.Shape)).Branches(layout);
    }

    /// <summary>Computes the continuous parts of target actions [T, B, N, D], with clipped noise.</summary>
    private Var TargetVector(LossContext context, Var output, int stream)
    {
        var (tape, mean) = (context.Tape, tanhPolicy.Mean(output.Vector(layout)));
        if (options.TargetPolicyNoise == 0)
        {
            return mean;
        }
        var z = tape.Scratch(mean.Shape);
        noise.Normal(context, stream, z);
        var clipped = (tape.Constant(z) * options.TargetPolicyNoise).Clamp(-options.TargetNoiseClip, options.TargetNoiseClip);
        return tanhPolicy.Clip(mean + clipped * tape.Cached(tanhPolicy.Scale));
    }

    private bool HasVector => layout.VectorSize > 0;

    /// <summary>Computes the loss of a policy, -mean Q_i(x, a_1, .., mu_i(o_i), .., a_N) + c mean output^2, divided by K for a member of an ensemble.</summary>
    private Var PolicyLoss(LossContext context, int member)
    {
        var (tape, batch, steps) = (context.Tape, context.Batch, context.Batch.Steps);
        var output = Output(context, context.OnlineOf(member)).Slice(0, 0, steps);                                              // [T, B, N, A]
        var own = Current(output);
        var actions = IsLocal ? own : encoding.Replace(encoding.Repeat(tape, Others()), own);
        var q = Values(critic, context.OnlineOf(critics), batch, 0, actions);
        return (options.LogitRegularization * context.MeanOverAvailableActions(output.Square()) - context.MeanOverMember(q)) / options.EnsembleSize;

        // The actions [T, B, N, A] of the current policies, differentiable.
        Var Current(Var output) => layout.Join(
            layout.Branches == 0 ? null
                : Sample(context, output.Branches(layout), batch.Available.Slice(0, steps).Branches(layout, tape), OwnSample),
            HasVector ? tanhPolicy.Mean(output.Vector(layout)) : null);

        // The actions [T, B, N, A] that an agent's critic reads for the others.
        Tensor Others() => options.Others == OthersActions.Stored ? encoding.Recorded(tape, batch)
            : options.EnsembleSize == 1 ? own.Value : Current(PlayedOutput(context, target: false).Slice(0, 0, steps)).Value;
    }

    /// <summary>Computes the loss of inferred policies, -mean (log mu^(a) + lambda H(mu^)). Reports the divergence KL(mu, mu^), averaged over observers. The
    /// branches and the continuous part of an action are independent, so that both are sums.</summary>
    private Var InferenceLoss(LossContext context, int network)
    {
        int steps = context.Batch.Steps;
        var output = Output(context, context.OnlineOf(network)).Slice(0, 0, steps);                                             // [T, B, N, A]
        var actual = PlayedOutput(context, target: false).Slice(0, 0, steps);
        var (loss, divergence) = layout.Branches > 0 ? InferChoices(context, output, actual) : InferVector(context, output, actual);
        if (layout.Branches > 0 && HasVector)
        {
            var (vectorLoss, vectorDivergence) = InferVector(context, output, actual);
            loss += vectorLoss;
            context.Tape.Device.Zip(default(Add), divergence, vectorDivergence, divergence);
        }
        context.Report(Divergence, divergence);
        return context.Mean(loss);
    }

    /// <summary>Computes the loss of inferred choices and their divergence, [T, B, N] each.</summary>
    private (Var Loss, Tensor Divergence) InferChoices(LossContext context, Var output, Var actual)
    {
        var (tape, batch) = (context.Tape, context.Batch);
        var available = batch.Available.Slice(0, batch.Steps).Branches(layout, tape);
        var logPolicy = output.Branches(layout).LogSoftmax(available);
        var loss = InferenceLoss(logPolicy, batch.Actions, options.InferenceEntropyCoefficient).SumOverBranches(layout.Branches);
        using var detached = tape.NoGrad();
        var logActual = actual.Branches(layout).LogSoftmax(available);
        return (loss, detached.Keep((logActual.Exp() * available * (logActual - logPolicy)).Sum(-1).SumOverBranches(layout.Branches) / observers));
    }

    /// <summary>Computes the loss of inferred continuous parts and their divergence, [T, B, N] each. A policy is a Gaussian with mean mu^ and half the action
    /// range as its standard deviation: its negative log-probability is a squared distance, and its entropy a constant.</summary>
    private (Var Loss, Tensor Divergence) InferVector(LossContext context, Var output, Var actual)
    {
        var (tape, batch) = (context.Tape, context.Batch);
        var available = batch.Available.Slice(0, batch.Steps).Vector(layout, tape);
        var mean = output.Vector(layout).Tanh();
        var loss = 0.5f * ((mean - tanhPolicy.Normalize(tape.Constant(batch.ContinuousActions)).Value).Square() * available).Sum(-1);
        using var detached = tape.NoGrad();
        return (loss, detached.Keep(0.5f / observers * ((actual.Vector(layout).Tanh() - mean).Square() * available).Sum(-1)));
    }

    /// <summary>Computes the outputs [T+1, B, N, A] of the policies that the agents played: of an ensemble, those of the member that played.</summary>
    private Var PlayedOutput(LossContext context, bool target)
    {
        var all = Of(0);
        if (options.EnsembleSize > 1)
        {
            all *= context.MemberMask(0);
            for (int member = 1; member < options.EnsembleSize; member++)
            {
                all += Of(member) * context.MemberMask(member);
            }
        }
        return all;

        Var Of(int member) => Output(context, target ? context.TargetOf(member) : context.OnlineOf(member));
    }

    /// <summary>Computes the outputs of the agents' network in all rows, [T+1, B, N, A].</summary>
    private Var Output(LossContext context, Weights w) => Agent.Forward(w, Agent.Input.Build(context.Tape, context.Batch), context.InitialState(Agent)).Output;

    /// <summary>Draws a differentiable sample of the policy, [T, B, N, A].</summary>
    private Var Sample(LossContext context, Var output, Tensor available, int stream)
    {
        var gumbel = context.Tape.Scratch(output.Shape);
        noise.Gumbel(context, stream, gumbel);
        return output.GumbelSoftmax(gumbel, options.Temperature, options.HardSamples, available);
    }

    private bool IsLocal => options.Critic == ActionCriticKind.Local;

    /// <summary>Converts actions [T, B, N, A] to the critic's input: every agent's joint action, or its own action.</summary>
    private Tensor ForCritic(Tape tape, Tensor actions) => IsLocal ? actions : encoding.Repeat(tape, actions);
}
