using System.Runtime.InteropServices;
using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;

namespace Marl.Native.Gpu;

/// <summary>Memory and transfers.</summary>
public sealed partial class GpuDevice
{
    /// <inheritdoc/>
    /// <remarks>Without CUDA it is what the device has less what was allocated here: others may have taken more.</remarks>
    public override long FreeMemory => memory is null && accelerator is CudaAccelerator cuda ? cuda.GetFreeMemory() : (memory ?? accelerator.MemorySize) - allocated;

    /// <summary>An allocation was given back.</summary>
    internal void Released(int count) => allocated -= (long)count * sizeof(float);

    /// <inheritdoc/>
    /// <exception cref="DeviceException">the device has no room for it.</exception>
    public override Storage Allocate(int count)
    {
        Flush();
        try
        {
            var buffer = accelerator.Allocate1D<float>(Math.Max(count, 1));
            buffer.View.MemSetToZero(stream);
            allocated += (long)count * sizeof(float);
            Traffic = Traffic with { Allocations = Traffic.Allocations + 1 };
            return new GpuStorage(this, buffer, count);
        }
        catch (Exception error) when (error is AcceleratorException or OutOfMemoryException)
        {
            throw Failed(error, $"{(long)count * sizeof(float) >> 20} MiB of its {accelerator.MemorySize >> 20} MiB");
        }
    }

    /// <summary>Numbers for kernels alone: the bits of integers, for a float has too few.</summary>
    internal Tensor Integers(List<int> values)
    {
        var there = Zeros(new Shape(values.Count));
        Write(MemoryMarshal.Cast<int, float>(CollectionsMarshal.AsSpan(values)), there);
        return there;
    }

    /// <inheritdoc/>
    public override void Write(ReadOnlySpan<float> values, Tensor destination)
    {
        var to = View(destination, values.Length);
        if (values.Length == 0)
        {
            return;
        }
        try
        {
            if (!staging.Fits(values.Length))
            {
                Synchronize();
                staging.Clear(values.Length);
            }
            var room = staging.Take(values.Length);
            values.CopyTo(room);
            to.CopyFromCPUUnsafeAsync(stream, ref room[0], values.Length);
            Traffic = Traffic with { Uploads = Traffic.Uploads + 1, Uploaded = Traffic.Uploaded + values.Length };
        }
        catch (AcceleratorException error)
        {
            throw Failed(error, "writing");
        }
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentOutOfRangeException">a gather or scatter since the last reading had an index outside its row.</exception>
    public override unsafe void Read(Tensor source, Span<float> values)
    {
        var from = View(source, values.Length);
        float outside = 0f;
        Flush();
        try
        {
            fixed (float* pinned = values)
            {
                if (values.Length > 0)
                {
                    from.CopyToCPUUnsafeAsync(stream, ref *pinned, values.Length);
                }
                // This one waits for both.
                fault.View.BaseView.CopyToCPU(stream, ref outside, 1);
            }
            if (outside != 0f)
            {
                fault.View.MemSetToZero(stream);
            }
            Traffic = Traffic with { Downloads = Traffic.Downloads + 1 };
            Synchronized();
        }
        catch (AcceleratorException error)
        {
            throw Failed(error, "reading");
        }
        if (outside != 0f)
        {
            throw new ArgumentOutOfRangeException(nameof(source), "an index of a gather or scatter lay outside its row");
        }
    }

    /// <summary>Somebody has waited: everything that was written has arrived.</summary>
    private void Synchronized()
    {
        Traffic = Traffic with { Synchronisations = Traffic.Synchronisations + 1 };
        staging.Clear();
    }

    /// <inheritdoc/>
    public override void Copy(Tensor x, Tensor y)
    {
        // Drivers do not copy onto the same place.
        if (x.Count == 0 || x.Storage == y.Storage && x.Offset == y.Offset)
        {
            return;
        }
        try
        {
            View(x, y.Count).CopyTo(stream, View(y));
        }
        catch (AcceleratorException error)
        {
            throw Failed(error, "copying");
        }
    }

    /// <inheritdoc/>
    public override void Fill(Tensor x, float value) => Each(new FillKernel { Value = value, Count = x.Count, Y = View(x) }, x.Count);

    /// <inheritdoc/>
    public override void CopyStrided(Tensor x, ReadOnlySpan<int> xStrides, Tensor y, ReadOnlySpan<int> yStrides,
        ReadOnlySpan<int> lengths, bool accumulate)
    {
        if (!LoopNest.Over(lengths, x, xStrides, y, yStrides, out var nest))
        {
            return;
        }
        var turns = Four.Lengths(nest);
        Each(new CopyStridedKernel
        {
            Lengths = turns,
            XStrides = Four.Strides(nest, 0),
            YStrides = Four.Strides(nest, 1),
            Accumulate = Flag(accumulate),
            X = View(x),
            Y = View(y),
        }, turns.Count);
    }
}
