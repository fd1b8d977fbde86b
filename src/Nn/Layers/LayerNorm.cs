namespace Marl.Native.Nn;

/// <summary>
/// y = (x - mean) / sqrt(var + epsilon) * weight + bias, mean and variance (divisor F) over the last axis [F] of each row (Ba et
/// al. 2016), as PyTorch's nn.LayerNorm: <c>weight</c> [F] begins as 1, <c>bias</c> [F] as 0; with N copies x is [.., N, F],
/// both are [N, F].
/// </summary>
public sealed class LayerNorm
{
    private readonly ParameterSlice weight, bias;
    private readonly float epsilon;

    /// <summary>Adds its weights to a layout.</summary>
    /// <param name="layout">where to, under the layout's prefix.</param>
    /// <param name="features">F, the length of the last axis.</param>
    /// <param name="groups">N groups of rows with weights of their own; 0: one set of weights for all rows.</param>
    /// <param name="epsilon">keeps rows of equal numbers from dividing by 0.</param>
    public LayerNorm(ParameterLayout layout, int features, int groups = 0, float epsilon = 1e-5f)
    {
        this.epsilon = epsilon;
        weight = layout.AddGroups("weight", groups, [features], Initializers.Constant(1f));
        bias = layout.AddGroups("bias", groups, [features], Initializers.Constant(0f));
    }

    /// <summary>y, of the shape of x.</summary>
    /// <exception cref="ArgumentException">x does not fit the weights; names both shapes.</exception>
    public Var Forward(Weights w, Var x)
    {
        Var scale = w[weight], shift = w[bias];
        bool fits = x.Shape.Rank >= scale.Shape.Rank && x.Shape[-1] == scale.Shape[-1]
            && (scale.Shape.Rank == 1 || x.Shape[-2] == scale.Shape[0]);
        if (!fits)
        {
            throw new ArgumentException($"LayerNorm: input {x.Shape} does not fit weight {scale.Shape}");
        }
        return x.LayerNorm(scale, shift, epsilon);
    }
}
