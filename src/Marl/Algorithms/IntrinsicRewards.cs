using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>
/// The networks of LIIR besides the policies (Du et al. 2019, section 4; layers and names are those of the authors' code): each agent's intrinsic reward, each
/// agent's proxy value, and one extrinsic value for all agents. They are heads on the features of one <see cref="Critic"/>.
/// <code>
/// h_i = relu(fc2 relu(fc1 x_i))      r_in_i(u) = 10 tanh(fc3_r_in(h_i)(u) / 10)      V_i = fc3_v_mix(h_i)      V_ex = fc4(h_1, .., h_N)
/// </code>
/// Features and proxy value are one network, which is trained on the proxy value; the other two heads read the features as constants.
/// </summary>
internal sealed class IntrinsicRewards
{
    // Intrinsic rewards are in [-10, 10].
    private const float Bound = 10f;

    private readonly Critic critic;
    private readonly Linear reward, extrinsic;

    /// <summary>Adds the parameters to two layouts.</summary>
    /// <param name="layout">Layout of features and proxy values.</param>
    /// <param name="heads">Layout of intrinsic rewards and the extrinsic value.</param>
    /// <param name="spec">The environment.</param>
    /// <param name="options">Inputs and sizes.</param>
    /// <exception cref="UsageException">The input is empty.</exception>
    public IntrinsicRewards(ParameterLayout layout, ParameterLayout heads, EnvironmentSpec spec, LiirOptions options)
    {
        if (!options.CriticObservation)
        {
            NetworkInput.RequireState(spec, "the critic", "use criticObservation=true");
        }
        var input = new NetworkInput(spec, common: [InputColumn.State], own: NetworkInput.Columns(
            (InputColumn.Observation, options.CriticObservation), (InputColumn.MaskedJointAction, options.CriticActions),
            (InputColumn.LastActions, options.CriticLastActions), (InputColumn.AgentId, options.ShareParameters)));
        critic = new Critic(layout, input, options.CriticNetwork, options.CriticHidden, options.ShareParameters, outputs: 1, headName: "fc3_v_mix");
        reward = new Linear(heads.Scope("fc3_r_in"), critic.FeatureSize, spec.ActionCount, options.ShareParameters ? 0 : input.Agents);
        extrinsic = new Linear(heads.Scope("fc4"), input.Agents * critic.FeatureSize, 1);
    }

    /// <summary>The critic of proxy values.</summary>
    public Critic Critic => critic;

    /// <summary>Computes the features h [T+1, B, N, H] of all rows.</summary>
    public Var Features(Weights w, EpisodeBatch batch) => critic.Features(w, batch);

    /// <summary>Computes V_i [T, B, N] from features [T, B, N, H].</summary>
    public Var ProxyValue(Weights w, Var features) => critic.Output(w, features).Reshape(features.Shape.Without(-1));

    /// <summary>Computes r_in_i(u_i) [T, B, N] of the actions taken from features [T, B, N, H]; with several branches the outputs fc3_r_in(h_i)(u_i) are
    /// averaged over them.</summary>
    public Var Reward(Weights heads, Var features, EpisodeBatch batch)
    {
        var chosen = new ActionValues(reward.Forward(heads, features), batch.Actions, batch.Available.Slice(0, batch.Steps)).Chosen;
        return (chosen / Bound).Tanh() * Bound;
    }

    /// <summary>Computes V_ex [T, B, 1] from all agents' features [T, B, N, H].</summary>
    public Var ExtrinsicValue(Weights heads, Var features)
    {
        var shape = features.Shape;
        return extrinsic.Forward(heads, features.Reshape(shape[0], shape[1], shape[2] * shape[3]));
    }
}
