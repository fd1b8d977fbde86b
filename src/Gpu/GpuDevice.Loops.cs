namespace Marl.Native.Gpu;

/// <summary>Launches of loops.</summary>
public sealed partial class GpuDevice
{
    /// <inheritdoc/>
    public override void ForEach<TBody>(TBody body, int count, Tensor memory)
        => ForEachElement(new LoopKernel<TBody> { Body = body, Count = count, Memory = new(View(memory)) }, count);
}
