using System.Numerics.Tensors;
using System.Runtime.CompilerServices;

namespace Marl.Native;

/// <summary>
/// A dense float32 array of up to four axes: a view (storage, offset, shape) that owns nothing. Copying the struct copies no numbers.
/// Sequences are time-major, so <c>x[t]</c> is a contiguous slice.
/// </summary>
public readonly struct Tensor
{
    /// <summary>A view of <paramref name="storage"/>.</summary>
    /// <exception cref="ArgumentException">the view does not lie in the storage.</exception>
    public Tensor(Storage storage, int offset, Shape shape)
    {
        if (offset < 0 || offset + (long)shape.Count > storage.Count)
        {
            throw new ArgumentException($"a view of {shape} at {offset} does not fit a storage of {storage.Count}");
        }
        Storage = storage;
        Offset = offset;
        Shape = shape;
    }

    /// <summary>What is viewed.</summary>
    public Storage Storage { get; }

    /// <summary>The first element viewed.</summary>
    public int Offset { get; }

    /// <summary>The lengths of the axes.</summary>
    public Shape Shape { get; }

    /// <summary>Number of elements.</summary>
    public int Count => Shape.Count;

    /// <summary>True for a default value that views nothing, such as an argument left out.</summary>
    public bool IsNone => Storage is null;

    /// <summary>Where the numbers are.</summary>
    public Device Device => Storage.Device;

    /// <summary>The numbers, row-major.</summary>
    /// <exception cref="InvalidOperationException">they are on a device that this process cannot address.</exception>
    public Span<float> Span => Storage.Span(Offset, Count);

    /// <summary>Zeros on the CPU.</summary>
    public static Tensor Zeros(params ReadOnlySpan<int> lengths) => Device.Cpu.Zeros(new Shape(lengths));

    /// <summary>A view of <paramref name="values"/> on the CPU, without a copy.</summary>
    /// <exception cref="ArgumentException">as many values as the shape has are needed.</exception>
    public static Tensor Of(float[] values, params ReadOnlySpan<int> lengths)
    {
        var shape = lengths.Length == 0 ? new Shape(values.Length) : new Shape(lengths);
        return shape.Count == values.Length ? new(new HostStorage(Device.Cpu, values), 0, shape)
            : throw new ArgumentException($"{values.Length} values do not make a tensor of {shape}");
    }

    /// <summary>The same numbers under another shape.</summary>
    /// <exception cref="ArgumentException">the counts differ; names both shapes.</exception>
    public Tensor Reshape(Shape shape) => shape.Count == Count ? new(Storage, Offset, shape)
        : throw new ArgumentException($"reshape: {Shape} has {Count} elements, {shape} has {shape.Count}");

    /// <inheritdoc cref="Reshape(Shape)"/>
    public Tensor Reshape(params ReadOnlySpan<int> lengths) => Reshape(new Shape(lengths));

    /// <summary>Element <paramref name="index"/> of the first axis, which is dropped.</summary>
    [IndexerName("Element")]
    public Tensor this[int index] => Slice(index, 1).Reshape(Shape.Without(0));

    /// <summary>Elements <paramref name="start"/> .. start + count - 1 of the first axis.</summary>
    /// <exception cref="ArgumentOutOfRangeException">outside the axis.</exception>
    public Tensor Slice(int start, int count)
    {
        if (start < 0 || count < 0 || start + count > Shape[0])
        {
            throw new ArgumentOutOfRangeException(nameof(start), $"slice {start}..{start + count} of {Shape}");
        }
        int row = Shape.Product(1, Shape.Rank);
        return new(Storage, Offset + start * row, Shape.With(0, count));
    }

    /// <summary>A view of a dense span of System.Numerics.Tensors, without a copy. Its memory must stay where it is (pinned, native or on
    /// the stack) as long as the tensor is used; that is the caller's to see to, hence unsafe.</summary>
    /// <exception cref="ArgumentException">the span has strides, or more than four axes.</exception>
    public static unsafe Tensor OfPinned(in TensorSpan<float> span)
    {
        if (!span.IsDense)
        {
            throw new ArgumentException("a dense span is needed: this one has strides");
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

    /// <summary>A span of System.Numerics.Tensors over the same numbers, without a copy.</summary>
    public TensorSpan<float> AsTensorSpan()
    {
        Span<nint> lengths = stackalloc nint[Shape.Rank];
        for (int axis = 0; axis < lengths.Length; axis++)
        {
            lengths[axis] = Shape[axis];
        }
        return new TensorSpan<float>(Span, lengths);
    }

    /// <summary>Copies numbers in.</summary>
    public void CopyFrom(ReadOnlySpan<float> values)
    {
        if (values.Length != Count)
        {
            throw new ArgumentException($"{values.Length} values for a tensor of {Shape}");
        }
        Device.Write(values, this);
    }

    /// <summary>Copies numbers out, row-major.</summary>
    public float[] ToArray()
    {
        float[] values = new float[Count];
        Device.Read(this, values);
        return values;
    }

    /// <summary>Copies into another tensor of the same count, on whatever device.</summary>
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

    /// <summary>The one number of a tensor of one element.</summary>
    public float ToScalar()
    {
        Span<float> value = stackalloc float[1];
        Device.Read(Count == 1 ? this : throw new InvalidOperationException($"a tensor of {Shape} is not one number"), value);
        return value[0];
    }

    /// <inheritdoc/>
    public override string ToString() => IsNone ? "none" : $"Tensor{Shape}";
}
