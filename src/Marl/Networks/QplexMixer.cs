using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>
/// A duplex dueling mixer (QPLEX, Wang et al. 2021, section 3.2, equations 6 - 11), which can represent all joint values that are consistent with the agents'
/// greedy actions.
/// <code>
/// V_i = w_i(s) max_u Q_i(u) + b_i(s)         A_i = w_i(s) (Q_i(u_i) - max_u Q_i(u))         transformation: w_i > 0, so A_i &lt;= 0
/// V_tot = sum_i V_i                          A_tot = sum_i lambda_i(s, u) A_i               dueling mixture: lambda_i > 0
/// Q_tot = V_tot + A_tot = sum_i Q_i(s, u_i) + sum_i (lambda_i(s, u) - 1) A_i                Q_i(s, u_i) = w_i(s) Q_i(u_i) + b_i(s) = V_i + A_i
/// lambda_i = sum_k |key_k(s)| sigmoid(agent_k(s)_i) sigmoid(action_k(s, u)_i)               k = 1 .. K attention kernels
/// </code>
/// As in section 3.2 of the paper and in its code, A_i is detached in the last sum: gradients reach the agents through Q_i(s, u_i) only.
/// </summary>
public sealed record QplexMixer : MixerOptions
{
    /// <summary>The width of the hidden layers of w and b.</summary>
    public int HypernetEmbed { get; init; } = 64;

    /// <summary>K, the number of attention kernels.</summary>
    public int Kernels { get; init; } = 4;

    /// <summary>The number of layers of the kernels' networks, 1 .. 3.</summary>
    public int KernelLayers { get; init; } = 1;

    /// <summary>The width of the hidden layers of the kernels' networks, if they have more than one layer.</summary>
    public int KernelEmbed { get; init; } = 64;

    /// <inheritdoc/>
    public override IMixer Create(ParameterLayout layout, EnvironmentSpec spec) => new Module(this, layout, spec);

    /// <inheritdoc/>
    public override void Validate()
    {
        UsageException.RequireWidth(HypernetEmbed);
        UsageException.RequireWidth(Kernels);
        UsageException.Require(KernelLayers is >= 1 and <= 3, KernelLayers, "in 1 .. 3");
        UsageException.RequireWidth(KernelEmbed);
    }

    internal sealed class Module : IMixer
    {
        // Added to |x|, as in the paper's code, so that it is positive.
        private const float Epsilon = 1e-10f;

        private readonly HyperNetwork hyperW;
        private readonly Mlp v;
        private readonly Kernels key, agent, action;

        public Module(QplexMixer options, ParameterLayout layout, EnvironmentSpec spec)
        {
            var (agents, state) = (spec.Agents.Length, spec.StateSize);
            hyperW = new HyperNetwork(layout.Scope("hyper_w_final"), state, agents, options.HypernetEmbed);
            v = new Mlp(layout.Scope("V"), [state, options.HypernetEmbed, agents]);
            var attention = layout.Scope("si_weight");
            key = new Kernels(attention.Scope("key_extractors"), state, 1, options);
            agent = new Kernels(attention.Scope("agents_extractors"), state, agents, options);
            action = new Kernels(attention.Scope("action_extractors"), state + agents * spec.ActionCount, agents, options);
        }

        public Var Forward(Weights w, in ActionValues q, Tensor state)
        {
            var s = w.Tape.Constant(state);
            var weight = hyperW.Forward(w, s).Abs() + Epsilon;                                    // w_i(s) [T, B, N]
            var values = weight * q.Chosen + v.Forward(w, s);                                   // Q_i(s, u_i)
            var mixed = values + (Credit(w, s, q) - 1f) * Advantages(weight, q);
            return mixed.Sum(-1).Reshape(q.Actions.Shape.With(-1, 1));
        }

        /// <summary>Computes lambda_i(s, u) > 0, [T, B, N].</summary>
        public Var Credit(Weights w, Var s, in ActionValues q)
        {
            var joint = Ops.Concat(-1, s, w.Tape.Constant(OneHot(w.Tape, q)));
            var kernels = (key.Forward(w, s).Abs() + Epsilon) * agent.Forward(w, s).Sigmoid() * action.Forward(w, joint).Sigmoid();
            return kernels.Sum(-2);
        }

        /// <summary>Computes A_i &lt;= 0, [T, B, N].</summary>
        private static Tensor Advantages(Var weight, in ActionValues q)
        {
            var tape = weight.Tape;
            var advantages = tape.Scratch(weight.Shape);
            using (tape.NoGrad())
            {
                (weight * (q.Chosen - q.Max())).Value.CopyTo(advantages);
            }
            return advantages;
        }

        /// <summary>Encodes the actions of all agents as one-hot, [T, B, N A].</summary>
        private static Tensor OneHot(Tape tape, in ActionValues q)
        {
            var (actions, count) = (q.Actions, q.All.Shape[-1]);
            var (oneHot, ones) = (tape.Scratch(actions.Shape.With(-1, actions.Shape[-1] * count)), tape.Scratch(new Shape(actions.Count, 1)));
            tape.Device.Fill(oneHot, 0f);
            tape.Device.Fill(ones, 1f);
            tape.Device.ScatterAdd(ones, actions.Reshape(ones.Shape), oneHot.Reshape(actions.Count, count));
            return oneHot;
        }

        /// <summary>
        /// K multilayer perceptrons with the same input: [.., in] to [.., K, out]. Their first layers are computed as one wide layer, the other layers in one
        /// batched product each.
        /// </summary>
        private sealed class Kernels
        {
            private readonly int count;
            private readonly Linear first;
            private readonly Linear[] rest;

            public Kernels(ParameterLayout layout, int inputs, int outputs, QplexMixer options)
            {
                count = options.Kernels;
                // Parameter names as in PyTorch's nn.Sequential, where activations have indices, too; a single layer has none.
                first = options.KernelLayers == 1
                    ? new Linear(layout, inputs, count * outputs)
                    : new Linear(layout.Scope("0"), inputs, count * options.KernelEmbed);
                rest = new Linear[options.KernelLayers - 1];
                for (int layer = 1; layer <= rest.Length; layer++)
                {
                    int width = layer == rest.Length ? outputs : options.KernelEmbed;
                    rest[layer - 1] = new Linear(layout.Scope($"{2 * layer}"), options.KernelEmbed, width, count);
                }
            }

            public Var Forward(Weights w, Var x)
            {
                x = rest.Length > 0 ? first.ForwardRelu(w, x) : first.Forward(w, x);
                x = x.Reshape(x.Shape.With(-1, count).Append(x.Shape[-1] / count));
                for (int layer = 0; layer < rest.Length; layer++)
                {
                    x = layer < rest.Length - 1 ? rest[layer].ForwardRelu(w, x) : rest[layer].Forward(w, x);
                }
                return x;
            }
        }
    }
}
