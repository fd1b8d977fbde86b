using ILGPU.Runtime.OpenCL;

namespace Marl.Native.Gpu;

/// <summary>Launches of loops.</summary>
public sealed partial class GpuDevice
{
    /// <inheritdoc/>
    public override bool HasDoubles => accelerator is not CLAccelerator { Capabilities.Float64: false };

    /// <inheritdoc/>
    public override void ForEach<TBody>(TBody body, int count, Tensor memory, Tensor second, Tensor third)
    {
        var first = View(memory);
        ForEachElement(new LoopKernel<TBody>
        {
            Body = body,
            Count = count,
            First = first,
            Second = second.IsNone ? first : View(second),
            Third = third.IsNone ? first : View(third),
        }, count);
    }
}
