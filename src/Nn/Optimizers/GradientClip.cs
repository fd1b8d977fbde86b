namespace Marl.Native.Nn;

/// <summary>Bounds the gradient of parameters in an optimizer's step. Sums of squares are taken slice by slice on the device
/// and added up in double precision in the order of the slices: deterministic, and nothing is allocated.</summary>
public sealed class GradientClip
{
    private readonly Parameters parameters;
    private readonly Segments segments;
    private readonly Tensor sums, scale;
    private readonly float[] hostSums;

    /// <summary>For the gradient of <paramref name="parameters"/>.</summary>
    public GradientClip(Parameters parameters)
    {
        this.parameters = parameters;
        var device = parameters.Values.Device;
        hostSums = new float[parameters.Layout.Slices.Count];
        segments = device.Split([.. parameters.Layout.Slices.Select(slice => slice.Shape.Count)]);
        (sums, scale) = (device.Zeros(new Shape(hostSums.Length)), device.Zeros(new Shape(1)));
        Reset();
    }

    /// <summary>[slices] the sums of squares of the gradient that <see cref="ByGlobalNorm"/> saw last.</summary>
    public Tensor Squares => sums;

    /// <summary>The norm of all of the gradient, n = sqrt(sum g^2). It is not finite if any number of the gradient is not, or if
    /// n^2 overflows.</summary>
    public float GlobalNorm() => Norm(ReadSquares(parameters.Gradient));

    /// <summary>The same of sums of squares of its slices.</summary>
    public static float Norm(ReadOnlySpan<float> squares)
    {
        double sum = 0;
        foreach (float s in squares)
        {
            sum += s;
        }
        return (float)Math.Sqrt(sum);
    }

    /// <summary>How many times the gradient counts in a step: min(1, max / (n + 1e-6)) with n the <see cref="GlobalNorm"/> (Pascanu et al. 2013, in
    /// PyTorch's form). Nothing is read: the number stays on the device, for <see cref="Optimizer.Step"/>.</summary>
    /// <param name="max">infinite: the gradient counts once.</param>
    /// <param name="loss">[1] what was differentiated, or none.</param>
    /// <returns>[1], the same tensor at every call. It is negative, so that no step is taken, once n or the loss is not finite, until
    /// <see cref="Reset"/>; <see cref="FirstNonFinite(Tensor)"/> tells where it went wrong.</returns>
    public Tensor ByGlobalNorm(float max, Tensor loss = default)
    {
        scale.Device.SumSquares(parameters.Gradient, segments, sums);
        scale.Device.ClipScale(sums, loss, max, scale);
        return scale;
    }

    /// <summary>Steps are taken again.</summary>
    public void Reset() => scale.Device.Fill(scale, 1f);

    /// <summary>g = g max / max(|g|, max) for every slice g by itself.</summary>
    public void ByTensorNorm(float max)
    {
        var sums = ReadSquares(parameters.Gradient);
        for (int i = 0; i < sums.Length; i++)
        {
            var g = Parameters.View(parameters.Gradient, parameters.Layout.Slices[i]);
            g.Device.Map(new Affine(max / Math.Max(MathF.Sqrt(sums[i]), max), 0f), g, g);
        }
    }

    /// <summary>g = min(max(g, -max), max), number by number.</summary>
    public void ByValue(float max)
        => parameters.Values.Device.Map(new Clamp(-max, max), parameters.Gradient, parameters.Gradient);

    /// <summary>The first slice that holds a number which is not finite, or whose sum of squares overflows; none if all is
    /// well.</summary>
    /// <param name="block">[P] the parameters' gradient or values, or a memory of their optimizer.</param>
    public ParameterSlice? FirstNonFinite(Tensor block) => FirstNonFinite(ReadSquares(block));

    /// <summary>The same by sums of squares of the slices.</summary>
    public ParameterSlice? FirstNonFinite(ReadOnlySpan<float> squares)
    {
        for (int i = 0; i < squares.Length; i++)
        {
            if (!float.IsFinite(squares[i]))
            {
                return parameters.Layout.Slices[i];
            }
        }
        return null;
    }

    private ReadOnlySpan<float> ReadSquares(Tensor block)
    {
        block.Device.SumSquares(block, segments, sums);
        block.Device.Read(sums, hostSums);
        return hostSums;
    }
}
