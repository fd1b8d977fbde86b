using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Marl.Native.Rl;

/// <summary>Records to JSON and back, with errors that a user can act on.</summary>
internal static class Json
{
    public static JsonObject ToNode<T>(T record, JsonTypeInfo<T> type) => JsonSerializer.SerializeToNode(record, type)!.AsObject();

    /// <exception cref="UsageException">a value does not fit its option; names it.</exception>
    public static T FromNode<T>(JsonObject node, JsonTypeInfo<T> type)
    {
        try
        {
            return node.Deserialize(type)!;
        }
        catch (JsonException e)
        {
            string name = e.Path?.TrimStart('$', '.') ?? "";
            string value = name.Length > 0 && node.TryGetPropertyValue(name, out var wrong) ? $" '{wrong}'" : "";
            var kind = type.Properties.FirstOrDefault(p => p.Name == name)?.PropertyType;
            string needed = kind is { IsEnum: true } ? $"one of {string.Join(", ", Words(kind))}"
                : kind == typeof(int) || kind == typeof(long) || kind == typeof(ulong) ? "a whole number" : "another kind of value";
            throw new UsageException($"option '{name}' cannot be{value}; {needed} is needed");
        }
    }

    /// <summary>The values of an enum as <see cref="WordConverter{T}"/> writes them.</summary>
    public static string[] Words(Type type) => [.. Enum.GetNames(type).Select(JsonNamingPolicy.CamelCase.ConvertName)];

    /// <exception cref="UsageException">it is no JSON object.</exception>
    public static JsonObject ParseObject(string json, string source)
    {
        try
        {
            var options = new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true, AllowDuplicateProperties = false };
            return JsonNode.Parse(json, documentOptions: options) as JsonObject
                ?? throw new UsageException($"{source} holds no JSON object");
        }
        catch (JsonException e)
        {
            throw new UsageException($"{source} is no JSON: {e.Message}");
        }
    }
}

/// <summary>An enum written as words: "gru", "none".</summary>
internal sealed class WordConverter<T>() : JsonStringEnumConverter<T>(JsonNamingPolicy.CamelCase, allowIntegerValues: false) where T : struct, Enum;
