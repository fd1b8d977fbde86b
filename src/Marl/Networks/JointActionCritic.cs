using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>
/// Q_i(s, ., u_-i), the values of all actions of an agent for any joint action of the others, by three linear layers with ReLU between them of [state, one-hot
/// actions of the others] (Pareto actor-critic, Christianos et al. 2023, section 4). It answers for what the others did, and for the best that they could have
/// done, which it finds by going through all that they could.
/// </summary>
public sealed class JointActionCritic
{
    /// <summary>Most joint actions of the others that are gone through.</summary>
    public const int MostCombinations = 4096;

    // About so many rows go through the network at a time, so that the layers between stay small.
    private const int Rows = 2048;

    private readonly Linear fc1, fc2, fc3;
    private readonly JointActions joint;
    private readonly Tensor combinations, uses;
    private readonly int size, state;
    private readonly bool shared;

    /// <summary>Adds its parameters to <paramref name="layout"/>.</summary>
    /// <param name="layout">where to.</param>
    /// <param name="spec">the environment.</param>
    /// <param name="shared">whether the agents have one critic.</param>
    /// <param name="hidden">width.</param>
    /// <exception cref="UsageException">the others have more joint actions than can be gone through.</exception>
    public JointActionCritic(ParameterLayout layout, EnvironmentSpec spec, bool shared, int hidden)
    {
        joint = new JointActions(spec);
        (this.shared, state) = (shared, spec.StateSize);
        var (agents, actions, others) = (joint.Agents, joint.Actions, joint.Agents - 1);
        double count = Math.Pow(actions, others);
        if (count > MostCombinations)
        {
            throw new UsageException($"{agents} agents with {actions} actions in {spec.Id}: {count} joint actions of the others are too many to go through, " +
                $"{MostCombinations} are possible; take coma or maa2c");
        }
        size = state + others * actions;
        int copies = shared ? 0 : agents;
        fc1 = new Linear(layout.Scope("fc1"), size, hidden, copies);
        fc2 = new Linear(layout.Scope("fc2"), hidden, hidden, copies);
        fc3 = new Linear(layout.Scope("fc3"), hidden, actions, copies);

        // Combination m has the digits of m in base A, the first other agent's the highest.
        Combinations = (int)count;
        combinations = Tensor.Zeros(Combinations, others * actions);
        uses = Tensor.Zeros(agents * actions, agents * Combinations);
        for (int m = 0; m < Combinations; m++)
        {
            for (int other = 0, rest = m; other < others; other++)
            {
                int slot = others - 1 - other, action = rest % actions;
                rest /= actions;
                combinations.Span[m * others * actions + slot * actions + action] = 1f;
                for (int agent = 0; agent < agents; agent++)
                {
                    int who = slot < agent ? slot : slot + 1;
                    uses.Span[(who * actions + action) * agents * Combinations + agent * Combinations + m] = 1f;
                }
            }
        }
    }

    /// <summary>M = A^(N-1), the joint actions of the others.</summary>
    public int Combinations { get; }

    /// <summary>Q_i(s_t, ., u_-i) for what the others did: [T, B, N, A].</summary>
    public Var Forward(Weights w, EpisodeBatch batch)
    {
        var (tape, rows, agents, actions) = (w.Tape, batch.Steps * batch.Count, joint.Agents, joint.Actions);
        var now = joint.OneHot(tape, batch.Actions);
        // The others' blocks in their order: all before the agent's own, then all behind it.
        int foreign = (agents - 1) * actions;
        var others = tape.Scratch(new Shape(rows, agents, foreign));
        for (int agent = 0; agent < agents; agent++)
        {
            int before = agent * actions;
            Copy(agent, 0, 0, before);
            Copy(agent, before + actions, before, foreign - before);
        }
        var x = fc1.ForwardRelu(w, tape.Constant(batch.States.Slice(0, batch.Steps)), tape.Constant(others));
        return fc3.Forward(w, fc2.ForwardRelu(w, x)).Reshape(batch.Steps, batch.Count, agents, actions);

        void Copy(int agent, int from, int to, int width)
        {
            if (width > 0)
            {
                tape.Device.CopyStrided(At(now, from), [0, 0, agents * actions, 1], At(others, agent * foreign + to), [0, 0, agents * foreign, 1],
                    [1, 1, rows, width], accumulate: false);
            }
        }
    }

    /// <summary>max over u_-i of Q_i(s_t, u_i, u_-i), what the others could have done at best, for what the agent did: [T+1, B, N]. No gradient.</summary>
    public Tensor Best(Weights w, EpisodeBatch batch)
    {
        var (tape, episodes, agents) = (w.Tape, batch.Count, joint.Agents);
        var best = tape.Scratch(new Shape(batch.Steps + 1, episodes, agents));
        int block = Math.Max(1, Rows / (episodes * Combinations * (shared ? 1 : agents)));
        for (int first = 0; first <= batch.Steps; first += block)
        {
            int steps = Math.Min(block, batch.Steps + 1 - first);
            using (tape.NoGrad())
            {
                var q = All(w, batch.States.Slice(first, steps), batch.BootstrapActions.Slice(first, steps));
                var index = tape.ArgMax(q.Value, Available(tape, batch.Available.Slice(first, steps)));
                q.Gather(index).Value.CopyTo(best.Slice(first, steps));
            }
        }
        return best;
    }

    /// <summary>Q_i(s, u_i, .) of all that the others could do, [T, B, N, M].</summary>
    private Var All(Weights w, Tensor states, Tensor actions)
    {
        // One critic for all agents says the same to each: their columns are one.
        var (tape, device) = (w.Tape, w.Tape.Device);
        var (steps, episodes, agents, networks) = (states.Shape[0], states.Shape[1], joint.Agents, shared ? 1 : joint.Agents);
        int rows = steps * episodes, m = Combinations, foreign = size - state;
        var input = tape.Scratch(new Shape(steps, episodes * m, networks, size));
        device.CopyStrided(states, [state, 0, 0, 1], input, [m * networks * size, networks * size, size, 1], [rows, m, networks, state], accumulate: false);
        if (foreign > 0)
        {
            device.CopyStrided(tape.Resident(combinations), [0, foreign, 0, 1], At(input, state), [m * networks * size, networks * size, size, 1], [rows, m, networks, foreign],
                accumulate: false);
        }
        var own = tape.Scratch(new Shape(steps, episodes * m, networks, agents / networks));
        device.CopyStrided(actions, [0, agents, 0, 1], own, [0, m * agents, agents, 1], [1, rows, m, agents], accumulate: false);
        var q = fc3.Forward(w, fc2.ForwardRelu(w, fc1.ForwardRelu(w, tape.Constant(input)))).Gather(own);
        return q.Reshape(steps, episodes, m, agents).Permute(0, 1, 3, 2);
    }

    /// <summary>[T, B, N, M]: 1 where the others' parts of a joint action are all available.</summary>
    private Tensor Available(Tape tape, Tensor available)
    {
        var (steps, episodes, agents) = (available.Shape[0], available.Shape[1], joint.Agents);
        var parts = tape.Scratch(new Shape(steps * episodes, agents * Combinations));
        tape.Device.Gemm(Matrix.Of(available.Reshape(steps * episodes, agents * joint.Actions)), Matrix.Of(tape.Resident(uses)), Matrix.Of(parts));
        // Of the N - 1 parts none may be missing.
        return (tape.Constant(parts) - (agents - 2)).Clamp(0f, 1f).Value.Reshape(steps, episodes, agents, Combinations);
    }

    private static Tensor At(Tensor x, int start) => new(x.Storage, x.Offset + start, new Shape(x.Count - start));
}
