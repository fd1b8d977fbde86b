using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Marl.Native.Rl;

/// <summary>JSON, with errors that a user can act on.</summary>
internal static class Json
{
    /// <summary>Of files that people write: comments and trailing commas are read over, a name that stands twice is refused.</summary>
    public static JsonDocumentOptions Lenient => new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true, AllowDuplicateProperties = false };

    /// <summary>The values of an enum as <see cref="WordConverter{T}"/> writes them.</summary>
    public static string[] Words(Type type) => [.. Enum.GetNames(type).Select(JsonNamingPolicy.CamelCase.ConvertName)];

    /// <exception cref="UsageException">it is no JSON object.</exception>
    public static JsonObject ParseObject(string json, string source)
    {
        try
        {
            return JsonNode.Parse(json, documentOptions: Lenient) as JsonObject
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
