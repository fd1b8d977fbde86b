using System.ComponentModel;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>
/// JSON serialization of options: records whose properties are values or parts. A part is a property whose type is an abstract record (a mixer, an agent
/// network, an exploration strategy, an optimizer); its JSON has the name of the derived type in the property "type". Built-in derived types are attributes
/// of their base type (<see cref="JsonDerivedTypeAttribute"/>); types of loaded libraries and of the calling program are added here.
/// </summary>
internal static class Parts
{
    /// <summary>The JSON property with the name of a part's type.</summary>
    public const string Discriminator = "type";

    // Several threads may train at the same time.
    private static readonly Lock Gate = new();
    private static readonly List<(Type Base, Type Part)> Added = [];

    /// <summary>The number of added parts; JSON options that were created with a smaller number are out of date.</summary>
    public static int Version
    {
        get
        {
            lock (Gate)
            {
                return Added.Count;
            }
        }
    }

    /// <summary>Adds a part that is not built in; has no effect if it was added before.</summary>
    public static void Add(Type baseType, Type part)
    {
        lock (Gate)
        {
            if (!Added.Contains((baseType, part)))
            {
                Added.Add((baseType, part));
            }
        }
    }

    /// <summary>Adds the unknown types of all parts of a record, so that user-defined parts can be saved and loaded.</summary>
    /// <param name="record">The options.</param>
    /// <param name="options">Returns the JSON options of the current <see cref="Version"/>.</param>
    /// <exception cref="UsageException">Two types have the same name.</exception>
    public static void AddUsed(object record, Func<JsonSerializerOptions> options)
    {
        foreach (var property in options().GetTypeInfo(record.GetType()).Properties)
        {
            var types = TypesOf(property.PropertyType, options());
            if (types.Count == 0 || property.Get?.Invoke(record) is not { } part)
            {
                continue;
            }
            var type = part.GetType();
            if (types.All(known => known.DerivedType != type))
            {
                string name = NameOf(type, property.PropertyType);
                if (types.FirstOrDefault(known => name.Equals(known.TypeDiscriminator)).DerivedType is { } other)
                {
                    throw new UsageException($"{type.FullName} and {other.FullName} have the same name '{name}'; set another name with [DisplayName(\"..\")]");
                }
                Add(property.PropertyType, type);
            }
            AddUsed(part, options);
        }
    }

    /// <summary>Returns the JSON options of a source-generated context and of the added parts.</summary>
    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "Types of loaded libraries are not trimmed; without libraries nothing is reflected on.")]
    [UnconditionalSuppressMessage("AOT", "IL3050", Justification = "Libraries are loaded only where code can be compiled at run time.")]
    public static JsonSerializerOptions Options(JsonSerializerContext context)
    {
        IJsonTypeInfoResolver resolver = context;
        (Type, Type)[] added;
        lock (Gate)
        {
            added = [.. Added];
        }
        var options = new JsonSerializerOptions(context.Options) { AllowOutOfOrderMetadataProperties = true };
        if (JsonSerializer.IsReflectionEnabledByDefault)
        {
            resolver = JsonTypeInfoResolver.Combine(context, new DefaultJsonTypeInfoResolver());
            options.Converters.Add(new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false));
        }
        options.TypeInfoResolver = resolver.WithAddedModifier(info => Modify(info, added));
        options.MakeReadOnly();
        return options;
    }

    /// <summary>Returns the derived types of a part; empty if <paramref name="type"/> is not a base type of parts.</summary>
    public static IReadOnlyList<JsonDerivedType> TypesOf(Type type, JsonSerializerOptions options)
        => type.IsAbstract && options.TryGetTypeInfo(type, out var info) && info.PolymorphismOptions is { } parts ? [.. parts.DerivedTypes] : [];

    /// <summary>Returns the name of a part's type, without the name of its base type.</summary>
    public static string NameOf(Type part, Type baseType) => NameOf(part, "Options", baseType.Name, baseType.Name.Replace("Options", ""));

    /// <summary>Returns the name of an options or part type: its <see cref="DisplayNameAttribute"/>, or else the type name in kebab case without the
    /// <paramref name="suffixes"/>.</summary>
    public static string NameOf(Type type, params ReadOnlySpan<string> suffixes)
    {
        if (type.GetCustomAttributes(typeof(DisplayNameAttribute), inherit: false) is [DisplayNameAttribute name])
        {
            return name.DisplayName;
        }
        string word = type.Name;
        foreach (string suffix in suffixes)
        {
            word = word.Length > suffix.Length && word.EndsWith(suffix, StringComparison.Ordinal) ? word[..^suffix.Length] : word;
        }
        var text = new StringBuilder();
        for (int i = 0; i < word.Length; i++)
        {
            if (i > 0 && char.IsUpper(word[i]) && !char.IsUpper(word[i - 1]))
            {
                text.Append('-');
            }
            text.Append(char.ToLowerInvariant(word[i]));
        }
        return text.ToString();
    }

    /// <summary>Returns the <see cref="DescriptionAttribute"/> of a type; empty if it has none.</summary>
    public static string DescriptionOf(Type type)
        => type.GetCustomAttributes(typeof(DescriptionAttribute), inherit: false) is [DescriptionAttribute text] ? text.Description : "";

    /// <summary>Returns the default options of a part as JSON.</summary>
    [UnconditionalSuppressMessage("Trimming", "IL2067", Justification = "The constructors of parts are kept by their source-generated JSON.")]
    public static JsonObject Default(Type part, Type baseType, JsonSerializerOptions options)
        => JsonSerializer.SerializeToNode(Activator.CreateInstance(part), options.GetTypeInfo(baseType))!.AsObject();

    private static void Modify(JsonTypeInfo info, (Type Base, Type Part)[] added)
    {
        if (info.Kind != JsonTypeInfoKind.Object)
        {
            return;
        }
        foreach (var property in info.Properties)
        {
            // The learning rate is an option of the algorithm, not of the optimizer.
            if (property.Name == "learningRate" && info.Type.IsAssignableTo(typeof(UpdateRule)))
            {
                property.ShouldSerialize = static (_, _) => false;
            }
        }
        foreach (var (baseType, part) in added)
        {
            if (baseType == info.Type)
            {
                info.PolymorphismOptions!.DerivedTypes.Add(new(part, NameOf(part, baseType)));
            }
        }
    }
}
