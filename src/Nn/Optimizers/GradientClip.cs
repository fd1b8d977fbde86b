namespace Marl.Native.Nn;

/// <summary>Bounds the gradient of parameters before an optimiser's step. Sums of squares are taken slice by slice on the device
/// and added up in double precision in the order of the slices: deterministic, and nothing is allocated.</summary>
public sealed class GradientClip
{
    private readonly Parameters parameters;
    private readonly Tensor squares, sums;
    private readonly float[] hostSums;

    /// <summary>For the gradient of <paramref name="parameters"/>.</summary>
    public GradientClip(Parameters parameters)
    {
        this.parameters = parameters;
        hostSums = new float[parameters.Layout.Slices.Count];
        squares = parameters.Values.Device.Zeros(parameters.Values.Shape);
        sums = parameters.Values.Device.Zeros(new Shape(hostSums.Length));
    }

    /// <summary>The norm of all of the gradient, n = sqrt(sum g^2). It is not finite if any number of the gradient is not, or if
    /// n^2 overflows.</summary>
    public float GlobalNorm()
    {
        double sum = 0;
        foreach (float s in SumSquares(parameters.Gradient))
        {
            sum += s;
        }
        return (float)Math.Sqrt(sum);
    }

    /// <summary>g = g min(1, max / (n + 1e-6)) with n the <see cref="GlobalNorm"/> (Pascanu et al. 2013, in PyTorch's
    /// form).</summary>
    /// <returns>n before clipping. If it is not finite the gradient is left alone; <see cref="FirstNonFinite"/> tells where it
    /// went wrong.</returns>
    public float ByGlobalNorm(float max)
    {
        float norm = GlobalNorm();
        if (float.IsFinite(norm))
        {
            Scale(parameters.Gradient, Math.Min(1f, max / (norm + 1e-6f)));
        }
        return norm;
    }

    /// <summary>g = g max / max(|g|, max) for every slice g by itself.</summary>
    public void ByTensorNorm(float max)
    {
        var sums = SumSquares(parameters.Gradient);
        for (int i = 0; i < sums.Length; i++)
        {
            float norm = MathF.Sqrt(sums[i]);
            Scale(Parameters.View(parameters.Gradient, parameters.Layout.Slices[i]), max / Math.Max(norm, max));
        }
    }

    /// <summary>g = min(max(g, -max), max), number by number.</summary>
    public void ByValue(float max)
        => parameters.Values.Device.Map(new Clamp(-max, max), parameters.Gradient, parameters.Gradient);

    /// <summary>The first slice that holds a number which is not finite, or whose sum of squares overflows; none if all is
    /// well.</summary>
    /// <param name="block">[P] the parameters' gradient or values, or a memory of their optimiser.</param>
    public ParameterSlice? FirstNonFinite(Tensor block)
    {
        var sums = SumSquares(block);
        for (int i = 0; i < sums.Length; i++)
        {
            if (!float.IsFinite(sums[i]))
            {
                return parameters.Layout.Slices[i];
            }
        }
        return null;
    }

    private static void Scale(Tensor g, float factor) => g.Device.Map(new Affine(factor, 0f), g, g);

    /// <summary>The sum of squares of every slice of a block [P].</summary>
    private ReadOnlySpan<float> SumSquares(Tensor block)
    {
        var device = block.Device;
        device.Map(default(Square), block, squares);
        for (int i = 0; i < hostSums.Length; i++)
        {
            var slice = Parameters.View(squares, parameters.Layout.Slices[i]);
            device.Reduce(default(Sum), slice.Reshape(slice.Count), 0, sums.Slice(i, 1));
        }
        device.Read(sums, hostSums);
        return hostSums;
    }
}
