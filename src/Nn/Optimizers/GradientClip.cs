namespace Marl.Native.Nn;

/// <summary>
/// Clips the gradient of parameters. Squared norms are computed per slice on the device and summed in double precision in the order of the slices, so that
/// results are deterministic; nothing is allocated.
/// </summary>
/// <example>
/// <code>
/// var layout = new ParameterLayout();
/// var network = new Mlp(layout, [2, 8, 1]);
/// var parameters = new Parameters(layout).Initialize(new Rng(1));
/// var (optimizer, clip) = (new Optimizer(parameters, new Adam()), new GradientClip(parameters));
/// // After a call of tape.Backward:
/// optimizer.Step(scale: clip.ByGlobalNorm(max: 10f));
/// </code>
/// </example>
public sealed class GradientClip
{
    private readonly Parameters parameters;
    private readonly Segments segments;
    private readonly Tensor sums, scale;
    private readonly float[] hostSums;

    /// <summary>Creates a clip for the gradient of <paramref name="parameters"/>.</summary>
    public GradientClip(Parameters parameters)
    {
        this.parameters = parameters;
        var device = parameters.Values.Device;
        hostSums = new float[parameters.Layout.Slices.Count];
        segments = device.CreateSegments([.. parameters.Layout.Slices.Select(slice => slice.Shape.Count)]);
        (sums, scale) = (device.Zeros(new Shape(hostSums.Length)), device.Zeros(new Shape(1)));
        Reset();
    }

    /// <summary>[slices] the squared norms of the gradient's slices in the last call of <see cref="ByGlobalNorm"/>.</summary>
    public Tensor SquaredNorms => sums;

    /// <summary>Computes the norm of the whole gradient, n = sqrt(sum g^2). It is not finite if an element is not finite or n^2 overflows.</summary>
    public float GlobalNorm() => Norm(ReadSquares(parameters.Gradient));

    /// <summary>Computes the norm from the squared norms of slices.</summary>
    public static float Norm(ReadOnlySpan<float> squaredNorms)
    {
        double sum = 0;
        foreach (float s in squaredNorms)
        {
            sum += s;
        }
        return (float)Math.Sqrt(sum);
    }

    /// <summary>
    /// Computes the factor that clips the gradient to a maximum norm: min(1, max / (n + 1e-6)) with n the <see cref="GlobalNorm"/> (Pascanu et al. 2013, as in
    /// PyTorch). The factor stays on the device, for <see cref="Optimizer.Step"/>.
    /// </summary>
    /// <param name="max">The maximum norm; infinity disables clipping.</param>
    /// <param name="loss">[1] the loss, or none.</param>
    /// <param name="log">Receives squared norms and loss, or none, see <see cref="Device.ClipScale"/>.</param>
    /// <returns>[1], the same tensor in every call. Once n or the loss is not finite it is negative, so that no step is taken, until <see cref="Reset"/>; use
    /// <see cref="FirstNonFinite(Tensor)"/> to find the slice.</returns>
    public Tensor ByGlobalNorm(float max, Tensor loss = default, Tensor log = default)
    {
        scale.Device.SumSquares(parameters.Gradient, segments, sums);
        scale.Device.ClipScale(sums, loss, max, scale, log);
        return scale;
    }

    /// <summary>Enables steps again after a gradient that was not finite.</summary>
    public void Reset() => scale.Device.Fill(scale, 1f);

    /// <summary>Clips the norm of every slice: g = g max / max(|g|, max).</summary>
    public void ByTensorNorm(float max)
    {
        var sums = ReadSquares(parameters.Gradient);
        for (int i = 0; i < sums.Length; i++)
        {
            var g = Parameters.View(parameters.Gradient, parameters.Layout.Slices[i]);
            g.Device.Map(new Affine(max / Math.Max(MathF.Sqrt(sums[i]), max), 0f), g, g);
        }
    }

    /// <summary>Clips every element: g = min(max(g, -max), max).</summary>
    public void ByValue(float max)
        => parameters.Values.Device.Map(new Clamp(-max, max), parameters.Gradient, parameters.Gradient);

    /// <summary>Returns the first slice with an element that is not finite or whose squared norm overflows, or null.</summary>
    /// <param name="block">[P] the gradient or values of the parameters, or a state of their optimizer.</param>
    public ParameterSlice? FirstNonFinite(Tensor block) => FirstNonFinite(ReadSquares(block));

    /// <summary>Returns the first slice whose squared norm is not finite, or null.</summary>
    public ParameterSlice? FirstNonFinite(ReadOnlySpan<float> squaredNorms)
    {
        for (int i = 0; i < squaredNorms.Length; i++)
        {
            if (!float.IsFinite(squaredNorms[i]))
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
