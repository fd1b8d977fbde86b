namespace Marl.Native.Nn;

/// <summary>
/// Dropout (Srivastava et al. 2014), as PyTorch's nn.Dropout: in training each element is set to 0 with probability p, and scaled by 1 / (1 - p) otherwise; in
/// evaluation y = x. The layer has no weights.
/// </summary>
public sealed class Dropout
{
    private readonly float probability;

    /// <summary>Creates a dropout layer.</summary>
    /// <param name="probability">The probability of setting an element to 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">The probability is not in [0, 1).</exception>
    public Dropout(float probability = 0.5f) => this.probability = probability is >= 0f and < 1f ? probability
        : throw new ArgumentOutOfRangeException(nameof(probability), probability, "the probability must be in [0, 1)");

    /// <summary>Computes y, of the shape of x.</summary>
    /// <param name="x">The input, of any shape.</param>
    /// <param name="rng">The random number generator: one draw per element in training, none in evaluation.</param>
    /// <param name="training">Whether to drop elements.</param>
    public Var Forward(Var x, ref Rng rng, bool training)
    {
        if (!training || probability == 0f)
        {
            return x;
        }
        var scale = x.Tape.Scratch(x.Shape);
        using (var host = new HostView(scale, writeOnly: true))
        {
            foreach (ref float factor in host.Span)
            {
                factor = rng.NextSingle() < probability ? 0f : 1f / (1f - probability);
            }
        }
        return x * scale;
    }
}
