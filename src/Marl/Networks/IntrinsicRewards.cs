using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>
/// The networks of LIIR beside the policies, which read what the same two layers make of a <see cref="CriticInput"/> (Du et al. 2019, section 4; layers and
/// names are those of the authors' code): each agent's intrinsic reward, each agent's proxy value, and one extrinsic value of all agents together.
/// <code>
/// h_i = relu(fc2 relu(fc1 x_i))      r_in_i(u) = 10 tanh(fc3_r_in(h_i)(u) / 10)      V_i = fc3_v_mix(h_i)      V_ex = fc4(h_1, .., h_N)
/// </code>
/// The features and the proxy value are one network, which learns to say the value; the other two read the features as they are.
/// </summary>
internal sealed class IntrinsicRewards
{
    // An intrinsic reward is in -10 .. 10.
    private const float Bound = 10f;

    private readonly Linear fc1, fc2, reward, proxy, extrinsic;
    private readonly CriticInput input;
    private readonly int agents;

    /// <summary>Adds its parameters to two layouts.</summary>
    /// <param name="critic">of features and proxy values.</param>
    /// <param name="heads">of intrinsic rewards and the extrinsic value.</param>
    /// <param name="spec">the environment.</param>
    /// <param name="parts">what is seen.</param>
    /// <param name="shared">whether the agents have the same weights.</param>
    /// <param name="hidden">width.</param>
    /// <exception cref="UsageException">nothing would be seen.</exception>
    public IntrinsicRewards(ParameterLayout critic, ParameterLayout heads, EnvironmentSpec spec, CriticParts parts, bool shared, int hidden)
    {
        agents = spec.Agents.Length;
        int copies = shared ? 0 : agents;
        input = new CriticInput(spec, parts | (shared ? CriticParts.Agent : 0));
        fc1 = new Linear(critic.Scope("fc1"), input.Size, hidden, copies);
        fc2 = new Linear(critic.Scope("fc2"), hidden, hidden, copies);
        proxy = new Linear(critic.Scope("fc3_v_mix"), hidden, 1, copies);
        reward = new Linear(heads.Scope("fc3_r_in"), hidden, spec.ActionCount, copies);
        extrinsic = new Linear(heads.Scope("fc4"), agents * hidden, 1);
    }

    /// <summary>h [T+1, B, N, H] of all rows, the last included.</summary>
    public Var Features(Weights critic, EpisodeBatch batch)
    {
        var h = fc2.ForwardRelu(critic, input.Through(fc1, critic, batch));
        return h.Reshape(batch.Steps + 1, batch.Count, agents, h.Shape[-1]);
    }

    /// <summary>V_i [T, B, N] of features [T, B, N, H].</summary>
    public Var ProxyValue(Weights critic, Var features) => proxy.Forward(critic, features).Reshape(features.Shape.Without(-1));

    /// <summary>r_in_i(u_i) [T, B, N] of features and actions.</summary>
    public Var Reward(Weights heads, Var features, Tensor actions)
    {
        var chosen = new ActionValues(reward.Forward(heads, features), actions, default).Chosen;
        return (chosen / Bound).Tanh() * Bound;
    }

    /// <summary>V_ex [T, B, 1] of all agents' features.</summary>
    public Var ExtrinsicValue(Weights heads, Var features)
    {
        var shape = features.Shape;
        return extrinsic.Forward(heads, features.Reshape(shape[0], shape[1], shape[2] * shape[3]));
    }
}
