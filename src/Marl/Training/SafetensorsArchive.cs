using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>An archive that collects entries and writes them to one safetensors file.</summary>
internal sealed class SafetensorsWriter : IArchive
{
    private readonly List<SafetensorsEntry> entries;
    private readonly string prefix;

    public SafetensorsWriter() => (entries, prefix) = ([], "");

    private SafetensorsWriter(SafetensorsWriter parent, string name) => (entries, prefix) = (parent.entries, parent.prefix + name + ".");

    public bool IsLoading => false;

    public IArchive Scope(string name) => new SafetensorsWriter(this, name);

    public void Array<T>(string name, Span<T> values) where T : unmanaged
        => entries.Add(SafetensorsEntry.Of(prefix + name, [values.Length], values.ToArray()));

    public void Tensor(string name, Tensor values) => entries.Add(SafetensorsEntry.Of(prefix + name, [values.Count], values.ToArray()));

    public void Save(string path, string? predecessor = null) => new Safetensors(entries).Write(path, predecessor);
}

/// <summary>An archive that reads the content of a safetensors file. A missing entry, an entry of another type or length, a tensor that is not finite, and an entry
/// that is not read are errors.</summary>
internal sealed class SafetensorsReader : IArchive
{
    private readonly Safetensors file;
    private readonly HashSet<string> read;
    private readonly string prefix;

    public SafetensorsReader(Safetensors file) => (this.file, read, prefix) = (file, [], "");

    private SafetensorsReader(SafetensorsReader parent, string name)
        => (file, read, prefix) = (parent.file, parent.read, parent.prefix + name + ".");

    public bool IsLoading => true;

    public IArchive Scope(string name) => new SafetensorsReader(this, name);

    public void Array<T>(string name, Span<T> values) where T : unmanaged => Find<T>(name, values.Length).CopyTo(values);

    public void Tensor(string name, Tensor values)
    {
        float[] found = Find<float>(name, values.Count);
        if (System.Array.Exists(found, value => !float.IsFinite(value)))
        {
            throw new InvalidDataException($"entry '{prefix + name}' has values that are NaN or infinite");
        }
        values.CopyFrom(found);
    }

    /// <summary>Checks that all entries were read.</summary>
    /// <exception cref="InvalidDataException">An entry was not read: the file belongs to another kind of run.</exception>
    public void EnsureAllRead()
    {
        if (file.Entries.FirstOrDefault(entry => !read.Contains(entry.Name)) is { } unknown)
        {
            throw new InvalidDataException($"entry '{Printable.Of(unknown.Name, maxLength: 100)}' is unknown to this run");
        }
    }

    private T[] Find<T>(string name, int count) where T : unmanaged
    {
        read.Add(prefix + name);
        var entry = file.Find(prefix + name) ?? throw new InvalidDataException($"entry '{prefix + name}' is missing");
        return !entry.TryGet(out T[] values) ? throw new InvalidDataException($"entry '{entry}' is of the wrong type; {typeof(T).Name} is required")
            : values.Length == count ? values : throw new InvalidDataException($"entry '{entry}' has the wrong length; {count} elements are required");
    }
}
