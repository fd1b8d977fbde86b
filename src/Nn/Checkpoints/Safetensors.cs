using System.Buffers.Binary;

namespace Marl.Native.Nn;

/// <summary>
/// The content of a safetensors file: named arrays and text metadata. The format (https://github.com/huggingface/safetensors) is the header length in eight
/// bytes, little-endian; a JSON header with the type, shape and position of every array; and the concatenated arrays. A file contains no code. Reading is
/// strict: every byte must belong to the header or to one array.
/// </summary>
/// <example>
/// <code>
/// var file = new Safetensors([SafetensorsEntry.Of("weight", [2, 3], new float[6]), SafetensorsEntry.Of("steps", [], new long[] { 100 })]);
/// file.Write("data.safetensors");
/// var loaded = Safetensors.Read("data.safetensors");
/// if (loaded.Find("weight") is { } entry &amp;&amp; entry.TryGet(out float[] values))
/// {
///     Console.WriteLine($"{entry}: {values.Length} elements");
/// }
/// </code>
/// </example>
public sealed class Safetensors
{
    private readonly Dictionary<string, SafetensorsEntry> byName = new(StringComparer.Ordinal);

    /// <summary>Creates the content of a file.</summary>
    /// <param name="entries">The arrays.</param>
    /// <param name="metadata">Free text, by key.</param>
    /// <exception cref="ArgumentException">A name occurs twice or is reserved.</exception>
    public Safetensors(IEnumerable<SafetensorsEntry> entries, IReadOnlyDictionary<string, string>? metadata = null)
    {
        Entries = [.. entries];
        Metadata = metadata ?? new Dictionary<string, string>();
        foreach (var entry in Entries)
        {
            if (entry.Name == SafetensorsHeader.MetadataName || !byName.TryAdd(entry.Name, entry))
            {
                throw new ArgumentException($"safetensors: the name '{entry.Name}' is already in use or reserved");
            }
        }
    }

    /// <summary>The arrays, in the order of the file.</summary>
    public IReadOnlyList<SafetensorsEntry> Entries { get; }

    /// <summary>Free text, by key, such as versions and hyperparameters.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Returns the array with a name, or null.</summary>
    public SafetensorsEntry? Find(string name) => byName.GetValueOrDefault(name);

    /// <summary>Reads and validates a file.</summary>
    /// <exception cref="InvalidDataException">The file violates the format or uses unsupported types or sizes.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static Safetensors Read(string path)
    {
        using var stream = Disk.OpenRead(path);
        try
        {
            Span<byte> prefix = stackalloc byte[sizeof(ulong)];
            if (stream.ReadAtLeast(prefix, prefix.Length, throwOnEndOfStream: false) < prefix.Length)
            {
                throw new InvalidDataException($"the file has {stream.Length} bytes, fewer than a header");
            }
            ulong length = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
            if (length > (ulong)Math.Max(0, stream.Length - prefix.Length) || length > SafetensorsHeader.MaxLength)
            {
                throw new InvalidDataException($"a header of {length} bytes does not fit in a file of {stream.Length} bytes");
            }
            byte[] json = new byte[length];
            stream.ReadExactly(json);
            var header = SafetensorsHeader.Parse(json, dataLength: stream.Length - stream.Position);
            foreach (var entry in header.Entries)
            {
                entry.ForBytes(bytes => ReadBytes(stream, entry, bytes));
            }
            return header;
        }
        catch (InvalidDataException e)
        {
            throw new InvalidDataException($"{path}: {e.Message}", e);
        }
    }

    /// <summary>
    /// Writes or replaces a file atomically, see <see cref="AtomicFile"/>. Wide types come first, so that all arrays are aligned. Equal content gives equal
    /// bytes.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="predecessor">Where the replaced file is kept; null: it is not kept.</param>
    /// <exception cref="IOException">The file cannot be written; an existing file is unchanged.</exception>
    public void Write(string path, string? predecessor = null) => AtomicFile.Write(path, stream =>
    {
        SafetensorsEntry[] ordered = [.. Entries.OrderByDescending(entry => entry.ElementSize)];
        stream.Write(SafetensorsHeader.Format(ordered, Metadata));
        foreach (var entry in ordered)
        {
            entry.ForBytes(bytes => stream.Write(bytes));
        }
    }, predecessor);

    private static void ReadBytes(FileStream stream, SafetensorsEntry entry, Span<byte> bytes)
    {
        stream.ReadExactly(bytes);
        if (entry.Type == "BOOL" && bytes.ContainsAnyExceptInRange((byte)0, (byte)1))
        {
            throw new InvalidDataException($"entry '{SafetensorsHeader.Excerpt(entry.Name)}': a BOOL is neither 0 nor 1");
        }
    }
}
