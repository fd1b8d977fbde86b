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
/// Options as JSON: records whose properties are values or parts. A part is a property of an abstract record type (a mixer, an agent network, an exploration,
/// an optimizer); its JSON names the derived type in the property "type". The built-in derived types stand at their base type as
/// <see cref="JsonDerivedTypeAttribute"/>; those of a loaded library, and those that a program uses, are added here.
/// </summary>
internal static class Parts
{
    /// <summary>The JSON property that names the type of a part.</summary>
    public const string Discriminator = "type";

    // Programs train on several threads at once.
    private static readonly Lock Gate = new();
    private static readonly List<(Type Base, Type Part)> Added = [];

    /// <summary>Counts the parts that were added: JSON options made before are stale.</summary>
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

    /// <summary>Adds a part that is not built in. To add it again changes nothing.</summary>
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

    /// <summary>Adds the types of all parts of a record that are not known yet: a program that uses a part of its own can save it, and read it again.</summary>
    /// <param name="record">Options.</param>
    /// <param name="options">JSON options of the present version.</param>
    /// <exception cref="UsageException">A part has the name of another type.</exception>
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
                    throw new UsageException($"{type.FullName} has the name '{name}' of {other.FullName}; give it another name with [DisplayName(\"..\")]");
                }
                Add(property.PropertyType, type);
            }
            AddUsed(part, options);
        }
    }

    /// <summary>JSON options of a source-generated context, and of the parts that were added.</summary>
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

    /// <summary>The types that a part can have; none if <paramref name="type"/> is not the type of parts.</summary>
    public static IReadOnlyList<JsonDerivedType> TypesOf(Type type, JsonSerializerOptions options)
        => type.IsAbstract && options.TryGetTypeInfo(type, out var info) && info.PolymorphismOptions is { } parts ? [.. parts.DerivedTypes] : [];

    /// <summary>The name of a part's type: without the name of the part's kind.</summary>
    public static string NameOf(Type part, Type baseType) => NameOf(part, "Options", baseType.Name, baseType.Name.Replace("Options", ""));

    /// <summary>The name of a type of options or of a part: its <see cref="DisplayNameAttribute"/>, else its own name in lower case with hyphens, without the
    /// <paramref name="suffixes"/> of its kind.</summary>
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

    /// <summary>The <see cref="DescriptionAttribute"/> of a type; empty if it has none.</summary>
    public static string DescriptionOf(Type type)
        => type.GetCustomAttributes(typeof(DescriptionAttribute), inherit: false) is [DescriptionAttribute text] ? text.Description : "";

    /// <summary>A part with its own defaults, as JSON.</summary>
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
            // The learning rate of an optimizer is the algorithm's.
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
