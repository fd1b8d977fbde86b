using System.ComponentModel;

namespace Marl.Native.Rl;

/// <summary>VDAC: value-decomposition actor-critic (Su et al. 2021). VDAC-sum by default, VDAC-mix with <c>mixer=qmix</c>; <c>mixer=vdn-s</c> adds a state
/// value to the sum.</summary>
[Description("value-decomposition actor-critic (Su et al. 2021)")]
public sealed record VdacOptions : OnPolicyOptions
{
    /// <summary>Initializes the defaults: five-step returns as in IA2C (Papoudakis et al. 2021), and a target network that is copied in every update. With a
    /// slower one, initial errors of the mixing network outlast the policy's exploration.</summary>
    public VdacOptions() => (NStep, LearningRate, TargetTau) = (5, 5e-4f, 1f);

    /// <summary>The function of the agents' state values that is the team's value.</summary>
    public MixerOptions Mixer { get; init; } = new VdnMixer();

    /// <inheritdoc/>
    public override bool SupportsBranches => true;

    /// <inheritdoc/>
    public override PolicyObjective Create(LearningContext context) => new Vdac(this, context);

    /// <inheritdoc/>
    public override void Validate()
    {
        base.Validate();
        Mixer.Validate();
    }
}

/// <summary>
/// Value-decomposition actor-critic (VDAC, Su, Adams and Beling 2021): a mixer computes the team's state value from a value of each agent's observation, and
/// every policy follows the gradient with the team's advantage:
/// <code>
/// V_tot(s) = mix(V_1(o_1), .., V_N(o_N); s),  dV_tot/dV_i >= 0           a sum: VDAC-sum; QMIX's network: VDAC-mix
/// G_t      = n-step or lambda return with the target critic's V_tot     A_t = G_t - V_tot(s_t)
/// L_critic = mean (G_t - V_tot(s_t))^2
/// L_actor  = -mean (A_t log pi_i(u_i,t) + c H(pi_i))
/// </code>
/// In the paper policy and value share their hidden layers; here they are two networks, as in the other algorithms. Without a mixer this is IA2C.
/// </summary>
internal sealed class Vdac : PolicyObjective
{
    // Indices in Metrics.
    private const int CriticError = 2, Value = 3, Return = 4;

    private readonly VdacOptions options;
    private readonly Critic critic;
    private readonly IMixer mixer;

    public Vdac(VdacOptions options, LearningContext context) : base(options, context)
    {
        this.options = options;
        var spec = context.Spec;
        if (options.Mixer.IsJoint)
        {
            context.RequireCommonReward("VDAC learns one value for the team");
        }
        var (layout, local) = (AddNetwork("critic", options.CriticTraining), options.Network with { AgentId = options.ShareParameters });
        critic = new Critic(layout.Scope("critic"), new NetworkInput(spec, common: [], own: local.Columns), options.CriticNetwork, options.CriticHidden,
            options.ShareParameters, outputs: 1);
        // To the mixer a state value is the value of an agent's only action.
        mixer = options.Mixer.Create(layout.Scope("mixer"), spec with { Agents = [.. spec.Agents.Select(agent => new AgentSpec(agent.ObservationSize, ActionCount: 1, agent.Team))] });
    }

    /// <inheritdoc/>
    internal override IEnumerable<Critic> Critics => [critic];

    /// <inheritdoc/>
    public override IReadOnlyList<string> Metrics { get; } = ["actorLoss", "entropy", "criticLoss", "value", "return"];

    /// <inheritdoc/>
    public override void ComputeReturns(LossContext context)
    {
        int steps = context.Batch.Steps;
        var vNext = TotalValue(context.TargetOf(Critic), context.Batch).Slice(0, 1, steps).Value;
        context.Store(TotalValue(context.OnlineOf(Critic), context.Batch).Slice(0, 0, steps).Value, Column.Values);
        context.Store(Returns(context, vNext), Column.Returns);
    }

    /// <inheritdoc/>
    public override Var Loss(LossContext context) => context.Mean(ActorLoss(context, options.EntropyCoefficient)) + CriticLoss(context);

    /// <inheritdoc/>
    public override Var CriticLoss(LossContext context)
    {
        var batch = context.Batch;
        var vTot = TotalValue(context.OnlineOf(Critic), batch).Slice(0, 0, batch.Steps);
        var error = (vTot - batch.Returns).Square();
        context.Report(CriticError, error.Value);
        context.Report(Value, vTot.Value);
        context.Report(Return, batch.Returns);
        return context.Mean(error);
    }

    /// <summary>Computes V_tot(s_t) [T+1, B, N], the same for every agent.</summary>
    private Var TotalValue(Weights w, EpisodeBatch batch)
    {
        var v = critic.Forward(w, batch);                                                                   // [T+1, B, N, 1]
        var zeros = w.Tape.Scratch(v.Shape.Without(-1));
        w.Tape.Device.Fill(zeros, 0f);
        return mixer.Forward(w, new ActionValues(v, zeros, default), batch.States) + zeros;
    }
}
