namespace Marl.Native.Nn;

/// <summary>A convolution over images with square kernels, as PyTorch's nn.Conv2d: x [N, C, H, W], <c>weight</c> [O, C, K, K], <c>bias</c> [O],
/// y [N, O, H', W'] with H' = (H + 2 padding - K) / stride + 1; both begin as <see cref="Initializers.UniformFanIn"/> of C K K.</summary>
public sealed class Conv2d
{
    private readonly ParameterSlice weight, bias;
    private readonly int stride, padding;

    /// <summary>Adds its weights to a layout.</summary>
    /// <param name="layout">where to, under the layout's prefix.</param>
    /// <param name="inputs">C, the channels of x.</param>
    /// <param name="outputs">O, the channels of y.</param>
    /// <param name="kernel">K, height and width of the kernels.</param>
    /// <param name="stride">from one patch to the next.</param>
    /// <param name="padding">rows and columns of zeros on each side.</param>
    public Conv2d(ParameterLayout layout, int inputs, int outputs, int kernel, int stride = 1, int padding = 0)
    {
        (this.stride, this.padding) = (stride, padding);
        var uniform = Initializers.UniformFanIn(inputs * kernel * kernel);
        weight = layout.Add("weight", new Shape(outputs, inputs, kernel, kernel), uniform);
        bias = layout.Add("bias", new Shape(outputs), uniform);
    }

    /// <summary>y from x.</summary>
    /// <exception cref="ArgumentException">x does not fit the weights; names both shapes.</exception>
    public Var Forward(Weights w, Var x) => x.Conv2d(w[weight], w[bias], stride, padding);
}
