namespace Marl.Native.Nn;

/// <summary>In training, each element is 0 with a probability p and x / (1 - p) otherwise (Srivastava et al. 2014), as PyTorch's nn.Dropout;
/// in evaluation y = x.</summary>
public sealed class Dropout
{
    private readonly float probability;

    /// <summary>Has no weights.</summary>
    /// <exception cref="ArgumentOutOfRangeException">the probability is not in [0, 1).</exception>
    public Dropout(float probability = 0.5f) => this.probability = probability is >= 0f and < 1f ? probability
        : throw new ArgumentOutOfRangeException(nameof(probability), probability, "a probability in [0, 1) is needed");

    /// <summary>y from x, of the same shape.</summary>
    /// <param name="x">any shape.</param>
    /// <param name="rng">one draw per element, in their order; none in evaluation.</param>
    /// <param name="training">whether to drop anything.</param>
    public Var Forward(Var x, ref Rng rng, bool training)
    {
        if (!training || probability == 0f)
        {
            return x;
        }
        var scale = x.Tape.Scratch(x.Shape);
        using (var host = new HostView(scale, fresh: true))
        {
            foreach (ref float factor in host.Span)
            {
                factor = rng.NextSingle() < probability ? 0f : 1f / (1f - probability);
            }
        }
        return x * scale;
    }
}
