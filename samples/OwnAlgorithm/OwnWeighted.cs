using System.ComponentModel;
using Marl.Native;
using Marl.Native.Nn;
using Marl.Native.Rl;

namespace OwnAlgorithm;

/// <summary>The options: what <c>--set</c> changes, what <c>marl list options own-weighted</c> shows, and what makes the learner.</summary>
[Description("value decomposition with positive weights of the state, a sample")]
public sealed record OwnWeightedOptions : ValueOptions
{
    /// <summary>Defaults of inherited options.</summary>
    public OwnWeightedOptions() => (Agent, Hidden) = (new ResidualNetwork(), 32);

    /// <summary>How the agents' values become the team's.</summary>
    public MixerOptions Mixer { get; init; } = new PositiveMixer();

    /// <summary>Errors larger than this count linearly, not squared (Huber 1964).</summary>
    public float HuberDelta { get; init; } = 10f;

    public override Objective Create(LearningContext context) => new OwnWeighted(this, context);
    public override void Validate()
    {
        base.Validate();
        Mixer.Validate();
        UsageException.Require(HuberDelta > 0, HuberDelta, "positive");
    }
}

/// <summary>
/// The objective: networks and loss. Replay, gradients on all processors, target networks, checkpoints and metrics are the learner's.
/// <code>
/// y_t = r_t + gamma (1 - terminated_t) Q_tot^-(s_{t+1}, argmax_u Q_a(tau_{t+1}, u))     or longer returns, as nStep and lambda say
/// L   = mean_t huber(Q_tot(s_t, u_t) - y_t)
/// </code>
/// </summary>
public sealed class OwnWeighted : Objective
{
    private readonly OwnWeightedOptions options;
    private readonly IMixer mixer;

    /// <summary>One network: the agents and the mixer are trained together, and have a target network together.</summary>
    public OwnWeighted(OwnWeightedOptions options, LearningContext context)
    {
        context.RequireCommonReward("a mixer learns one value for the team");
        this.options = options;
        var layout = AddNetwork("network", options);
        Agent = new Agent(layout.Scope("agent"), context.Spec, options.Network);
        mixer = options.Mixer.Create(layout.Scope("mixer"), context.Spec);
    }

    public override Agent Agent { get; }
    public override IReadOnlyList<string> Metrics { get; } = ["absoluteError"];

    public override Var Loss(LossContext context)
    {
        var q = Agent.Forward(context.Online, context.Batch);                                       // [T+1, B, N, A]
        var qTot = Mix(context.Online, context.Batch, q, row: 0, context.Batch.Actions);              // [T, B, 1]
        var error = qTot - Target(context, q.Value);
        context.Report(0, error.Abs().Value);
        return context.Mean(error.Huber(options.HuberDelta));
    }

    /// <summary>y_t [T, B, 1]: by the target network, and without a gradient.</summary>
    private Tensor Target(LossContext context, Tensor qOnline)
    {
        var (tape, batch, steps) = (context.Tape, context.Batch, context.Batch.Steps);
        using var detached = tape.NoGrad();
        var q = Agent.Forward(context.Target, batch);
        var greedy = tape.ArgMax(options.DoubleQ ? qOnline : q.Value, batch.Available).Reshape(steps + 1, batch.Count, Agent.Agents);
        var next = Mix(context.Target, batch, q, row: 1, greedy.Slice(1, steps));
        return detached.Keep(context.Returns(options, next.Value));
    }

    /// <summary>Q_tot(s_t, u_t) [T, B, 1] of the T rows from <paramref name="row"/> on.</summary>
    private Var Mix(Weights w, EpisodeBatch batch, Var q, int row, Tensor actions)
        => mixer.Forward(w, new ActionValues(q.Slice(0, row, batch.Steps), actions, batch.Available.Slice(row, batch.Steps)), batch.States.Slice(row, batch.Steps));
}

/// <summary>Q_tot = elu(sum_a w_a(s) Q_a) + V(s), w_a(s) > 0: it grows with every Q_a, so each agent's greedy action is the team's.</summary>
public sealed record PositiveMixer : MixerOptions
{
    /// <summary>Width of the hidden layers of w and V.</summary>
    public int Embed { get; init; } = 32;

    public override IMixer Create(ParameterLayout layout, EnvironmentSpec spec) => new Module(layout, spec.StateSize, Embed, spec.Agents.Length);

    private sealed class Module(ParameterLayout layout, int state, int embed, int agents) : IMixer
    {
        private readonly Mlp weight = new(layout.Scope("w"), [state, embed, agents]), value = new(layout.Scope("V"), [state, embed, 1]);

        public Var Forward(Weights w, in ActionValues q, Tensor state)
        {
            var s = w.Tape.Constant(state);                                                     // [T, B, S]
            var v = value.Forward(w, s);                                                        // [T, B, 1]
            return (weight.Forward(w, s).Softplus() * q.Chosen).Sum(-1).Elu().Reshape(v.Shape) + v;
        }
    }
}

/// <summary>x_0 = relu(W_0 x), x_{i+1} = x_i + relu(W_i norm(x_i)): the hidden layers of agents or critics, for any algorithm.</summary>
public sealed record ResidualNetwork : NetworkOptions
{
    public override INetwork Create(ParameterLayout layout, int inputs, int hidden, int groups) => new Module(layout, inputs, hidden, groups);

    private sealed class Module(ParameterLayout layout, int inputs, int hidden, int groups) : INetwork
    {
        private readonly Linear first = new(layout.Scope("fc1"), inputs, hidden, groups), second = new(layout.Scope("fc2"), hidden, hidden, groups);
        private readonly LayerNorm norm = new(layout.Scope("norm"), hidden, groups);

        public int FeatureSize => hidden;
        public int StateSize => 0;

        public (Var Features, Var State) Forward(Weights w, in InputRows x, Var state, Tensor continueMask = default)
        {
            var y = x.LinearRelu(w, first);
            return (y + second.ForwardRelu(w, norm.Forward(w, y)), state);
        }
    }
}
