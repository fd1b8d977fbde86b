using System.ComponentModel;

namespace Marl.Native.Rl;

/// <summary>Hyperparameters of VDAC: VDAC-sum by default, VDAC-mix with <c>mixer=qmix</c>; <c>mixer=vdn-s</c> adds a value of the state to the sum.</summary>
[Description("value-decomposition actor-critic (Su et al. 2021)")]
public sealed record VdacOptions : OnPolicyOptions
{
    /// <summary>Five-step returns as IA2C (Papoudakis et al. 2021), and no lagging target network: behind one, what a mixing network is off by at first outlasts the
    /// policy's exploration.</summary>
    public VdacOptions() => (NStep, LearningRate, TargetTau) = (5, 5e-4f, 1f);

    /// <summary>How the agents' state values become the team's.</summary>
    public MixerOptions Mixer { get; init; } = new VdnMixer();

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
/// Value-decomposition actor-critic (VDAC, Su, Adams and Beling 2021): the state value of the team is mixed from a value of each agent's own observation, and
/// every policy follows the advantage of the team:
/// <code>
/// V_tot(s) = mix(V_1(o_1), .., V_N(o_N); s),  dV_tot/dV_i >= 0           a sum: VDAC-sum; QMIX's network: VDAC-mix
/// G_t      = n-step or lambda return with the target critic's V_tot     A_t = G_t - V_tot(s_t)
/// L_critic = mean (G_t - V_tot(s_t))^2
/// L_actor  = -mean (A_t log pi_i(u_i,t) + c H(pi_i))
/// </code>
/// In the paper an agent's policy and value share their hidden layers; here they are two networks, as in the other algorithms. Without a mixer this is IA2C.
/// </summary>
internal sealed class Vdac : PolicyObjective
{
    // Places in Metrics.
    private const int CriticLoss = 2, Value = 3, Return = 4;

    private readonly VdacOptions options;
    private readonly Critic critic;
    private readonly IMixer mixer;

    public Vdac(VdacOptions options, LearningContext context) : base(options, context)
    {
        this.options = options;
        var spec = context.Spec;
        if (options.Mixer.IsJoint)
        {
            context.RequireCommonReward("VDAC learns one value of the team");
        }
        var (layout, local) = (AddNetwork("critic", options.OfCritics), options.Network with { AgentId = options.ShareParameters });
        critic = new Critic(layout.Scope("critic"), new NetworkInput(spec, common: [], own: local.Columns), options.CriticNetwork, options.CriticHidden,
            options.ShareParameters, outputs: 1);
        // A state value is the value of an agent's only action.
        mixer = options.Mixer.Create(layout.Scope("mixer"), spec with { Agents = [.. spec.Agents.Select(agent => agent with { Actions = 1 })] });
    }

    /// <inheritdoc/>
    public override IReadOnlyList<string> Metrics { get; } = ["actorLoss", "entropy", "criticLoss", "value", "return"];

    /// <inheritdoc/>
    public override void ComputeReturns(LossContext shard)
    {
        int steps = shard.Batch.Steps;
        var vNext = TotalValue(shard.TargetOf(Critic), shard.Batch).Slice(0, 1, steps).Value;
        shard.Store(TotalValue(shard.OnlineOf(Critic), shard.Batch).Slice(0, 0, steps).Value, Column.Values);
        shard.Store(Returns(shard, vNext), Column.Returns);
    }

    /// <inheritdoc/>
    public override Var Loss(LossContext shard)
    {
        var batch = shard.Batch;
        var vTot = TotalValue(shard.OnlineOf(Critic), batch).Slice(0, 0, batch.Steps);
        var error = (vTot - batch.Returns).Square();
        shard.Report(CriticLoss, error.Value);
        shard.Report(Value, vTot.Value);
        shard.Report(Return, batch.Returns);
        return shard.Mean(ActorLoss(shard, options.EntropyCoefficient)) + shard.Mean(error);
    }

    /// <summary>V_tot(s_t) of all rows, the same for every agent: [T+1, B, N].</summary>
    private Var TotalValue(Weights w, EpisodeBatch batch)
    {
        var v = critic.Forward(w, batch);                                                                   // [T+1, B, N, 1]
        var zeros = w.Tape.Scratch(v.Shape.Without(-1));
        w.Tape.Device.Fill(zeros, 0f);
        return mixer.Forward(w, new ActionValues(v, zeros, default), batch.States) + zeros;
    }
}
