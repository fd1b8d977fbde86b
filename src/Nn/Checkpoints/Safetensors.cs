using System.Buffers.Binary;

namespace Marl.Native.Nn;

/// <summary>
/// What a safetensors file holds: named arrays and a few strings about them. The format
/// (https://github.com/huggingface/safetensors) is eight bytes of header length, little-endian; a JSON header with type, shape
/// and place of every array; the arrays one behind the other. It holds no code, and is read strictly: every byte of the file
/// must be accounted for.
/// </summary>
public sealed class Safetensors
{
    private readonly Dictionary<string, SafetensorsEntry> byName = new(StringComparer.Ordinal);

    /// <summary>Content to be written.</summary>
    /// <exception cref="ArgumentException">a name occurs twice, or is that of the metadata.</exception>
    public Safetensors(IEnumerable<SafetensorsEntry> entries, IReadOnlyDictionary<string, string>? metadata = null)
    {
        Entries = [.. entries];
        Metadata = metadata ?? new Dictionary<string, string>();
        foreach (var entry in Entries)
        {
            if (entry.Name == SafetensorsHeader.MetadataName || !byName.TryAdd(entry.Name, entry))
            {
                throw new ArgumentException($"safetensors: the name '{entry.Name}' is taken");
            }
        }
    }

    /// <summary>The arrays; when they were read, in the order of the file.</summary>
    public IReadOnlyList<SafetensorsEntry> Entries { get; }

    /// <summary>Free text: versions, hyper-parameters.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>The array of a name, or null.</summary>
    public SafetensorsEntry? Find(string name) => byName.GetValueOrDefault(name);

    /// <summary>Reads and checks a file.</summary>
    /// <exception cref="InvalidDataException">it breaks the format, or has types or sizes that are not supported; one line that
    /// names the file, the entry and what is wrong.</exception>
    /// <exception cref="IOException">it could not be read.</exception>
    public static Safetensors Read(string path)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read);
        try
        {
            Span<byte> prefix = stackalloc byte[sizeof(ulong)];
            if (stream.ReadAtLeast(prefix, prefix.Length, throwOnEndOfStream: false) < prefix.Length)
            {
                throw new InvalidDataException($"{stream.Length} bytes are too few for a header");
            }
            ulong length = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
            if (length > (ulong)(stream.Length - prefix.Length) || length > SafetensorsHeader.MaxLength)
            {
                throw new InvalidDataException($"a header of {length} bytes does not fit a file of {stream.Length}");
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

    /// <summary>Writes a file, or replaces it, in one piece: see <see cref="AtomicFile"/>. Wide types go first, which keeps
    /// every number aligned. The same content gives the same bytes.</summary>
    /// <param name="path">The file.</param>
    /// <param name="predecessor">Where the file that is replaced is kept; null: it is not kept.</param>
    /// <exception cref="IOException">it could not be written; what was there before is still there.</exception>
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
            throw new InvalidDataException($"entry '{SafetensorsHeader.Printable(entry.Name)}': a BOOL is neither 0 nor 1");
        }
    }
}
