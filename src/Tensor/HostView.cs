namespace Marl.Native;

/// <summary>The numbers of a tensor in the address space of this process: the tensor's own on the CPU, else a copy, written back when it is disposed of.</summary>
public readonly ref struct HostView
{
    private readonly Tensor tensor;

    /// <summary>Of <paramref name="tensor"/>, on whatever device.</summary>
    /// <param name="tensor">whose numbers.</param>
    /// <param name="fresh">whether all of them will be overwritten, so that none have to be read.</param>
    public HostView(Tensor tensor, bool fresh = false)
    {
        this.tensor = tensor;
        Span = tensor.Device == Device.Cpu ? tensor.Span : fresh ? new float[tensor.Count] : tensor.ToArray();
    }

    /// <summary>The numbers, row-major.</summary>
    public Span<float> Span { get; }

    /// <summary>Writes them back.</summary>
    public void Dispose()
    {
        if (tensor.Device != Device.Cpu)
        {
            tensor.CopyFrom(Span);
        }
    }
}
