using System.ComponentModel;
using Marl.Native;
using Marl.Native.Nn;
using Marl.Native.Rl;

namespace OwnAlgorithm;

/// <summary>The options of the algorithm, set by <c>--set</c> and listed by <c>marl list options own-weighted</c>. They create the objective.</summary>
[Description("value decomposition with positive weights of the state, a sample")]
public sealed record OwnWeightedOptions : ValueOptions
{
    /// <summary>Defaults of inherited options.</summary>
    public OwnWeightedOptions() => (Agent, Hidden) = (new ResidualNetwork(), 32);

    /// <summary>The mixer: computes the team's value from the agents' values.</summary>
    public MixerOptions Mixer { get; init; } = new PositiveMixer();

    /// <summary>The threshold of the Huber loss (Huber 1964): quadratic for smaller errors, linear for larger ones.</summary>
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
/// The objective: networks and loss. The learner provides replay, parallel gradients, target networks, checkpoints and metrics.
/// <code>
/// y_t = r_t + gamma (1 - terminated_t) Q_tot^-(s_{t+1}, argmax_u Q_a(tau_{t+1}, u))     or n-step and lambda returns, by nStep and lambda
/// L   = mean_t huber(Q_tot(s_t, u_t) - y_t)
/// </code>
/// </summary>
public sealed class OwnWeighted : Objective
{
    private readonly OwnWeightedOptions options;
    private readonly IMixer mixer;

    /// <summary>Adds one network: agents and mixer share an optimizer and a target network.</summary>
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

    /// <summary>Computes y_t [T, B, 1] with the target network, without gradient.</summary>
    private Tensor Target(LossContext context, Tensor qOnline)
    {
        var (tape, batch, steps) = (context.Tape, context.Batch, context.Batch.Steps);
        using var detached = tape.NoGrad();
        var q = Agent.Forward(context.Target, batch);
        var greedy = tape.ArgMax(options.DoubleQ ? qOnline : q.Value, batch.Available).Reshape(steps + 1, batch.Count, Agent.Agents);
        var next = Mix(context.Target, batch, q, row: 1, greedy.Slice(1, steps));
        return detached.Keep(context.Returns(options, next.Value));
    }

    /// <summary>Computes Q_tot(s_t, u_t) [T, B, 1] for T rows, starting at <paramref name="row"/>.</summary>
    private Var Mix(Weights w, EpisodeBatch batch, Var q, int row, Tensor actions)
        => mixer.Forward(w, new ActionValues(q.Slice(0, row, batch.Steps), actions, batch.Available.Slice(row, batch.Steps)), batch.States.Slice(row, batch.Steps));
}

/// <summary>Q_tot = elu(sum_a w_a(s) Q_a) + V(s), w_a(s) > 0: monotonic in every Q_a, so the agents' greedy actions maximize Q_tot.</summary>
public sealed record PositiveMixer : MixerOptions
{
    /// <summary>The width of the hidden layers of w and V.</summary>
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
