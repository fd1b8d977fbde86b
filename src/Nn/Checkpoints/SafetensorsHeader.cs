using System.Buffers;
using System.Buffers.Binary;
using System.Text.Json;

namespace Marl.Native.Nn;

/// <summary>
/// The header of a safetensors file: { "__metadata__": { "key": "text" }, "name": { "dtype": "F32", "shape": [2, 3], "data_offsets": [begin, end] }, .. }.
/// Offsets are relative to the end of the header. Error messages omit the file name, which the reader adds.
/// </summary>
internal static class SafetensorsHeader
{
    /// <summary>The reserved name of the metadata.</summary>
    public const string MetadataName = "__metadata__";

    /// <summary>The longest header that the reference library accepts, in bytes.</summary>
    public const ulong MaxLength = 100_000_000;

    /// <summary>Formats the length and the header, padded with spaces to a multiple of 8 bytes.</summary>
    public static ReadOnlySpan<byte> Format(ReadOnlySpan<SafetensorsEntry> entries, IReadOnlyDictionary<string, string> metadata)
    {
        var buffer = new ArrayBufferWriter<byte>();
        buffer.Write(stackalloc byte[sizeof(ulong)]);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            if (metadata.Count > 0)
            {
                json.WriteStartObject(MetadataName);
                foreach (var (key, value) in metadata.OrderBy(pair => pair.Key, StringComparer.Ordinal))
                {
                    json.WriteString(key, value);
                }
                json.WriteEndObject();
            }
            long begin = 0;
            foreach (var entry in entries)
            {
                json.WriteStartObject(entry.Name);
                json.WriteString("dtype", entry.Type);
                json.WriteStartArray("shape");
                foreach (int length in entry.Shape)
                {
                    json.WriteNumberValue(length);
                }
                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(begin);
                json.WriteNumberValue(begin += entry.Size);
                json.WriteEndArray();
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
        while (buffer.WrittenCount % 8 != 0)
        {
            buffer.Write(" "u8);
        }
        byte[] bytes = buffer.WrittenSpan.ToArray();
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, (ulong)(bytes.Length - sizeof(ulong)));
        return bytes;
    }

    /// <summary>Parses a header. The arrays are zeros, in the order of the file.</summary>
    /// <exception cref="InvalidDataException">The header is invalid, or does not match <paramref name="dataLength"/> bytes of data.</exception>
    public static Safetensors Parse(ReadOnlySpan<byte> header, long dataLength)
    {
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal);
        var entries = new List<EntryHeader>();
        try
        {
            ParseJson(header, metadata, entries);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // Utf8JsonReader throws InvalidOperationException for invalid UTF-8.
            throw new InvalidDataException($"the header is not valid JSON: {Excerpt(e.Message)}", e);
        }
        entries.Sort((a, b) => (a.Begin, a.End).CompareTo((b.Begin, b.End)));
        long end = 0;
        foreach (var entry in entries)
        {
            string where = entry.Begin < end ? "inside" : "with a gap after";
            Check(entry.Begin == end, entry.Name, $"begins at {entry.Begin}, {where} the previous entry, which ends at {end}");
            Check(entry.End <= dataLength, entry.Name, $"ends at {entry.End}, beyond the file's {dataLength} bytes of data");
            end = entry.End;
        }
        if (end < dataLength)
        {
            throw new InvalidDataException($"the last {dataLength - end} bytes belong to no entry");
        }
        return new Safetensors(entries.Select(entry => entry.Allocate()), metadata);
    }

    /// <summary>Formats a name, or another text of a file, for a message.</summary>
    public static string Excerpt(string text) => Printable.Of(text, maxLength: 100);

    private static void ParseJson(ReadOnlySpan<byte> header, Dictionary<string, string> metadata, List<EntryHeader> entries)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        var reader = new Utf8JsonReader(header);
        reader.Read();
        Expect(ref reader, JsonTokenType.StartObject, "the header");
        while (NextName(ref reader) is { } name)
        {
            Check(names.Add(name), name, "the name occurs twice");
            if (name == MetadataName)
            {
                ParseMetadata(ref reader, metadata);
            }
            else
            {
                entries.Add(ParseEntry(ref reader, name));
            }
        }
        // Rejects anything but white space after the object.
        reader.Read();
    }

    private static void ParseMetadata(ref Utf8JsonReader reader, Dictionary<string, string> metadata)
    {
        Expect(ref reader, JsonTokenType.StartObject, MetadataName);
        while (NextName(ref reader) is { } key)
        {
            Expect(ref reader, JsonTokenType.String, $"{MetadataName}, value of '{Excerpt(key)}'");
            Check(metadata.TryAdd(key, reader.GetString()!), MetadataName, $"the key '{Excerpt(key)}' occurs twice");
        }
    }

    private static EntryHeader ParseEntry(ref Utf8JsonReader reader, string name)
    {
        string entry = $"entry '{Excerpt(name)}'";
        string? type = null;
        long[]? shape = null, offsets = null;
        Expect(ref reader, JsonTokenType.StartObject, entry);
        while (NextName(ref reader) is { } field)
        {
            switch (field)
            {
                case "dtype" when type is null:
                    Expect(ref reader, JsonTokenType.String, $"{entry}, dtype");
                    type = reader.GetString();
                    break;
                case "shape" when shape is null:
                    shape = ParseIntegers(ref reader, $"{entry}, shape");
                    break;
                case "data_offsets" when offsets is null:
                    offsets = ParseIntegers(ref reader, $"{entry}, data_offsets");
                    break;
                default:
                    string problem = field is "dtype" or "shape" or "data_offsets" ? "occurs twice" : "is not a field of the format";
                    throw new InvalidDataException($"{entry}: '{Excerpt(field)}' {problem}");
            }
        }
        if (type is null || shape is null || offsets is null)
        {
            string missing = type is null ? "dtype" : shape is null ? "shape" : "data_offsets";
            throw new InvalidDataException($"{entry}: {missing} is missing");
        }
        return EntryHeader.Of(name, type, shape, offsets);
    }

    private static long[] ParseIntegers(ref Utf8JsonReader reader, string what)
    {
        var values = new List<long>();
        Expect(ref reader, JsonTokenType.StartArray, what);
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            values.Add(reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out long value) && value >= 0 ? value
                : throw new InvalidDataException($"{what}: expected nonnegative integers"));
        }
        return [.. values];
    }

    /// <summary>Reads the next property name and moves to its value. Returns null at the end of the object.</summary>
    private static string? NextName(ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType == JsonTokenType.EndObject)
        {
            return null;
        }
        string name = reader.GetString()!;
        reader.Read();
        return name;
    }

    private static void Expect(ref Utf8JsonReader reader, JsonTokenType type, string what)
    {
        if (reader.TokenType != type)
        {
            throw new InvalidDataException($"{what}: expected {type}, found {reader.TokenType}");
        }
    }

    private static void Check(bool holds, string name, string problem)
    {
        if (!holds)
        {
            throw new InvalidDataException($"entry '{Excerpt(name)}': {problem}");
        }
    }

    /// <summary>The validated header of one entry.</summary>
    private sealed record EntryHeader(string Name, string Type, int[] Shape, int Count, long Begin, long End)
    {
        public static EntryHeader Of(string name, string type, long[] shape, long[] offsets)
        {
            int size = SafetensorsEntry.SizeOf(type);
            Check(size > 0, name, $"dtype '{Excerpt(type)}' is not supported; F32, F64, I32, I64, U64, U8 and BOOL are");
            Check(offsets.Length == 2 && offsets[0] <= offsets[1], name, $"data_offsets {List(offsets)} are not [begin, end]");
            Int128 count = 1;
            foreach (long length in shape)
            {
                Check(length <= int.MaxValue, name, $"an axis of {length} is too long");
                // Saturate, so that the product does not overflow and a later axis of 0 still gives 0.
                count = Int128.Min(count * length, long.MaxValue);
            }
            Check(count <= Array.MaxLength, name, $"shape {List(shape)} has more than {Array.MaxLength} elements");
            long bytes = (long)count * size, given = offsets[1] - offsets[0];
            Check(bytes == given, name, $"shape {List(shape)} of {type} takes {bytes} bytes, data_offsets {List(offsets)} give {given}");
            return new EntryHeader(name, type, [.. shape.Select(length => (int)length)], (int)count, offsets[0], offsets[1]);
        }

        private static string List(long[] values) => Excerpt($"[{string.Join(", ", values.Take(100))}]");

        public SafetensorsEntry Allocate() => SafetensorsEntry.Allocate(Name, Type, Shape, Count);
    }
}
