using System.Runtime.InteropServices;
using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;

namespace Marl.Native.Gpu;

/// <summary>Memory and transfers.</summary>
public sealed partial class GpuDevice
{
    /// <inheritdoc/>
    /// <remarks>Without CUDA, the memory of the device minus what this process allocated; other processes may use more.</remarks>
    public override long FreeMemory
        => memory is null && accelerator is CudaAccelerator cuda ? cuda.GetFreeMemory() : (memory ?? accelerator.MemorySize) - allocated;

    /// <summary>Accounts for a released allocation.</summary>
    internal void Released(int count) => allocated -= (long)count * sizeof(float);

    /// <inheritdoc/>
    /// <exception cref="DeviceException">The device is out of memory.</exception>
    public override Storage Allocate(int count)
    {
        try
        {
            var buffer = accelerator.Allocate1D<float>(Math.Max(count, 1));
            buffer.View.MemSetToZero(stream);
            allocated += (long)count * sizeof(float);
            Transfers = Transfers with { Allocations = Transfers.Allocations + 1 };
            return new GpuStorage(this, buffer, count);
        }
        catch (Exception error) when (error is AcceleratorException or OutOfMemoryException)
        {
            throw Failed(error, $"{(long)count * sizeof(float) >> 20} MiB of its {accelerator.MemorySize >> 20} MiB");
        }
    }

    /// <summary>Uploads integers for kernels. They are stored bit by bit, because a float represents large integers inexactly.</summary>
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
        // A transfer overtakes the recorded launches, unless they access its destination.
        if (queue.IsWaiting && queue.Accesses(to))
        {
            Flush();
        }
        try
        {
            if (!staging.Fits(values.Length))
            {
                Synchronize();
                staging.Reset(values.Length);
            }
            var room = staging.Allocate(values.Length);
            values.CopyTo(room);
            to.CopyFromCPUUnsafeAsync(stream, ref room[0], values.Length);
            Transfers = Transfers with { Uploads = Transfers.Uploads + 1, UploadedElements = Transfers.UploadedElements + values.Length };
        }
        catch (AcceleratorException error)
        {
            throw Failed(error, "writing");
        }
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentOutOfRangeException">A gather or scatter since the last read had an index outside its axis.</exception>
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
                // Waits for both copies.
                fault.View.BaseView.CopyToCPU(stream, ref outside, 1);
            }
            if (outside != 0f)
            {
                fault.View.MemSetToZero(stream);
            }
            Transfers = Transfers with { Downloads = Transfers.Downloads + 1, DownloadedElements = Transfers.DownloadedElements + values.Length };
            Synchronized();
        }
        catch (AcceleratorException error)
        {
            throw Failed(error, "reading");
        }
        if (outside != 0f)
        {
            throw new ArgumentOutOfRangeException(nameof(source), "an index of a gather or scatter is outside its axis");
        }
    }

    /// <summary>Accounts for a synchronization: all staged data has arrived.</summary>
    private void Synchronized()
    {
        Transfers = Transfers with { Synchronizations = Transfers.Synchronizations + 1 };
        staging.Reset();
    }

    /// <inheritdoc/>
    public override void Copy(Tensor x, Tensor y)
    {
        // Drivers reject copies onto the source.
        if (x.Count == 0 || x.Storage == y.Storage && x.Offset == y.Offset)
        {
            return;
        }
        if (queue.IsRecording)
        {
            ForEachElement(new CopyKernel { Count = x.Count, X = View(x, y.Count), Y = View(y) }, x.Count);
            return;
        }
        try
        {
            View(x, y.Count).CopyTo(stream, View(y));
            Launched?.Invoke(new(new DeviceCopy(x.Count), 0, 0));
        }
        catch (AcceleratorException error)
        {
            throw Failed(error, "copying");
        }
    }

    /// <inheritdoc/>
    public override void Fill(Tensor x, float value) => ForEachElement(new FillKernel { Value = value, Count = x.Count, Y = View(x) }, x.Count);

    /// <inheritdoc/>
    public override void CopyStrided(Tensor x, ReadOnlySpan<int> xStrides, Tensor y, ReadOnlySpan<int> yStrides,
        ReadOnlySpan<int> lengths, bool accumulate)
    {
        if (!LoopNest.TryCreate(lengths, x, xStrides, y, yStrides, out var nest))
        {
            return;
        }
        var turns = Int4.Lengths(nest);
        ForEachElement(new CopyStridedKernel
        {
            Lengths = turns,
            XStrides = Int4.Strides(nest, 0),
            YStrides = Int4.Strides(nest, 1),
            Accumulate = Flag(accumulate),
            X = View(x),
            Y = View(y),
        }, turns.Count);
    }
}
