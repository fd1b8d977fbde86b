using System.Runtime.CompilerServices;

namespace Marl.Native;

/// <summary>Fills the initial values of one slice of parameters.</summary>
/// <param name="values">row-major.</param>
/// <param name="shape">their shape.</param>
/// <param name="rng">the only source of chance.</param>
public delegate void Initializer(Span<float> values, Shape shape, ref Rng rng);

/// <summary>A named part of a flat block of parameters.</summary>
/// <param name="Name">such as "fc1.weight".</param>
/// <param name="Shape">its shape.</param>
/// <param name="Offset">its first element in the block.</param>
/// <param name="Initializer">its initial values.</param>
public sealed record ParameterSlice(string Name, Shape Shape, int Offset, Initializer Initializer);

/// <summary>
/// The names, shapes and initial values of the parameters of a network. Modules add theirs when they are constructed; any number of
/// <see cref="Parameters"/> (online, target, ensemble members) are then made of one layout.
/// </summary>
public sealed class ParameterLayout
{
    private readonly List<ParameterSlice> slices;
    private readonly string prefix;

    /// <summary>A layout without parameters yet.</summary>
    public ParameterLayout() => (slices, prefix) = ([], "");

    private ParameterLayout(ParameterLayout parent, string name) => (slices, prefix) = (parent.slices, parent.prefix + name + ".");

    /// <summary>All slices, in the order of the block.</summary>
    public IReadOnlyList<ParameterSlice> Slices => slices;

    /// <summary>Number of parameters.</summary>
    public int Count => slices.Count == 0 ? 0 : slices[^1].Offset + slices[^1].Shape.Count;

    /// <summary>The same layout, under whose names <paramref name="name"/> and a dot come first.</summary>
    public ParameterLayout Scope(string name) => new(this, name);

    /// <summary>Adds a slice at the end.</summary>
    /// <exception cref="ArgumentException">the name is taken.</exception>
    public ParameterSlice Add(string name, Shape shape, Initializer initializer)
    {
        if (slices.Exists(s => s.Name == prefix + name))
        {
            throw new ArgumentException($"there is a parameter '{prefix + name}' already");
        }
        var slice = new ParameterSlice(prefix + name, shape, Count, initializer);
        slices.Add(slice);
        return slice;
    }
}

/// <summary>
/// The parameters of networks as one flat block of values, with a gradient block beside it: copying, Polyak averaging, clipping, an
/// optimizer step and a checkpoint are one pass each. A network is a pure function of (parameters, input).
/// </summary>
public sealed class Parameters
{
    private bool isDiscarded;

    /// <summary>Zeros; see <see cref="Initialize"/>.</summary>
    public Parameters(ParameterLayout layout, Device? device = null)
    {
        Layout = layout;
        Values = (device ?? Device.Cpu).Zeros(new Shape(layout.Count));
        Gradient = (device ?? Device.Cpu).Zeros(new Shape(layout.Count));
    }

    /// <summary>Names and shapes.</summary>
    public ParameterLayout Layout { get; }

    /// <summary>[P] all values.</summary>
    public Tensor Values { get; }

    /// <summary>[P] the gradient of the loss. <see cref="Tape.Backward(Var)"/> adds to it; the first after <see cref="DiscardGradient"/> overwrites it.</summary>
    public Tensor Gradient { get; }

    /// <summary>The values of one slice.</summary>
    public Tensor this[ParameterSlice slice] => View(Values, slice);

    /// <summary>The part of a flat block [P] that belongs to a slice.</summary>
    public static Tensor View(Tensor block, ParameterSlice slice) => new(block.Storage, block.Offset + slice.Offset, slice.Shape);

    /// <summary>Draws initial values; slice i from its own stream, so that a network's weights do not depend on what else is in the layout after it.</summary>
    public Parameters Initialize(Rng rng)
    {
        float[] values = new float[Values.Count];
        for (int i = 0; i < Layout.Slices.Count; i++)
        {
            var slice = Layout.Slices[i];
            var stream = rng.Split(RngPurpose.Initialization, i);
            slice.Initializer(values.AsSpan(slice.Offset, slice.Shape.Count), slice.Shape, ref stream);
        }
        Values.CopyFrom(values);
        return this;
    }

    /// <summary>Makes the next Backward start from a gradient of 0; until then it can still be read. An optimizer's step calls this, so that several calls
    /// of Backward before a step accumulate and those after it start again. Costs nothing where Backward writes to gradients of its caller's.</summary>
    public void DiscardGradient() => isDiscarded = true;

    /// <summary>Backward is about to add to <paramref name="destination"/>: to a part of the gradient here, to its caller's, or to none.</summary>
    internal void PrepareGradient(Tensor destination)
    {
        if (isDiscarded && destination.Storage == Gradient.Storage)
        {
            Gradient.Device.Fill(Gradient, 0f);
            isDiscarded = false;
        }
    }

    /// <summary>values = other's: a hard target update.</summary>
    public void CopyFrom(Parameters other) => other.Values.CopyTo(Values);

    /// <summary>values = (1 - tau) values + tau other's: a soft target update (Polyak averaging).</summary>
    public void PolyakUpdate(Parameters other, float tau) => Values.Device.Update(new Polyak(tau), Values, other.Values, default, default);

    internal readonly struct Polyak(float tau) : IUpdate
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<T>(ref T p, T g, ref T m, ref T v) where T : struct, ILane<T>
            => p = T.Fma(T.Of(tau), g, T.Of(1f - tau) * p);
    }
}

/// <summary>
/// A copy of parameters for acting: it stays as it is until the next <see cref="CopyFrom"/>. Every matrix has its transpose beside it, as products with
/// a few rows read it; turning the weights over at every step would take longer than such a product.
/// </summary>
public sealed class InferenceWeights
{
    private readonly Tensor transposes;

    /// <summary>Zeros.</summary>
    public InferenceWeights(ParameterLayout layout, Device? device = null)
    {
        Values = new Parameters(layout, device);
        transposes = Values.Values.Device.Zeros(Values.Values.Shape);
    }

    internal Parameters Values { get; }

    /// <summary>Takes other's values.</summary>
    public void CopyFrom(Parameters other)
    {
        Values.CopyFrom(other);
        foreach (var slice in Values.Layout.Slices)
        {
            if (Transpose(slice) is { IsNone: false } transpose)
            {
                Ops.Transpose(transposes.Device, Values[slice], transpose);
            }
        }
    }

    /// <summary>Of a matrix [out, in] or of matrices [N, out, in]: [in, out] or [N, in, out]. None for other slices.</summary>
    internal Tensor Transpose(ParameterSlice slice)
    {
        var shape = slice.Shape;
        return shape.Rank < 2 ? default : Parameters.View(transposes, slice).Reshape(shape.With(-1, shape[-2]).With(-2, shape[-1]));
    }
}

/// <summary>Parameters on a tape: what a module's Forward reads its weights from.</summary>
public readonly struct Weights
{
    private readonly Parameters parameters;
    private readonly InferenceWeights? frozen;
    private readonly Tensor gradient;

    internal Weights(Tape tape, Parameters parameters, Tensor gradient) => (Tape, this.parameters, this.gradient) = (tape, parameters, gradient);

    internal Weights(Tape tape, InferenceWeights frozen) => (Tape, parameters, this.frozen) = (tape, frozen.Values, frozen);

    /// <summary>What records.</summary>
    public Tape Tape { get; }

    /// <summary>One slice as a number with history.</summary>
    public Var this[ParameterSlice slice]
        => Tape.Parameter(parameters, parameters[slice], gradient.IsNone ? default : Parameters.View(gradient, slice), frozen?.Transpose(slice) ?? default);
}
