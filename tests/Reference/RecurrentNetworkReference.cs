using Marl.Native.Nn;
using Marl.Native.Rl;

namespace Marl.Native.Tests;

/// <summary>A recurrent actor and a recurrent critic with layer normalization against MAPPO's authors' code: sequences with resets, values and gradients.</summary>
[Trait("Category", "Reference")]
public sealed class RecurrentNetworkReference
{
    private static readonly (string Ours, string Theirs)[] names =
    [
        ("fc1.norm.", "base.mlp.fc1.2."), ("fc1.", "base.mlp.fc1.0."), ("fc2.norm.", "base.mlp.fc2.0.2."), ("fc2.", "base.mlp.fc2.0.0."), ("rnn.norm.", "rnn.norm."),
        ("feature_norm.", "base.feature_norm."),
    ];

    private static readonly Dictionary<string, string> heads = new() { ["actor."] = "act.action_out.linear", ["critic."] = "v_out" };

    [Theory]
    [InlineData("net_onpolicy_rnn_a")]
    [InlineData("net_onpolicy_rnn_b")]
    public void ValueAndGradient(string name) => ReferenceCase.Run(name, null, c =>
    {
        int steps = c["obs"].Shape[0], episodes = c["obs"].Shape[1], hidden = (int)c.Number("hidden_size");
        var spec = new EnvironmentSpec
        {
            Id = name,
            Agents = [new AgentSpec(c["obs"].Shape[2], c["avail"].Shape[2])],
            StateSize = c["state"].Shape[2],
            EpisodeLimit = 1,
            SnapshotSize = 0,
        };
        Assert.Equal((1, 1), (c.Number("layer_N"), c.Number("recurrent_N")));
        NetworkOptions network = c.Text("activation") == "tanh" ? new TanhGru() : new GruNetwork { Layers = 2, LayerNorm = true };
        network = c.Flag("use_feature_normalization") ? new NormalizedInput(network) : network;
        ParameterLayout actorLayout = new(), criticLayout = new();
        var agent = new Agent(actorLayout, spec, new AgentOptions { Network = network, Hidden = hidden, AgentId = false });
        var critic = new Critic(criticLayout, new NetworkInput(spec, common: [InputColumn.State], own: []), network, hidden, shareParameters: true, outputs: 1);
        Parameters actor = Load("actor.", actorLayout), values = Load("critic.", criticLayout);
        Tensor observations = c["obs"].Reshape(steps, episodes, 1, c["obs"].Shape[2]), avail = c["avail"].Reshape(steps, episodes, 1, c["avail"].Shape[2]);
        Tensor nothing = Tensor.Zeros(steps, episodes, 1, 0), mask = c["masks"];
        var tape = new Tape();

        using (tape.Step())
        {
            var logits = agent.Forward(tape.Bind(actor), tape.Constant(observations), State("actor"), mask).Output;
            var logPolicy = logits.LogSoftmax(avail);
            var logProb = logPolicy.Gather(c["actions"].Reshape(steps, episodes, 1, 1)).Reshape(steps, episodes, 1);
            var entropy = (logPolicy.Entropy() * c["active_masks"]).Sum() * (1f / c["active_masks"].ToArray().Sum());
            var (features, last) = critic.Features(tape.Bind(values), new InputRows(tape.Constant(c["state"]), tape.Constant(nothing)), State("critic"), mask);
            var value = critic.Output(tape.Bind(values), features).Reshape(steps, episodes, 1);
            c.Compare("log_prob", logProb.Value);
            c.Compare("entropy", entropy.Value.Reshape(1));
            c.Compare("value", value.Value);
            c.Compare("last_hidden.critic", last.Value.Reshape(episodes, hidden));
            tape.Backward((logProb * c["cot.log_prob"]).Sum() + entropy * c["cot.entropy"].ToScalar() + (value * c["cot.value"]).Sum());
        }
        foreach (var (prefix, parameters) in (ReadOnlySpan<(string, Parameters)>)[("actor.", actor), ("critic.", values)])
        {
            foreach (var slice in parameters.Layout.Slices)
            {
                c.Compare("grad." + prefix + Theirs(slice.Name, heads[prefix]), Parameters.View(parameters.Gradient, slice));
            }
        }

        // Step by step, as in acting.
        Tensor actorStates = Tensor.Zeros(steps, episodes, hidden), criticStates = Tensor.Zeros(steps, episodes, hidden);
        using (tape.NoGrad())
        {
            Var h = State("actor"), g = State("critic");
            for (int t = 0; t < steps; t++)
            {
                h = agent.Forward(tape.Detached(actor), tape.Constant(observations.Slice(t, 1)), h, mask.Slice(t, 1)).State;
                g = critic.Features(tape.Detached(values), new InputRows(tape.Constant(c["state"].Slice(t, 1)), tape.Constant(nothing.Slice(t, 1))), g, mask.Slice(t, 1)).State;
                h.Value.CopyTo(actorStates[t]);
                g.Value.CopyTo(criticStates[t]);
            }
        }
        c.Compare("hidden.actor", actorStates);
        c.Compare("hidden.critic", criticStates);

        Var State(string of) => tape.Constant(c["h0." + of].Reshape(episodes, 1, hidden));

        Parameters Load(string prefix, ParameterLayout layout)
        {
            var parameters = new Parameters(layout);
            foreach (var slice in layout.Slices)
            {
                c[prefix + Theirs(slice.Name, heads[prefix])].CopyTo(parameters[slice]);
            }
            return parameters;
        }

        string Theirs(string ours, string head)
        {
            foreach (var (mine, theirs) in names)
            {
                if (ours.StartsWith(mine, StringComparison.Ordinal))
                {
                    return theirs + ours[mine.Length..];
                }
            }
            return ours.StartsWith("rnn.", StringComparison.Ordinal) ? $"rnn.{ours}_l0" : ours.Replace(network.Head, head, StringComparison.Ordinal);
        }
    }, "critics");
}

/// <summary>A network of one's own, made of another one: layer normalization of the input first.</summary>
internal sealed record NormalizedInput(NetworkOptions Inner) : NetworkOptions
{
    public override string Head => Inner.Head;

    public override INetwork Create(ParameterLayout layout, int inputs, int hidden, int groups)
        => new Module(new LayerNorm(layout.Scope("feature_norm"), inputs, groups), Inner.Create(layout, inputs, hidden, groups));

    private sealed class Module(LayerNorm norm, INetwork inner) : INetwork
    {
        public int FeatureSize => inner.FeatureSize;

        public int StateSize => inner.StateSize;

        public (Var Features, Var State) Forward(Weights w, in InputRows x, Var state, Tensor continueMask)
            => inner.Forward(w, norm.Forward(w, x.Concatenated()), state, continueMask);
    }
}

/// <summary>A network of one's own, of layers: linear - tanh - normalization twice, then a normalized recurrent layer.</summary>
internal sealed record TanhGru : NetworkOptions
{
    public override INetwork Create(ParameterLayout layout, int inputs, int hidden, int groups) => new Module(layout, inputs, hidden, groups);

    private sealed class Module(ParameterLayout layout, int inputs, int hidden, int groups) : INetwork
    {
        private readonly Linear fc1 = new(layout.Scope("fc1"), inputs, hidden, groups);
        private readonly LayerNorm norm1 = new(layout.Scope("fc1.norm"), hidden, groups);
        private readonly Linear fc2 = new(layout.Scope("fc2"), hidden, hidden, groups);
        private readonly LayerNorm norm2 = new(layout.Scope("fc2.norm"), hidden, groups);
        private readonly Gru gru = new(layout.Scope("rnn"), hidden, hidden, groups);
        private readonly LayerNorm norm = new(layout.Scope("rnn.norm"), hidden, groups);

        public int FeatureSize => hidden;

        public int StateSize => hidden;

        public (Var Features, Var State) Forward(Weights w, in InputRows x, Var state, Tensor continueMask)
        {
            var z = norm1.Forward(w, fc1.Forward(w, x.Concatenated()).Tanh());
            z = norm2.Forward(w, fc2.Forward(w, z).Tanh());
            var y = gru.Forward(w, z, state, continueMask);
            return (norm.Forward(w, y), y.Slice(0, y.Shape[0] - 1, 1).Reshape(state.Shape));
        }
    }
}
