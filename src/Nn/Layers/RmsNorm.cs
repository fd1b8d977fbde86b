namespace Marl.Native.Nn;

/// <summary>
/// RMS normalization, y = x / sqrt(mean(x^2) + epsilon) * weight, with the mean over the last axis [F] of each row (Zhang and Sennrich 2019, equation 4), as
/// PyTorch's nn.RMSNorm. <c>weight</c> [F] is initially 1; with N groups x is [.., N, F] and the weight [N, F]. Cheaper than <see cref="LayerNorm"/>: it
/// neither centers x nor adds a bias.
/// </summary>
public sealed class RmsNorm
{
    private readonly ParameterSlice weight;
    private readonly float epsilon;

    /// <summary>Creates a layer and adds its weights to a layout.</summary>
    /// <param name="layout">The layout.</param>
    /// <param name="features">F, the length of the last axis.</param>
    /// <param name="groups">The number N of groups of rows with their own weights; 0: one set of weights for all rows.</param>
    /// <param name="epsilon">The term added to the mean square for numerical stability.</param>
    public RmsNorm(ParameterLayout layout, int features, int groups = 0, float epsilon = 1e-5f)
    {
        this.epsilon = epsilon;
        weight = layout.AddGroups("weight", groups, [features], Initializers.Constant(1f));
    }

    /// <summary>Computes y, of the shape of x.</summary>
    /// <exception cref="ArgumentException">x does not match the weights.</exception>
    public Var Forward(Weights w, Var x)
    {
        var scale = w[weight];
        bool fits = x.Shape.Rank >= scale.Shape.Rank && x.Shape[-1] == scale.Shape[-1]
            && (scale.Shape.Rank == 1 || x.Shape[-2] == scale.Shape[0]);
        if (!fits)
        {
            throw new ArgumentException($"RmsNorm: input {x.Shape} does not match weight {scale.Shape}");
        }
        var meanSquare = x.Square().Mean(-1).Reshape(x.Shape.With(-1, 1));
        return x / (meanSquare + epsilon).Sqrt() * scale;
    }
}
