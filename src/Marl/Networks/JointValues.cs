using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>
/// Q_jt, the unconstrained value of joint actions of QTRAN (Son et al. 2019, "joint action-value network"). Terms that depend on histories only are computed
/// once for all joint actions. Layers and parameter names are those of PyMARL.
/// </summary>
internal abstract class JointValues
{
    private readonly JoinedLinear first;
    private readonly Linear[] others;
    private readonly Tensor firstAction;

    /// <summary>Adds Q, a multilayer perceptron with the inputs [state, <paramref name="additional"/>], to <paramref name="layout"/>.</summary>
    protected JointValues(ParameterLayout layout, EnvironmentSpec spec, JointSize size, int outputs, params ReadOnlySpan<int> additional)
    {
        (Agents, Actions) = (spec.Agents.Length, spec.ActionCount);
        layout = layout.Scope("Q");
        first = new JoinedLinear(layout.Scope("0"), [spec.StateSize, .. additional], size.Embed);
        others = new Linear[size.Layers];
        for (int i = 1; i <= size.Layers; i++)
        {
            others[i - 1] = new Linear(layout.Scope($"{2 * i}"), size.Embed, i < size.Layers ? size.Embed : outputs);
        }
        float[] columns = [.. Enumerable.Range(0, Agents).Select(agent => (float)(agent * Actions))];
        firstAction = Tensor.Of(columns);
    }

    /// <summary>Whether the features of the agents' networks are an input.</summary>
    public virtual bool ReadsFeatures => false;

    /// <summary>N, the number of agents.</summary>
    protected int Agents { get; }

    /// <summary>A, the number of actions.</summary>
    protected int Actions { get; }

    /// <summary>Computes the terms that do not depend on actions, for T rows.</summary>
    /// <param name="w">The weights.</param>
    /// <param name="batch">The batch.</param>
    /// <param name="row">The first row.</param>
    /// <param name="features">[T+1, B, N, H] The features of the agents, if <see cref="ReadsFeatures"/>.</param>
    public virtual JointHistory Encode(Weights w, EpisodeBatch batch, int row, Var features)
        => new(first.First(w, w.Tape.Constant(batch.States.Slice(row, batch.Steps))), default);

    /// <summary>Computes the values of a joint action u.</summary>
    /// <param name="w">The weights.</param>
    /// <param name="history">The result of <see cref="Encode"/>.</param>
    /// <param name="actions">[T, B, N] The joint action u.</param>
    /// <returns>Q_jt(tau, u) [T, B, 1], or Q_jt(tau, ., u_-i) [T, B, N, A]: for each agent, the values of all its actions with the other agents' actions of
    /// u.</returns>
    public abstract Var Forward(Weights w, in JointHistory history, Tensor actions);

    /// <summary>Returns Q_jt(tau, u) [T, B, M] from the result of <see cref="Forward"/> for u, with M = 1, or M = N for one value per agent's
    /// network.</summary>
    public virtual Var Chosen(Var values, Tensor actions) => values;

    /// <summary>Applies the first layer to an additional input.</summary>
    protected Var First(Weights w, int input, Var x) => first.Part(w, input, x);

    /// <inheritdoc cref="First(Weights, int, Var)"/>
    protected Var First(Weights w, int input, Tensor index) => first.Part(w, input, index);

    /// <summary>Applies the first layer to each agent's action, one-hot among the actions of all agents: [T, B, N, E].</summary>
    protected Var FirstOfActions(Weights w, int input, Tensor actions)
    {
        var index = w.Tape.Scratch(actions.Shape);
        w.Tape.Device.Zip(default(Add), actions, w.Tape.Cached(firstAction), index);
        return first.Part(w, input, index);
    }

    /// <summary>Applies all layers after the first one.</summary>
    protected Var ForwardRemaining(Weights w, Var x)
    {
        x = x.Relu();
        foreach (var layer in others.AsSpan(0, others.Length - 1))
        {
            x = layer.ForwardRelu(w, x);
        }
        return others[^1].Forward(w, x);
    }
}

/// <summary>The sizes of Q_jt.</summary>
/// <param name="Embed">E, the width of the hidden layers.</param>
/// <param name="Layers">The number of hidden layers.</param>
internal readonly record struct JointSize(int Embed, int Layers);

/// <summary>The terms of Q_jt that depend on histories only, see <see cref="JointValues.Encode"/>.</summary>
/// <param name="State">[T, B, E] The terms of the state.</param>
/// <param name="Features">[T, B, N, H + A] The terms of the agents' features, if they are an input.</param>
internal readonly record struct JointHistory(Var State, Var Features);

/// <summary>
/// Q_jt(s, sum_i e(h_i, u_i)) with an encoding e of agent i's features and action, as in the paper: PyMARL's "qtran_paper".
/// </summary>
internal sealed class EncodedJointValues : JointValues
{
    private readonly JoinedLinear encoding;
    private readonly Linear encodingOut;

    public EncodedJointValues(ParameterLayout layout, EnvironmentSpec spec, JointSize size, int features)
        : base(layout, spec, size, outputs: 1, features + spec.ActionCount)
    {
        int width = features + Actions;
        layout = layout.Scope("action_encoding");
        encoding = new JoinedLinear(layout.Scope("0"), [features, Actions], width);
        encodingOut = new Linear(layout.Scope("2"), width, width);
    }

    public override bool ReadsFeatures => true;

    public override JointHistory Encode(Weights w, EpisodeBatch batch, int row, Var features)
        => base.Encode(w, batch, row, features) with { Features = encoding.First(w, features.Slice(0, row, batch.Steps)) };

    public override Var Forward(Weights w, in JointHistory history, Tensor actions)
    {
        var hidden = (history.Features + encoding.Part(w, 1, actions)).Relu();                              // [T, B, N, H + A]
        // The last layer of the encoding is linear: the sum of its outputs is N times its output for the mean of the inputs.
        var sum = encodingOut.Forward(w, hidden.Mean(2)) * Agents;
        return ForwardRemaining(w, history.State + First(w, 1, sum));
    }
}

/// <summary>Q_jt(s, u) with the state and all actions as inputs: PyMARL's "coma_critic".</summary>
internal sealed class PlainJointValues(ParameterLayout layout, EnvironmentSpec spec, JointSize size)
    : JointValues(layout, spec, size, outputs: 1, spec.Agents.Length * spec.ActionCount)
{
    public override Var Forward(Weights w, in JointHistory history, Tensor actions)
        => ForwardRemaining(w, history.State + FirstOfActions(w, 1, actions).Sum(2));
}

/// <summary>
/// Q_jt(s, ., u_-i) for every agent i: the values of all its actions, with the state, the other agents' actions and i as inputs (Son et al. 2019,
/// "counterfactual joint networks").
/// </summary>
internal sealed class CounterfactualValues : JointValues
{
    private readonly Tensor ids;

    public CounterfactualValues(ParameterLayout layout, EnvironmentSpec spec, JointSize size)
        : base(layout, spec, size, outputs: spec.ActionCount, spec.Agents.Length * spec.ActionCount, spec.Agents.Length)
    {
        float[] indices = [.. Enumerable.Range(0, Agents).Select(agent => (float)agent)];
        ids = Tensor.Of(indices);
    }

    public override Var Forward(Weights w, in JointHistory history, Tensor actions)
    {
        var each = FirstOfActions(w, 1, actions);                                                           // [T, B, N, E]
        var common = (history.State + each.Sum(2)).Reshape(each.Shape.With(2, 1));
        return ForwardRemaining(w, common - each + First(w, 2, w.Tape.Cached(ids)));
    }

    public override Var Chosen(Var values, Tensor actions) => values.Gather(actions.Reshape(actions.Shape.Append(1))).Reshape(actions.Shape);
}
