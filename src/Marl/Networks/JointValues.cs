using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>
/// Q_jt, the value of what all agents do together, which QTRAN learns without any constraint on its form (Son et al. 2019, "joint action-value network"). What it reads of the
/// agents' histories is computed once for all joint actions that it is asked about. Names and layers are those of PyMARL.
/// </summary>
internal abstract class JointValues
{
    private readonly JoinedLinear first;
    private readonly Linear[] others;
    private readonly Tensor firstAction;

    /// <summary>Adds Q, a perceptron of [state, <paramref name="more"/>], to <paramref name="layout"/>.</summary>
    protected JointValues(ParameterLayout layout, EnvironmentSpec spec, JointSize size, int outputs, params ReadOnlySpan<int> more)
    {
        (Agents, Actions) = (spec.Agents.Length, spec.ActionCount);
        layout = layout.Scope("Q");
        first = new JoinedLinear(layout.Scope("0"), [spec.StateSize, .. more], size.Embed);
        others = new Linear[size.Layers];
        for (int i = 1; i <= size.Layers; i++)
        {
            others[i - 1] = new Linear(layout.Scope($"{2 * i}"), size.Embed, i < size.Layers ? size.Embed : outputs);
        }
        float[] columns = [.. Enumerable.Range(0, Agents).Select(agent => (float)(agent * Actions))];
        firstAction = Tensor.Of(columns);
    }

    /// <summary>Whether it reads what the agents' networks make of their histories.</summary>
    public virtual bool ReadsFeatures => false;

    /// <summary>N</summary>
    protected int Agents { get; }

    /// <summary>A</summary>
    protected int Actions { get; }

    /// <summary>What does not depend on actions, of rows first .. first + T - 1.</summary>
    /// <param name="w">weights.</param>
    /// <param name="batch">its states.</param>
    /// <param name="row">the first row.</param>
    /// <param name="features">[T+1, B, N, H] of the agents, if <see cref="ReadsFeatures"/>.</param>
    public virtual JointHistory Read(Weights w, EpisodeBatch batch, int row, Var features)
        => new(first.First(w, w.Tape.Constant(batch.States.Slice(row, batch.Steps))), default);

    /// <summary>Values of a joint action u.</summary>
    /// <param name="w">weights.</param>
    /// <param name="history">from <see cref="Read"/>.</param>
    /// <param name="actions">u [T, B, N].</param>
    /// <returns>Q_jt(tau, u) [T, B, 1], or Q_jt(tau, ., u_-i) [T, B, N, A]: for each agent, of all that it could do while the others do as in u.</returns>
    public abstract Var Forward(Weights w, in JointHistory history, Tensor actions);

    /// <summary>Q_jt(tau, u) [T, B, M] from what <see cref="Forward"/> gave for u: once, or as each agent's network has it.</summary>
    public virtual Var Chosen(Var values, Tensor actions) => values;

    /// <summary>W_0 x of [.., more] inputs: what the first layer makes of them.</summary>
    protected Var First(Weights w, int input, Var x) => first.Part(w, input, x);

    /// <inheritdoc cref="First(Weights, int, Var)"/>
    protected Var First(Weights w, int input, Tensor index) => first.Part(w, input, index);

    /// <summary>[T, B, N, E]: what the first layer makes of each agent's action, one-hot among all agents' actions.</summary>
    protected Var FirstOfActions(Weights w, int input, Tensor actions)
    {
        var index = w.Tape.Scratch(actions.Shape);
        w.Tape.Device.Zip(default(Add), actions, w.Tape.Cached(firstAction), index);
        return first.Part(w, input, index);
    }

    /// <summary>All after the sums of the first layer.</summary>
    protected Var Rest(Weights w, Var x)
    {
        x = x.Relu();
        foreach (var layer in others.AsSpan(0, others.Length - 1))
        {
            x = layer.ForwardRelu(w, x);
        }
        return others[^1].Forward(w, x);
    }
}

/// <summary>Sizes of Q_jt.</summary>
/// <param name="Embed">width of the hidden layers.</param>
/// <param name="Layers">how many there are.</param>
internal readonly record struct JointSize(int Embed, int Layers);

/// <summary>What <see cref="JointValues.Read"/> makes of histories.</summary>
/// <param name="State">[T, B, E] of the state.</param>
/// <param name="Features">[T, B, N, H + A] of the agents' features, if they are read.</param>
internal readonly record struct JointHistory(Var State, Var Features);

/// <summary>
/// Q_jt(s, sum_i e(h_i, u_i)) with an encoding e of what agent i has seen and does, which shares the agents' networks, as in the paper: PyMARL's
/// "qtran_paper".
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

    public override JointHistory Read(Weights w, EpisodeBatch batch, int row, Var features)
        => base.Read(w, batch, row, features) with { Features = encoding.First(w, features.Slice(0, row, batch.Steps)) };

    public override Var Forward(Weights w, in JointHistory history, Tensor actions)
    {
        var hidden = (history.Features + encoding.Part(w, 1, actions)).Relu();                              // [T, B, N, H + A]
        // The last layer of the encoding is linear: the sum of what it makes of the agents is N times what it makes of their mean.
        var sum = encodingOut.Forward(w, hidden.Mean(2)) * Agents;
        return Rest(w, history.State + First(w, 1, sum));
    }
}

/// <summary>Q_jt(s, u) of the state and all actions: PyMARL's "coma_critic".</summary>
internal sealed class PlainJointValues(ParameterLayout layout, EnvironmentSpec spec, JointSize size)
    : JointValues(layout, spec, size, outputs: 1, spec.Agents.Length * spec.ActionCount)
{
    public override Var Forward(Weights w, in JointHistory history, Tensor actions)
        => Rest(w, history.State + FirstOfActions(w, 1, actions).Sum(2));
}

/// <summary>
/// Q_jt(s, ., u_-i) for every agent i: the values of all that it could do while the others do as they did, from the state, their actions and i (Son et al.
/// 2019, "counterfactual joint networks").
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
        return Rest(w, common - each + First(w, 2, w.Tape.Cached(ids)));
    }

    public override Var Chosen(Var values, Tensor actions) => values.Gather(actions.Reshape(actions.Shape.Append(1))).Reshape(actions.Shape);
}
