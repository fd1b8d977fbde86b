using ILGPU;
using ILGPU.Runtime;

namespace Marl.Native.Gpu;

/// <summary>One allocation on a GPU.</summary>
internal sealed class GpuStorage(GpuDevice device, MemoryBuffer1D<float, Stride1D.Dense> buffer, int count) : Storage(device, count)
{
    /// <summary>All of it.</summary>
    public ArrayView<float> View { get; } = buffer.View;

    /// <inheritdoc/>
    public override Span<float> Span(int offset, int count)
        => throw new InvalidOperationException($"these numbers are on {Device.Name}, which this process cannot address; copy them with Device.Read");

    /// <inheritdoc/>
    /// <exception cref="DeviceException">the device is lost.</exception>
    public override void Release()
    {
        try
        {
            buffer.Dispose();
            ((GpuDevice)Device).Released(Count);
        }
        catch (AcceleratorException error)
        {
            throw GpuFailure.Of(Device.Name, error, "giving memory back");
        }
    }
}
