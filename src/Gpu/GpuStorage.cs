using ILGPU;
using ILGPU.Runtime;

namespace Marl.Native.Gpu;

/// <summary>An allocation on a GPU.</summary>
/// <param name="device">The device.</param>
/// <param name="buffer">The memory.</param>
/// <param name="count">The number of elements.</param>
internal sealed class GpuStorage(GpuDevice device, MemoryBuffer1D<float, Stride1D.Dense> buffer, int count) : Storage(device, count)
{
    /// <summary>The whole allocation.</summary>
    public ArrayView<float> View { get; } = buffer.View;

    /// <inheritdoc/>
    public override Span<float> Span(int offset, int count)
        => throw new InvalidOperationException($"the tensor is on {Device.Name}, not in host memory; copy it with Tensor.ToArray or Device.Read");

    /// <inheritdoc/>
    /// <exception cref="DeviceException">The device was lost.</exception>
    public override void Release()
    {
        var device = (GpuDevice)Device;
        // What was captured may use the memory.
        device.Flush();
        try
        {
            buffer.Dispose();
            device.Released(Count);
        }
        catch (AcceleratorException error)
        {
            throw GpuFailure.Of(Device.Name, error, "releasing memory");
        }
    }
}
