namespace Marl.Native.Nn;

/// <summary>A table of vectors, one per class, as PyTorch's nn.Embedding: indices [..] give y [.., F]; <c>weight</c> [V, F] begins standard normal.</summary>
public sealed class Embedding
{
    private readonly ParameterSlice weight;

    /// <summary>Adds its weights to a layout.</summary>
    /// <param name="layout">where to, under the layout's prefix.</param>
    /// <param name="count">V, the number of vectors.</param>
    /// <param name="features">F, their length.</param>
    public Embedding(ParameterLayout layout, int count, int features)
        => weight = layout.Add("weight", new Shape(count, features), Initializers.Normal());

    /// <summary>The vectors [.., F] of indices [..], integers below V stored as floats.</summary>
    /// <exception cref="ArgumentOutOfRangeException">an index outside of the table.</exception>
    public Var Forward(Weights w, Tensor index) => w[weight].GatherRows(index);
}
