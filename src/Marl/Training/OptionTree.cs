using System.Globalization;
using System.Numerics;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;

namespace Marl.Native.Rl;

/// <summary>
/// A record of options as a tree of named values, which are set by name. A part (see <see cref="Parts"/>) is a branch: its name sets its type, and its
/// options have dotted names ("mixer.embed"), which may be shortened if that is unambiguous ("embed").
/// </summary>
internal sealed class OptionTree
{
    private readonly Type record;
    private readonly JsonObject root;

    private OptionTree(Type record, JsonObject root) => (this.record, this.root) = (record, root);

    /// <summary>Creates the tree of a record.</summary>
    public static OptionTree Of(object record)
    {
        Parts.AddUsed(record, () => OptionsJson.Present);
        var type = record.GetType();
        return new(type, JsonSerializer.SerializeToNode(record, OptionsJson.Present.GetTypeInfo(type))!.AsObject());
    }

    /// <summary>Returns whether options of a type can be serialized: those of the catalog, and a program's own unless it was compiled ahead of time.</summary>
    public static bool Knows(Type record) => OptionsJson.Present.TryGetTypeInfo(record, out _);

    // Looked up on each use, because parts may have been added.
    private JsonTypeInfo Info => OptionsJson.Present.GetTypeInfo(record);

    /// <summary>The command that lists the options.</summary>
    public string ListCommand => record.IsSubclassOf(typeof(AlgorithmOptions)) ? $"marl list options {Parts.NameOf(record, "Options")}" : "marl list options";

    /// <summary>The values as JSON.</summary>
    public JsonObject Json => root;

    /// <summary>The names of all options, dotted and short.</summary>
    public IEnumerable<string> Names
        => All(root, Info).SelectMany(option => (string[])[option.Path, option.Path[(option.Path.LastIndexOf('.') + 1)..]]).Distinct();

    /// <summary>Creates the record.</summary>
    /// <exception cref="UsageException">A value has the wrong type; the message names the option.</exception>
    public object Read()
    {
        try
        {
            return root.Deserialize(Info)!;
        }
        catch (JsonException e)
        {
            string path = e.Path?.TrimStart('$', '.') ?? "";
            // The path may point into a value, "sizes[0]".
            var option = All(root, Info).LastOrDefault(option => path == option.Path || path.StartsWith(option.Path + ".", StringComparison.Ordinal)
                || path.StartsWith(option.Path + "[", StringComparison.Ordinal));
            throw new UsageException($"option '{option?.Path ?? path}' cannot be '{option?.Text}'; {option?.Needed ?? "another kind of value"} is required");
        }
        catch (ArgumentOutOfRangeException e)
        {
            string name = JsonNamingPolicy.CamelCase.ConvertName(e.ParamName ?? "");
            throw new UsageException($"option '{name}' cannot be {e.ActualValue}: {e.Message.Split(" (")[0]}");
        }
    }

    /// <summary>Lists all options: those of the record's own type before inherited ones, a part's options after the part.</summary>
    public IEnumerable<OptionListing> List()
        => from option in All(root, Info)
           select new OptionListing(option.Path, option.Text, [.. option.Words], $"{option.Property.DeclaringType.FullName}.{Member(option.Property.Name)}");

    /// <summary>Returns whether there is an option of this name.</summary>
    public bool Contains(string name) => Matches(name).Any();

    /// <summary>Returns whether a name is that of a part, which must be set before the part's options.</summary>
    public bool IsPart(string name) => Matches(name).Any(option => option.IsPart);

    /// <summary>Sets an option.</summary>
    /// <param name="name">The name of the option, dotted or short.</param>
    /// <param name="text">The value; of a part, the name of its type.</param>
    /// <exception cref="UsageException">The name is unknown or ambiguous, or the value is invalid.</exception>
    public void Set(string name, string text) => Find(name).Set(text);

    private Option Find(string name)
    {
        Option[] matches = [.. Matches(name)];
        if (matches.Length != 1)
        {
            throw matches.Length == 0 ? RenamedOptions.Unknown(name, Names, ListCommand)
                : new UsageException($"option '{name}' is ambiguous: {string.Join(", ", matches.Select(option => option.Path))}");
        }
        return matches[0];
    }

    /// <summary>Sets the options of a JSON object. A part is an object or the name of its type.</summary>
    /// <exception cref="UsageException">A name is unknown or ambiguous, or a value is invalid.</exception>
    public void Overlay(JsonObject values)
    {
        // The type of a part first, because its options depend on it.
        foreach (var (name, value) in values.OrderByDescending(value => IsPart(value.Key)).ToArray())
        {
            var option = Find(name);
            if (value is not JsonObject part || !option.IsPart)
            {
                option.Set(TextOf(value));
                continue;
            }
            if (part.TryGetPropertyValue(Parts.Discriminator, out var type))
            {
                option.Set(TextOf(type));
            }
            foreach (var (inner, leaf) in part)
            {
                if (inner != Parts.Discriminator)
                {
                    Overlay(new JsonObject { [$"{name}.{inner}"] = leaf?.DeepClone() });
                }
            }
        }
    }

    /// <summary>Returns the values that differ from a record's own defaults.</summary>
    public static JsonObject Chosen(object record, object defaults) => Difference(Of(record).root, Of(defaults).root);

    private static JsonObject Difference(JsonObject record, JsonObject defaults)
    {
        var chosen = new JsonObject();
        foreach (var (name, value) in record)
        {
            if (JsonNode.DeepEquals(value, defaults[name]))
            {
                continue;
            }
            chosen[name] = value is JsonObject part && defaults[name] is JsonObject old
                && part[Parts.Discriminator] is { } type && TextOf(type) == TextOf(old[Parts.Discriminator])
                ? Difference(part, old) : value?.DeepClone();
        }
        return chosen;
    }

    private IEnumerable<Option> Matches(string name)
    {
        Option[] all = [.. All(root, Info)], exact = [.. all.Where(option => option.Path == name)];
        return exact.Length > 0 ? exact : all.Where(option => option.Path.EndsWith("." + name, StringComparison.Ordinal));
    }

    private static IEnumerable<Option> All(JsonObject values, JsonTypeInfo type, string prefix = "")
    {
        foreach (var property in type.Properties)
        {
            if (!values.ContainsKey(property.Name))
            {
                continue;
            }
            var option = new Option(values, property, prefix + property.Name);
            yield return option;
            if (option.IsPart && values[property.Name] is JsonObject part)
            {
                foreach (var inner in All(part, option.PartType, $"{option.Path}."))
                {
                    yield return inner;
                }
            }
        }
    }

    private static string TextOf(JsonNode? value) => value is JsonValue scalar && scalar.TryGetValue(out string? text) ? text : value?.ToJsonString() ?? "null";

    private static string Member(string name) => char.ToUpperInvariant(name[0]) + name[1..];

    /// <summary>An option and its value.</summary>
    private sealed class Option(JsonObject values, JsonPropertyInfo property, string path)
    {
        private readonly IReadOnlyList<JsonDerivedType> types = Parts.TypesOf(property.PropertyType, OptionsJson.Present);

        public JsonPropertyInfo Property => property;

        public string Path => path;

        public bool IsPart => types.Count > 0;

        public string Text => TextOf(IsPart && values[property.Name] is JsonObject part ? part[Parts.Discriminator] : values[property.Name]);

        public IEnumerable<string> Words => IsPart ? types.Select(type => (string)type.TypeDiscriminator!)
            : property.PropertyType.IsEnum ? Rl.Json.EnumNames(property.PropertyType) : [];

        public string Needed => Words.Any() ? $"one of {string.Join(", ", Words)}"
            : property.PropertyType == typeof(int) || property.PropertyType == typeof(long) || property.PropertyType == typeof(ulong) ? "an integer"
            : "another kind of value";

        public JsonTypeInfo PartType => OptionsJson.Present.GetTypeInfo(types.First(type => (string)type.TypeDiscriminator! == Text).DerivedType);

        public void Set(string text)
        {
            if (IsPart)
            {
                if (text == Text)
                {
                    return; // It keeps its options, the published ones among them.
                }
                var type = types.FirstOrDefault(type => (string)type.TypeDiscriminator! == text).DerivedType ?? throw Bad($"{Needed} is required");
                values[property.Name] = Parts.Default(type, property.PropertyType, OptionsJson.Present);
                return;
            }
            var (wanted, present) = (Nullable.GetUnderlyingType(property.PropertyType), values[property.Name]?.GetValueKind());
            if (text == "null" && (wanted is not null || !property.PropertyType.IsValueType))
            {
                values[property.Name] = null;
                return;
            }
            wanted ??= property.PropertyType;
            values[property.Name] = present switch
            {
                JsonValueKind.True or JsonValueKind.False => bool.TryParse(text, out bool flag) ? flag : throw Bad("true or false is required"),
                JsonValueKind.Number => NumberOf(text),
                JsonValueKind.String => text,
                // A list, a record, or a value that is not there yet.
                _ => wanted == typeof(string) || wanted.IsEnum ? text : JsonOf(text),
            };

            UsageException Bad(string needed) => new($"option '{path}' cannot be '{text}'; {needed}");

            // In any notation that .NET reads: 2000000, 2e6, +2.0E6.
            JsonNode NumberOf(string text) => Type.GetTypeCode(wanted) switch
            {
                TypeCode.Int32 => Whole<int>(text),
                TypeCode.Int64 => Whole<long>(text),
                TypeCode.UInt64 => Whole<ulong>(text),
                TypeCode.Single => Real<float>(text),
                _ => Real<double>(text),
            };

            JsonNode Whole<T>(string text) where T : struct, IBinaryInteger<T>, IMinMaxValue<T>
            {
                if (T.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var whole))
                {
                    return T.IsNegative(whole) ? JsonValue.Create(long.CreateChecked(whole)) : JsonValue.Create(ulong.CreateChecked(whole));
                }
                bool isWhole = TryReal(text, out double number) && Math.Floor(number).Equals(number);
                throw Bad(!isWhole ? "an integer is required"
                    : number > 0 ? $"an integer of at most {T.MaxValue} is required" : $"an integer of at least {T.MinValue} is required");
            }

            JsonNode Real<T>(string text) where T : struct, IFloatingPointIeee754<T>, IMinMaxValue<T>
            {
                if (!TryReal(text, out double number) || double.IsNaN(number))
                {
                    throw Bad("a number is required");
                }
                var value = T.CreateSaturating(number);
                return T.IsFinite(value) && T.IsZero(value) == (number == 0) ? JsonValue.Create(number)
                    : throw Bad(string.Create(CultureInfo.InvariantCulture, $"0 or a number of magnitude {T.Epsilon} .. {T.MaxValue} is required"));
            }

            static bool TryReal(string text, out double number) => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out number);

            // Text that is not JSON may be the string form of a type, "00:00:05".
            JsonNode? JsonOf(string text)
            {
                try
                {
                    return JsonNode.Parse(text);
                }
                catch (JsonException)
                {
                    return text;
                }
            }
        }
    }
}
