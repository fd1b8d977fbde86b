namespace Marl.Native.Rl;

/// <summary>
/// From an agent's numbers to an action within its box, mu = center + radius tanh(x), and with noise to explore by,
/// a = clip(mu + exploration radius z), z standard normal (Lillicrap et al. 2016; noise as in Fujimoto et al. 2018).
/// </summary>
internal sealed class TanhPolicy
{
    private readonly Tensor center, scale, inverse;

    /// <summary>For agents whose actions are numbers.</summary>
    public TanhPolicy(EnvironmentSpec spec)
    {
        // What an agent does not have is always 0.
        center = Tensor.Zeros(spec.Agents.Length, spec.ActionCount);
        scale = Tensor.Zeros(spec.Agents.Length, spec.ActionCount);
        inverse = Tensor.Zeros(spec.Agents.Length, spec.ActionCount);
        for (int agent = 0; agent < spec.Agents.Length; agent++)
        {
            var (count, box) = (spec.Agents[agent].Actions, spec.Agents[agent].Box!.Value);
            center[agent].Slice(0, count).Span.Fill(box.Center);
            scale[agent].Slice(0, count).Span.Fill(box.Radius);
            inverse[agent].Slice(0, count).Span.Fill(1f / box.Radius);
        }
    }

    /// <summary>[N, A] half of what each number may differ; 0 for those that an agent does not have.</summary>
    public Tensor Radius => scale;

    /// <summary>mu of what the agents' network says.</summary>
    /// <param name="output">[.., N, A]</param>
    public Var Mean(Var output) => output.Tanh() * output.Tape.Cached(scale) + output.Tape.Cached(center);

    /// <summary>Actions [.., N, A] in radii from the center, as tanh says them; 0 for those that an agent does not have.</summary>
    public Var Normalize(Var action) => (action - action.Tape.Cached(center)) * action.Tape.Cached(inverse);

    /// <summary>Actions [.., N, A] brought into the box.</summary>
    public Var Clip(Var action) => Normalize(action).Clamp(-1f, 1f) * action.Tape.Cached(scale) + action.Tape.Cached(center);

    /// <summary>An agent's action.</summary>
    /// <param name="agent">which.</param>
    /// <param name="output">[A] what its network says.</param>
    /// <param name="exploration">standard deviation of the noise, as a share of the radius; 0: none.</param>
    /// <param name="rng">chance.</param>
    /// <param name="action">[A] receives it.</param>
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
