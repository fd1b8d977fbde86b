namespace Marl.Native;

/// <summary>The elements of a tensor in host memory: the tensor's own memory on the CPU; elsewhere a copy, which is written back on disposal.</summary>
public readonly ref struct HostView
{
    private readonly Tensor tensor;

    /// <summary>Creates a view of a tensor on any device.</summary>
    /// <param name="tensor">The tensor.</param>
    /// <param name="writeOnly">Whether all elements will be overwritten, so that none are read from the device.</param>
    public HostView(Tensor tensor, bool writeOnly = false)
    {
        this.tensor = tensor;
        Span = tensor.Device == Device.Cpu ? tensor.Span : writeOnly ? new float[tensor.Count] : tensor.ToArray();
    }

    /// <summary>The elements, row-major.</summary>
    public Span<float> Span { get; }

    /// <summary>Writes the elements back to the device.</summary>
    public void Dispose()
    {
        if (tensor.Device != Device.Cpu)
        {
            tensor.CopyFrom(Span);
        }
    }
}
