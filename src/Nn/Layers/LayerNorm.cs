namespace Marl.Native.Nn;

/// <summary>
/// Layer normalization, y = (x - mean) / sqrt(var + epsilon) * weight + bias, with the mean and variance (divisor F) of the last axis [F] of each row (Ba et
/// al. 2016), as PyTorch's nn.LayerNorm. <c>weight</c> [F] is initially 1, <c>bias</c> [F] 0; with N groups x is [.., N, F], both are [N, F].
/// </summary>
public sealed class LayerNorm
{
    private readonly ParameterSlice weight, bias;
    private readonly float epsilon;

    /// <summary>Creates a layer and adds its weights to a layout.</summary>
    /// <param name="layout">The layout.</param>
    /// <param name="features">F, the length of the last axis.</param>
    /// <param name="groups">The number N of groups of rows with their own weights; 0: one set of weights for all rows.</param>
    /// <param name="epsilon">The term added to the variance for numerical stability.</param>
    public LayerNorm(ParameterLayout layout, int features, int groups = 0, float epsilon = 1e-5f)
    {
        this.epsilon = epsilon;
        weight = layout.AddGroups("weight", groups, [features], Initializers.Constant(1f));
        bias = layout.AddGroups("bias", groups, [features], Initializers.Constant(0f));
    }

    /// <summary>Computes y, of the shape of x.</summary>
    /// <exception cref="ArgumentException">x does not match the weights.</exception>
    public Var Forward(Weights w, Var x)
    {
        Var scale = w[weight], shift = w[bias];
        bool fits = x.Shape.Rank >= scale.Shape.Rank && x.Shape[-1] == scale.Shape[-1]
            && (scale.Shape.Rank == 1 || x.Shape[-2] == scale.Shape[0]);
        if (!fits)
        {
            throw new ArgumentException($"LayerNorm: input {x.Shape} does not match weight {scale.Shape}");
        }
        return x.LayerNorm(scale, shift, epsilon);
    }
}
