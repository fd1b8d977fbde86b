using System.Runtime.InteropServices;

namespace Marl.Native.Rl;

/// <summary>
/// An archive in memory. Entries are identified by their order. Memory is reused by the next save; tensors are copied on their device.
/// </summary>
internal sealed class Snapshot : IArchive
{
    private readonly List<byte[]> arrays = [];
    private readonly List<Tensor> tensors = [];
    private int array, tensor;

    /// <inheritdoc/>
    public bool IsLoading { get; private set; }

    /// <summary>Saves the state of an object.</summary>
    public void Save(Action<IArchive> archive)
    {
        (IsLoading, array, tensor) = (false, 0, 0);
        archive(this);
    }

    /// <summary>Restores the last saved state of the object.</summary>
    public void Restore(Action<IArchive> archive)
    {
        (IsLoading, array, tensor) = (true, 0, 0);
        archive(this);
    }

    /// <inheritdoc/>
    public IArchive Scope(string name) => this;

    /// <inheritdoc/>
    public void Array<T>(string name, Span<T> values) where T : unmanaged
    {
        var bytes = MemoryMarshal.AsBytes(values);
        int index = array++;
        if (IsLoading)
        {
            arrays[index].CopyTo(bytes);
            return;
        }
        if (index == arrays.Count)
        {
            arrays.Add([]);
        }
        if (arrays[index].Length != bytes.Length)
        {
            arrays[index] = new byte[bytes.Length];
        }
        bytes.CopyTo(arrays[index]);
    }

    /// <inheritdoc/>
    public void Tensor(string name, Tensor values)
    {
        int index = tensor++;
        if (IsLoading)
        {
            tensors[index].CopyTo(values);
            return;
        }
        if (index == tensors.Count)
        {
            tensors.Add(values.Device.Zeros(values.Shape));
        }
        values.CopyTo(tensors[index]);
    }
}
