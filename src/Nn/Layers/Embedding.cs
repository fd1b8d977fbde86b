namespace Marl.Native.Nn;

/// <summary>
/// A table of vectors, one per class, as PyTorch's nn.Embedding: indices [..] select y [.., F]. <c>weight</c> [V, F] is initialized from a standard normal
/// distribution.
/// </summary>
public sealed class Embedding
{
    private readonly ParameterSlice weight;

    /// <summary>Creates a table and adds it to a layout.</summary>
    /// <param name="layout">The layout.</param>
    /// <param name="count">V, the number of vectors.</param>
    /// <param name="features">F, the length of a vector.</param>
    public Embedding(ParameterLayout layout, int count, int features)
        => weight = layout.Add("weight", new Shape(count, features), Initializers.Normal());

    /// <summary>Returns the vectors [.., F] of indices [..], integers stored as floats.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An index lies outside the table.</exception>
    public Var Forward(Weights w, Tensor index) => w[weight].GatherRows(index);
}
