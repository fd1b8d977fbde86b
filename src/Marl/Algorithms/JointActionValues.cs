namespace Marl.Native.Rl;

/// <summary>
/// Computes max over u_-i of Q_i(s, u_i, u_-i), the value of an agent's action given the best actions of the others (Pareto actor-critic, Christianos et al.
/// 2023, section 4), by enumerating the joint actions of the others. The critic's input is [state, actions of the others] and the agent's index, if it is one; it has one output per action of
/// the agent.
/// </summary>
internal sealed class JointActionValues
{
    /// <summary>The maximum number of joint actions of the others.</summary>
    public const int MaxCombinations = 4096;

    // Rows per forward pass, about: activations fit the cache.
    private const int RowsPerPass = 2048;

    private readonly Critic critic;
    private readonly Tensor combinations, uses, identity;
    private readonly int agents, actions, state, networks;

    /// <summary>Enumerates the joint actions of the others.</summary>
    /// <param name="critic">Q.</param>
    /// <param name="spec">The environment.</param>
    /// <param name="isSame">Whether the critic has the same values for all agents: they share it, and it does not know which agent it is for.</param>
    /// <exception cref="UsageException">The others have too many joint actions, or the critic is recurrent.</exception>
    public JointActionValues(Critic critic, EnvironmentSpec spec, bool isSame)
    {
        (this.critic, agents, actions, state) = (critic, spec.Agents.Length, spec.ActionCount, spec.StateSize);
        // Where the values of all agents are the same, one row stands for all.
        networks = isSame ? 1 : agents;
        identity = critic.Input.Contains(InputColumn.AgentId) ? new ActionEncoding(spec).Identity : default;
        int others = agents - 1;
        double count = Math.Pow(actions, others);
        if (count > MaxCombinations)
        {
            throw new UsageException($"{spec.Id} has {agents} agents with {actions} actions: {count} joint actions of the others are too many to enumerate, " +
                $"the maximum is {MaxCombinations}; use coma or maa2c");
        }
        if (critic.IsRecurrent)
        {
            throw new UsageException("a critic that evaluates actions that were not taken cannot be recurrent; use criticNetwork=mlp");
        }

        // The actions of combination m are the digits of m in base A, the first other agent's the most significant.
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

    /// <summary>The number of joint actions of the others, M = A^(N-1).</summary>
    public int Combinations { get; }

    /// <summary>Computes max over available u_-i of Q_i(s_t, u_i, u_-i) [T+1, B, N] for the agents' recorded actions u_i. Without gradients.</summary>
    public Tensor MaxOverOthers(Weights w, EpisodeBatch batch)
    {
        var (tape, episodes) = (w.Tape, batch.Count);
        var best = tape.Scratch(new Shape(batch.Steps + 1, episodes, agents));
        int block = Math.Max(1, RowsPerPass / (episodes * Combinations * networks));
        for (int first = 0; first <= batch.Steps; first += block)
        {
            int steps = Math.Min(block, batch.Steps + 1 - first);
            using (tape.NoGrad())
            {
                var q = AllValues(w, batch.States.Slice(first, steps), batch.BootstrapActions.Slice(first, steps));
                var index = tape.ArgMax(q.Value, Available(tape, batch.Available.Slice(first, steps)));
                q.Gather(index).Value.CopyTo(best.Slice(first, steps));
            }
        }
        return best;
    }

    /// <summary>Computes Q_i(s, u_i, .) [T, B, N, M] for all joint actions of the others.</summary>
    private Var AllValues(Weights w, Tensor states, Tensor chosen)
    {
        var (tape, device) = (w.Tape, w.Tape.Device);
        int steps = states.Shape[0], episodes = states.Shape[1], rows = steps * episodes, m = Combinations, size = critic.Input.Size, others = (agents - 1) * actions;
        var input = tape.Scratch(new Shape(steps, episodes * m, networks, size));
        device.CopyStrided(states, [state, 0, 0, 1], input, [m * networks * size, networks * size, size, 1], [rows, m, networks, state], accumulate: false);
        if (others > 0)
        {
            var past = new Tensor(input.Storage, input.Offset + state, new Shape(input.Count - state));
            device.CopyStrided(tape.Cached(combinations), [0, others, 0, 1], past, [m * networks * size, networks * size, size, 1], [rows, m, networks, others],
                accumulate: false);
        }
        if (!identity.IsNone)
        {
            int before = state + others;
            var index = new Tensor(input.Storage, input.Offset + before, new Shape(input.Count - before));
            device.CopyStrided(tape.Cached(identity), [0, 0, agents, 1], index, [m * networks * size, networks * size, size, 1], [rows, m, agents, agents],
                accumulate: false);
        }
        var own = tape.Scratch(new Shape(steps, episodes * m, networks, agents / networks));
        device.CopyStrided(chosen, [0, agents, 0, 1], own, [0, m * agents, agents, 1], [1, rows, m, agents], accumulate: false);
        return critic.Forward(w, tape.Constant(input)).Gather(own).Reshape(steps, episodes, m, agents).Permute(0, 1, 3, 2);
    }

    /// <summary>Returns [T, B, N, M]: 1 where all actions of a joint action of the others are available.</summary>
    private Tensor Available(Tape tape, Tensor available)
    {
        int steps = available.Shape[0], episodes = available.Shape[1];
        var parts = tape.Scratch(new Shape(steps * episodes, agents * Combinations));
        tape.Device.Gemm(Matrix.Of(available.Reshape(steps * episodes, agents * actions)), Matrix.Of(tape.Cached(uses)), Matrix.Of(parts));
        // 1 if N - 1 of N - 1 actions are available.
        return (tape.Constant(parts) - (agents - 2)).Clamp(0f, 1f).Value.Reshape(steps, episodes, agents, Combinations);
    }
}
