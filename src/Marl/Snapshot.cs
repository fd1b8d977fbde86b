using System.Runtime.InteropServices;

namespace Marl.Native.Rl;

/// <summary>
/// An archive in memory: the state of an object, to go back to. Entries are told apart by their order. Memory is kept from one save to the next; tensors are
/// copied on their own device.
/// </summary>
internal sealed class Snapshot : IArchive
{
    private readonly List<byte[]> arrays = [];
    private readonly List<Tensor> tensors = [];
    private int array, tensor;

    /// <inheritdoc/>
    public bool Loading { get; private set; }

    /// <summary>Saves what an object archives.</summary>
    public void Save(Action<IArchive> archive)
    {
        (Loading, array, tensor) = (false, 0, 0);
        archive(this);
    }

    /// <summary>Gives the object back what was saved last.</summary>
    public void Restore(Action<IArchive> archive)
    {
        (Loading, array, tensor) = (true, 0, 0);
        archive(this);
    }

    /// <inheritdoc/>
    public IArchive Scope(string name) => this;

    /// <inheritdoc/>
    public void Array<T>(string name, Span<T> values) where T : unmanaged
    {
        var bytes = MemoryMarshal.AsBytes(values);
        int index = array++;
        if (Loading)
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
        if (Loading)
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
