namespace Marl.Native.Rl;

/// <summary>
/// A deterministic policy for continuous actions: maps the network's outputs x to the action range, mu = center + scale tanh(x), and adds noise for
/// exploration, a = clip(mu + exploration scale z), z standard normal (Lillicrap et al. 2016; noise as in Fujimoto et al. 2018). D is the length of an action, or
/// of the continuous part of one that has discrete branches as well.
/// </summary>
internal sealed class TanhPolicy
{
    private readonly Tensor center, scale, inverse;

    /// <summary>Creates the policy of an environment with continuous actions.</summary>
    public TanhPolicy(EnvironmentSpec spec)
    {
        // Padding is 0.
        int width = spec.ActionLayout.VectorSize;
        center = Tensor.Zeros(spec.Agents.Length, width);
        scale = Tensor.Zeros(spec.Agents.Length, width);
        inverse = Tensor.Zeros(spec.Agents.Length, width);
        for (int agent = 0; agent < spec.Agents.Length; agent++)
        {
            if (spec.Agents[agent] is not { Box: { } box, VectorSize: var count })
            {
                continue;
            }
            center[agent].Slice(0, count).Span.Fill(box.Center);
            scale[agent].Slice(0, count).Span.Fill(box.HalfWidth);
            inverse[agent].Slice(0, count).Span.Fill(1f / box.HalfWidth);
        }
    }

    /// <summary>Half the action range [N, D]; 0 in the padding.</summary>
    public Tensor Scale => scale;

    /// <summary>Computes mu [.., N, D].</summary>
    /// <param name="output">Outputs of the agents' network [.., N, D].</param>
    public Var Mean(Var output) => output.Tanh() * output.Tape.Cached(scale) + output.Tape.Cached(center);

    /// <summary>Maps actions [.., N, D] to [-1, 1], the inverse of center + scale x; 0 in the padding.</summary>
    public Var Normalize(Var action) => (action - action.Tape.Cached(center)) * action.Tape.Cached(inverse);

    /// <summary>Clips actions [.., N, D] to the action range.</summary>
    public Var Clip(Var action) => Normalize(action).Clamp(-1f, 1f) * action.Tape.Cached(scale) + action.Tape.Cached(center);

    /// <summary>Computes the action of an agent.</summary>
    /// <param name="agent">The index of the agent.</param>
    /// <param name="output">Outputs of its network [D].</param>
    /// <param name="exploration">Standard deviation of the noise, as a fraction of half the action range. 0: no noise.</param>
    /// <param name="rng">The random number generator.</param>
    /// <param name="action">Receives the action [D].</param>
    public void Act(int agent, ReadOnlySpan<float> output, float exploration, ref Rng rng, Span<float> action)
    {
        ReadOnlySpan<float> centers = center[agent].Span, radii = scale[agent].Span;
        for (int i = 0; i < action.Length; i++)
        {
            float x = F1.Tanh(new F1(output[i])).Value;
            if (exploration > 0 && radii[i] > 0)
            {
                x = Math.Clamp(x + exploration * (float)rng.NextNormal(), -1f, 1f);
            }
            action[i] = centers[i] + radii[i] * x;
        }
    }
}
