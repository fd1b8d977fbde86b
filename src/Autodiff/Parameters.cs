using System.Runtime.CompilerServices;

namespace Marl.Native;

/// <summary>Fills the initial values of one slice of parameters.</summary>
/// <param name="values">The values, row-major.</param>
/// <param name="shape">The shape of the slice.</param>
/// <param name="rng">The random number generator.</param>
public delegate void Initializer(Span<float> values, Shape shape, ref Rng rng);

/// <summary>A named slice of a flat block of parameters.</summary>
/// <param name="Name">The name, such as "fc1.weight".</param>
/// <param name="Shape">The shape.</param>
/// <param name="Offset">The index of the first element in the block.</param>
/// <param name="Initializer">Fills the initial values.</param>
public sealed record ParameterSlice(string Name, Shape Shape, int Offset, Initializer Initializer);

/// <summary>
/// The names, shapes and initializers of the parameters of a network. Layers add their slices in their constructors. Any number of <see cref="Parameters"/>
/// (online, target, ensemble members) can be created from one layout.
/// </summary>
/// <example>
/// <code>
/// var layout = new ParameterLayout();
/// var encoder = new Linear(layout.Scope("encoder"), inputs: 4, outputs: 32);
/// var head = new Linear(layout.Scope("head"), inputs: 32, outputs: 2);
/// foreach (var slice in layout.Slices)
/// {
///     Console.WriteLine($"{slice.Name} {slice.Shape}");   // encoder.weight [32, 4], ..
/// }
/// </code>
/// </example>
public sealed class ParameterLayout
{
    private readonly List<ParameterSlice> slices;
    private readonly string prefix;

    /// <summary>Creates an empty layout.</summary>
    public ParameterLayout() => (slices, prefix) = ([], "");

    private ParameterLayout(ParameterLayout parent, string name) => (slices, prefix) = (parent.slices, parent.prefix + name + ".");

    /// <summary>All slices, in the order of the block.</summary>
    public IReadOnlyList<ParameterSlice> Slices => slices;

    /// <summary>The number of parameters.</summary>
    public int Count => slices.Count == 0 ? 0 : slices[^1].Offset + slices[^1].Shape.Count;

    /// <summary>The prefix of the names of new slices, which ends with a dot; empty if there is none.</summary>
    public string Prefix => prefix;

    /// <summary>Returns a view of this layout that prefixes the names of new slices with <paramref name="name"/> and a dot.</summary>
    public ParameterLayout Scope(string name) => new(this, name);

    /// <summary>Adds a slice at the end.</summary>
    /// <exception cref="ArgumentException">The name is already in use.</exception>
    public ParameterSlice Add(string name, Shape shape, Initializer initializer)
    {
        if (slices.Exists(s => s.Name == prefix + name))
        {
            throw new ArgumentException($"there is already a parameter '{prefix + name}'");
        }
        var slice = (long)Count + shape.Count <= Array.MaxLength ? new ParameterSlice(prefix + name, shape, Count, initializer)
            : throw new InsufficientMemoryException($"with '{prefix}{name}' of {shape} there are more parameters than an array can hold");
        slices.Add(slice);
        return slice;
    }
}

/// <summary>
/// The parameters of a network as one flat block of values, and a block for their gradient. Copying, Polyak averaging, clipping, optimizer steps and
/// checkpoints are one pass over a block. A network is a pure function of (parameters, input).
/// </summary>
/// <example>
/// <code>
/// var layout = new ParameterLayout();
/// var network = new Mlp(layout, [4, 32, 2]);
/// var online = new Parameters(layout).Initialize(new Rng(1));
/// var target = new Parameters(layout);
/// target.CopyFrom(online);                    // hard update
/// target.PolyakUpdate(online, tau: 0.005f);   // soft update
/// Checkpoint.Save("network.safetensors", online);
/// </code>
/// </example>
public sealed class Parameters
{
    private bool isDiscarded;

    /// <summary>Creates parameters that are 0; see <see cref="Initialize"/>.</summary>
    /// <param name="layout">Their names and shapes.</param>
    /// <param name="device">The device that owns the memory; by default the CPU.</param>
    public Parameters(ParameterLayout layout, Device? device = null)
    {
        Layout = layout;
        Values = (device ?? Device.Cpu).Zeros(new Shape(layout.Count));
        Gradient = (device ?? Device.Cpu).Zeros(new Shape(layout.Count));
    }

    /// <summary>The names and shapes.</summary>
    public ParameterLayout Layout { get; }

    /// <summary>[P] all values.</summary>
    public Tensor Values { get; }

    /// <summary>
    /// [P] the gradient of the loss. <see cref="Tape.Backward(Var)"/> adds to it; the first call after <see cref="DiscardGradient"/> overwrites it.
    /// </summary>
    public Tensor Gradient { get; }

    /// <summary>The values of one slice.</summary>
    public Tensor this[ParameterSlice slice] => View(Values, slice);

    /// <summary>Returns the part of a flat block [P] that belongs to a slice.</summary>
    public static Tensor View(Tensor block, ParameterSlice slice) => new(block.Storage, block.Offset + slice.Offset, slice.Shape);

    /// <summary>
    /// Sets the initial values. Each slice draws from its own stream, so that the weights of a network do not depend on slices added after it.
    /// </summary>
    /// <returns>These parameters.</returns>
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

    /// <summary>
    /// Makes the next <see cref="Tape.Backward(Var)"/> start from a gradient of 0, like PyTorch's zero_grad; until then the gradient can still be read. An
    /// optimizer's step calls this method, so that calls of Backward before a step accumulate and calls after it start again.
    /// </summary>
    public void DiscardGradient() => isDiscarded = true;

    /// <summary>
    /// Called before Backward adds to <paramref name="destination"/>, which is a part of <see cref="Gradient"/>, a tensor of the caller, or none.
    /// </summary>
    internal void PrepareGradient(Tensor destination)
    {
        if (isDiscarded && destination.Storage == Gradient.Storage)
        {
            Gradient.Device.Fill(Gradient, 0f);
            isDiscarded = false;
        }
    }

    /// <summary>Copies the values of <paramref name="other"/>: a hard target update.</summary>
    public void CopyFrom(Parameters other) => other.Values.CopyTo(Values);

    /// <summary>values = (1 - tau) values + tau other.values: a soft target update (Polyak averaging).</summary>
    public void PolyakUpdate(Parameters other, float tau) => Values.Device.Update(new Polyak(tau), Values, other.Values, default, default);

    internal readonly struct Polyak(float tau) : IUpdate
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<T>(ref T p, T g, ref T m, ref T v) where T : struct, ILane<T>
            => p = T.Fma(T.Of(tau), g, T.Of(1f - tau) * p);
    }
}

/// <summary>
/// A copy of parameters for inference, which changes only by <see cref="CopyFrom"/>. It holds the transpose of every matrix as well, which products with few
/// rows read; transposing at every call would take longer than such a product.
/// </summary>
/// <example>
/// <code>
/// var layout = new ParameterLayout();
/// var network = new Mlp(layout, [4, 32, 2]);
/// var weights = new InferenceWeights(layout);
/// weights.CopyFrom(new Parameters(layout).Initialize(new Rng(1)));
/// var tape = new Tape();
/// using (tape.NoGrad())
/// {
///     Tensor y = network.Forward(tape.Detached(weights), tape.Constant(Tensor.Zeros(1, 4))).Value;   // [1, 2]
/// }
/// </code>
/// </example>
public sealed class InferenceWeights
{
    private readonly Tensor transposes;

    /// <summary>Creates weights that are 0.</summary>
    /// <param name="layout">Their names and shapes.</param>
    /// <param name="device">The device that owns the memory; by default the CPU.</param>
    public InferenceWeights(ParameterLayout layout, Device? device = null)
    {
        Values = new Parameters(layout, device);
        transposes = Values.Values.Device.Zeros(Values.Values.Shape);
    }

    internal Parameters Values { get; }

    /// <summary>Copies the values of <paramref name="other"/>.</summary>
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

    /// <summary>The transpose of a matrix [out, in], or of matrices [N, out, in]; none for other slices.</summary>
    internal Tensor Transpose(ParameterSlice slice)
    {
        var shape = slice.Shape;
        return shape.Rank < 2 ? default : Parameters.View(transposes, slice).Reshape(shape.With(-1, shape[-2]).With(-2, shape[-1]));
    }
}

/// <summary>
/// Parameters bound to a tape, from which the Forward methods of layers read their weights. See <see cref="Tape.Bind"/> and
/// <see cref="Tape.Detached(Parameters)"/>.
/// </summary>
public readonly struct Weights
{
    private readonly Parameters parameters;
    private readonly InferenceWeights? inference;
    private readonly Tensor gradient;

    internal Weights(Tape tape, Parameters parameters, Tensor gradient) => (Tape, this.parameters, this.gradient) = (tape, parameters, gradient);

    internal Weights(Tape tape, InferenceWeights inference) => (Tape, parameters, this.inference) = (tape, inference.Values, inference);

    /// <summary>The tape.</summary>
    public Tape Tape { get; }

    /// <summary>One slice, recorded on the tape.</summary>
    public Var this[ParameterSlice slice]
        => Tape.Parameter(parameters, parameters[slice], gradient.IsNone ? default : Parameters.View(gradient, slice), inference?.Transpose(slice) ?? default);
}
