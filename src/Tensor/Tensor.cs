using System.Numerics.Tensors;
using System.Runtime.CompilerServices;

namespace Marl.Native;

/// <summary>
/// A dense float32 array of up to four axes, row-major. A tensor is a view (storage, offset, shape) that owns no memory; copying the struct copies no elements.
/// Sequences are time-major, so that <c>x[t]</c> is a contiguous slice.
/// </summary>
/// <example>
/// <code>
/// Tensor x = Tensor.Of([1, 2, 3, 4, 5, 6], 2, 3);
/// Tensor row = x[1];                     // [3], a view: 4, 5, 6
/// row.Span[0] = 40;                      // x is 1, 2, 3, 40, 5, 6
/// float[] flat = x.Reshape(6).ToArray(); // a copy
/// Tensor zeros = Tensor.Zeros(5, 3);
/// </code>
/// </example>
public readonly struct Tensor
{
    /// <summary>Creates a view of a storage.</summary>
    /// <param name="storage">The memory.</param>
    /// <param name="offset">The index of the first element.</param>
    /// <param name="shape">The lengths of the axes.</param>
    /// <exception cref="ArgumentException">The view exceeds the storage.</exception>
    public Tensor(Storage storage, int offset, Shape shape)
    {
        if (offset < 0 || offset + (long)shape.Count > storage.Count)
        {
            throw new ArgumentException($"a view of {shape} at offset {offset} exceeds a storage of {storage.Count} elements");
        }
        Storage = storage;
        Offset = offset;
        Shape = shape;
    }

    /// <summary>The memory.</summary>
    public Storage Storage { get; }

    /// <summary>The index of the first element in the storage.</summary>
    public int Offset { get; }

    /// <summary>The lengths of the axes.</summary>
    public Shape Shape { get; }

    /// <summary>The number of elements.</summary>
    public int Count => Shape.Count;

    /// <summary>Whether this is the default value, which views nothing and stands for an omitted argument.</summary>
    public bool IsNone => Storage is null;

    /// <summary>The device that owns the memory.</summary>
    public Device Device => Storage.Device;

    /// <summary>The elements, row-major. Writing to the span changes the tensor.</summary>
    /// <exception cref="InvalidOperationException">The tensor is not in host memory.</exception>
    public Span<float> Span => Storage.Span(Offset, Count);

    /// <summary>Allocates a tensor of zeros on the CPU.</summary>
    public static Tensor Zeros(params ReadOnlySpan<int> lengths) => Device.Cpu.Zeros(new Shape(lengths));

    /// <summary>Creates a tensor on the CPU that views an array, without a copy.</summary>
    /// <param name="values">The elements, row-major.</param>
    /// <param name="lengths">The lengths of the axes; by default one axis.</param>
    /// <exception cref="ArgumentException">The shape has another number of elements.</exception>
    public static Tensor Of(float[] values, params ReadOnlySpan<int> lengths)
    {
        var shape = lengths.Length == 0 ? new Shape(values.Length) : new Shape(lengths);
        return shape.Count == values.Length ? new(new HostStorage(Device.Cpu, values), 0, shape)
            : throw new ArgumentException($"{values.Length} values for a tensor of shape {shape}");
    }

    /// <summary>Returns a view with another shape and the same elements.</summary>
    /// <exception cref="ArgumentException">The element counts differ.</exception>
    public Tensor Reshape(Shape shape) => shape.Count == Count ? new(Storage, Offset, shape)
        : throw new ArgumentException($"reshape: {Shape} has {Count} elements, {shape} has {shape.Count}");

    /// <inheritdoc cref="Reshape(Shape)"/>
    public Tensor Reshape(params ReadOnlySpan<int> lengths) => Reshape(new Shape(lengths));

    /// <summary>The element <paramref name="index"/> of the first axis: a view without that axis.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The index lies outside the axis.</exception>
    [IndexerName("Element")]
    public Tensor this[int index] => Slice(index, 1).Reshape(Shape.Without(0));

    /// <summary>Returns a view of elements start .. start + count - 1 of the first axis.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The range exceeds the axis.</exception>
    public Tensor Slice(int start, int count)
    {
        if (start < 0 || count < 0 || start + count > Shape[0])
        {
            throw new ArgumentOutOfRangeException(nameof(start), $"slice {start}..{start + count} of {Shape}");
        }
        int row = Shape.Product(1, Shape.Rank);
        return new(Storage, Offset + start * row, Shape.With(0, count));
    }

    /// <summary>
    /// Creates a tensor that views a dense span of System.Numerics.Tensors, without a copy. The caller must keep the memory in place (pinned, native or on the
    /// stack) while the tensor is in use.
    /// </summary>
    /// <exception cref="ArgumentException">The span is strided or has more than four axes.</exception>
    public static unsafe Tensor OfPinned(in TensorSpan<float> span)
    {
        if (!span.IsDense)
        {
            throw new ArgumentException("the span is strided; a dense span is required");
        }
        Span<int> lengths = stackalloc int[span.Rank];
        for (int axis = 0; axis < lengths.Length; axis++)
        {
            lengths[axis] = checked((int)span.Lengths[axis]);
        }
        var shape = new Shape(lengths);
        fixed (float* first = &span.GetPinnableReference())
        {
            return new(new PinnedStorage(Device.Cpu, first, shape.Count), 0, shape);
        }
    }

    /// <summary>Returns a span of System.Numerics.Tensors over the same elements, without a copy.</summary>
    /// <exception cref="InvalidOperationException">The tensor is not in host memory.</exception>
    public TensorSpan<float> AsTensorSpan()
    {
        Span<nint> lengths = stackalloc nint[Shape.Rank];
        for (int axis = 0; axis < lengths.Length; axis++)
        {
            lengths[axis] = Shape[axis];
        }
        return new TensorSpan<float>(Span, lengths);
    }

    /// <summary>Copies host values, row-major, into this tensor.</summary>
    /// <exception cref="ArgumentException">The element counts differ.</exception>
    public void CopyFrom(ReadOnlySpan<float> values)
    {
        if (values.Length != Count)
        {
            throw new ArgumentException($"{values.Length} values for a tensor of {Shape}");
        }
        Device.Write(values, this);
    }

    /// <summary>Copies the elements, row-major, to a new array.</summary>
    public float[] ToArray()
    {
        float[] values = new float[Count];
        Device.Read(this, values);
        return values;
    }

    /// <summary>Copies the elements to a tensor of the same element count, on any device.</summary>
    /// <exception cref="ArgumentException">The element counts differ.</exception>
    public void CopyTo(Tensor destination)
    {
        if (destination.Count != Count)
        {
            throw new ArgumentException($"copy: {Shape} into {destination.Shape}");
        }
        if (destination.Device == Device)
        {
            Device.Copy(this, destination);
        }
        else if (destination.Device == Device.Cpu)
        {
            Device.Read(this, destination.Span);
        }
        else
        {
            destination.Device.Write(Device == Device.Cpu ? Span : ToArray(), destination);
        }
    }

    /// <summary>Returns the value of a tensor with one element.</summary>
    /// <exception cref="InvalidOperationException">The tensor has another number of elements.</exception>
    public float ToScalar()
    {
        Span<float> value = stackalloc float[1];
        Device.Read(Count == 1 ? this : throw new InvalidOperationException($"ToScalar: the tensor has shape {Shape}, not one element"), value);
        return value[0];
    }

    /// <inheritdoc/>
    public override string ToString() => IsNone ? "none" : $"Tensor{Shape}";
}
