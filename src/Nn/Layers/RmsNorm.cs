namespace Marl.Native.Nn;

/// <summary>
/// y = x / sqrt(mean(x^2) + epsilon) * weight, the mean over the last axis [F] of each row (Zhang and Sennrich 2019, equation 4), as PyTorch's nn.RMSNorm:
/// <c>weight</c> [F] begins as 1. Cheaper than <see cref="LayerNorm"/>: nothing is centered, and there is no bias. With N copies x is [.., N, F] and the weight [N, F].
/// </summary>
public sealed class RmsNorm
{
    private readonly ParameterSlice weight;
    private readonly float epsilon;

    /// <summary>Adds its weights to a layout.</summary>
    /// <param name="layout">where to, under the layout's prefix.</param>
    /// <param name="features">F, the length of the last axis.</param>
    /// <param name="groups">N groups of rows with weights of their own; 0: one set of weights for all rows.</param>
    /// <param name="epsilon">keeps rows of zeros from dividing by 0.</param>
    public RmsNorm(ParameterLayout layout, int features, int groups = 0, float epsilon = 1e-5f)
    {
        this.epsilon = epsilon;
        weight = layout.AddGroups("weight", groups, [features], Initializers.Constant(1f));
    }

    /// <summary>y, of the shape of x.</summary>
    /// <exception cref="ArgumentException">x does not fit the weights; names both shapes.</exception>
    public Var Forward(Weights w, Var x)
    {
        var scale = w[weight];
        bool fits = x.Shape.Rank >= scale.Shape.Rank && x.Shape[-1] == scale.Shape[-1]
            && (scale.Shape.Rank == 1 || x.Shape[-2] == scale.Shape[0]);
        if (!fits)
        {
            throw new ArgumentException($"RmsNorm: input {x.Shape} does not fit weight {scale.Shape}");
        }
        var meanSquare = x.Square().Mean(-1).Reshape(x.Shape.With(-1, 1));
        return x / (meanSquare + epsilon).Sqrt() * scale;
    }
}
