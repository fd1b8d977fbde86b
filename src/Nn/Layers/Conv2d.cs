namespace Marl.Native.Nn;

/// <summary>
/// A convolution over images with square kernels, as PyTorch's nn.Conv2d: x [N, C, H, W], <c>weight</c> [O, C, K, K], <c>bias</c> [O], y [N, O, H', W'] with H'
/// = (H + 2 padding - K) / stride + 1. Weights and biases are initialized by <see cref="Initializers.UniformFanIn"/> of C K K.
/// </summary>
public sealed class Conv2d
{
    private readonly ParameterSlice weight, bias;
    private readonly int stride, padding;

    /// <summary>Creates a layer and adds its weights to a layout.</summary>
    /// <param name="layout">The layout.</param>
    /// <param name="inputs">C, the number of channels of x.</param>
    /// <param name="outputs">O, the number of channels of y.</param>
    /// <param name="kernel">K, the height and width of the kernels.</param>
    /// <param name="stride">The distance between two patches, at least 1.</param>
    /// <param name="padding">The number of rows and columns of zeros on each side.</param>
    public Conv2d(ParameterLayout layout, int inputs, int outputs, int kernel, int stride = 1, int padding = 0)
    {
        (this.stride, this.padding) = (stride, padding);
        var uniform = Initializers.UniformFanIn(inputs * kernel * kernel);
        weight = layout.Add("weight", new Shape(outputs, inputs, kernel, kernel), uniform);
        bias = layout.Add("bias", new Shape(outputs), uniform);
    }

    /// <summary>Computes y.</summary>
    /// <exception cref="ArgumentException">x does not match the weights.</exception>
    public Var Forward(Weights w, Var x) => x.Conv2d(w[weight], w[bias], stride, padding);
}
