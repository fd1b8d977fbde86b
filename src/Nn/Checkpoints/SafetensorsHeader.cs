using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using System.Text.Json;

namespace Marl.Native.Nn;

/// <summary>The header of a safetensors file: { "__metadata__": { "key": "text" }, "name": { "dtype": "F32", "shape": [2, 3],
/// "data_offsets": [begin, end] }, .. }, offsets counted from the end of the header. Messages of errors lack the file's name,
/// which the reader adds.</summary>
internal static class SafetensorsHeader
{
    /// <summary>The one name that is not an entry's.</summary>
    public const string MetadataName = "__metadata__";

    /// <summary>The longest header that the format's own library accepts.</summary>
    public const ulong MaxLength = 100_000_000;

    /// <summary>The first bytes of a file: length and header, filled up with blanks to a multiple of 8.</summary>
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

    /// <summary>The content that a header announces, its arrays still zeros, in the order of the file.</summary>
    /// <exception cref="InvalidDataException">the header is wrong in itself, or for <paramref name="dataLength"/> bytes of
    /// data.</exception>
    public static Safetensors Parse(ReadOnlySpan<byte> header, long dataLength)
    {
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal);
        var places = new List<Place>();
        try
        {
            ParseJson(header, metadata, places);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // The reader's InvalidOperationException: text that is not Unicode.
            throw new InvalidDataException($"the header is not valid JSON: {Printable(e.Message)}", e);
        }
        places.Sort((a, b) => (a.Begin, a.End).CompareTo((b.Begin, b.End)));
        long end = 0;
        foreach (var place in places)
        {
            string where = place.Begin < end ? "inside" : "with a gap behind";
            Check(place.Begin == end, place.Name, $"begins at {place.Begin}, {where} the entry before, which ends at {end}");
            Check(place.End <= dataLength, place.Name, $"ends at {place.End}, beyond the file's {dataLength} bytes of data");
            end = place.End;
        }
        if (end < dataLength)
        {
            throw new InvalidDataException($"{dataLength - end} bytes at the end belong to no entry");
        }
        return new Safetensors(places.Select(place => place.Allocate()), metadata);
    }

    /// <summary>A name as it may stand in a message of one line.</summary>
    public static string Printable(string text)
    {
        var line = new StringBuilder();
        foreach (char c in text.Length > 100 ? text[..100] + ".." : text)
        {
            line.Append(char.IsControl(c) ? '?' : c);
        }
        return line.ToString();
    }

    private static void ParseJson(ReadOnlySpan<byte> header, Dictionary<string, string> metadata, List<Place> places)
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
                places.Add(ParsePlace(ref reader, name));
            }
        }
        // Reads on to the end: anything but blanks behind the object is refused there.
        reader.Read();
    }

    private static void ParseMetadata(ref Utf8JsonReader reader, Dictionary<string, string> metadata)
    {
        Expect(ref reader, JsonTokenType.StartObject, MetadataName);
        while (NextName(ref reader) is { } key)
        {
            Expect(ref reader, JsonTokenType.String, $"{MetadataName}, value of '{Printable(key)}'");
            Check(metadata.TryAdd(key, reader.GetString()!), MetadataName, $"the key '{Printable(key)}' occurs twice");
        }
    }

    private static Place ParsePlace(ref Utf8JsonReader reader, string name)
    {
        string entry = $"entry '{Printable(name)}'";
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
                    shape = ParseNumbers(ref reader, $"{entry}, shape");
                    break;
                case "data_offsets" when offsets is null:
                    offsets = ParseNumbers(ref reader, $"{entry}, data_offsets");
                    break;
                default:
                    string problem = field is "dtype" or "shape" or "data_offsets" ? "occurs twice" : "is not a field of the format";
                    throw new InvalidDataException($"{entry}: '{Printable(field)}' {problem}");
            }
        }
        if (type is null || shape is null || offsets is null)
        {
            string missing = type is null ? "dtype" : shape is null ? "shape" : "data_offsets";
            throw new InvalidDataException($"{entry}: {missing} is missing");
        }
        return Place.Of(name, type, shape, offsets);
    }

    private static long[] ParseNumbers(ref Utf8JsonReader reader, string what)
    {
        var numbers = new List<long>();
        Expect(ref reader, JsonTokenType.StartArray, what);
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            numbers.Add(reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out long number) && number >= 0 ? number
                : throw new InvalidDataException($"{what}: whole numbers from 0 on are needed"));
        }
        return [.. numbers];
    }

    /// <summary>The next name of an object, with the reader on its value; null at the object's end.</summary>
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
            throw new InvalidDataException($"{what}: {type} is needed where {reader.TokenType} stands");
        }
    }

    private static void Check(bool holds, string name, string problem)
    {
        if (!holds)
        {
            throw new InvalidDataException($"entry '{Printable(name)}': {problem}");
        }
    }

    /// <summary>One entry of the header, checked by itself.</summary>
    private sealed record Place(string Name, string Type, int[] Shape, int Count, long Begin, long End)
    {
        public static Place Of(string name, string type, long[] shape, long[] offsets)
        {
            int size = SafetensorsEntry.SizeOf(type);
            Check(size > 0, name, $"dtype '{Printable(type)}' is not supported; F32, F64, I32, I64, U64, U8 and BOOL are");
            Check(offsets.Length == 2 && offsets[0] <= offsets[1], name, $"data_offsets {List(offsets)} are not [begin, end]");
            Int128 count = 1;
            foreach (long length in shape)
            {
                Check(length <= int.MaxValue, name, $"an axis of {length} is too long");
                // Saturates, so that nothing overflows and a later axis of 0 still makes it 0.
                count = Int128.Min(count * length, long.MaxValue);
            }
            Check(count <= Array.MaxLength, name, $"shape {List(shape)} has more than {Array.MaxLength} elements");
            long bytes = (long)count * size, given = offsets[1] - offsets[0];
            Check(bytes == given, name, $"shape {List(shape)} of {type} takes {bytes} bytes, data_offsets {List(offsets)} give {given}");
            return new Place(name, type, [.. shape.Select(length => (int)length)], (int)count, offsets[0], offsets[1]);
        }

        private static string List(long[] numbers) => $"[{string.Join(", ", numbers)}]";

        public SafetensorsEntry Allocate() => SafetensorsEntry.Allocate(Name, Type, Shape, Count);
    }
}
