using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Marl.Native.Rl;

/// <summary>JSON, with errors that a user can act on.</summary>
internal static class Json
{
    /// <summary>The values of an enum as <see cref="CamelCaseEnumConverter{T}"/> writes them.</summary>
    public static string[] EnumNames(Type type) => [.. Enum.GetNames(type).Select(JsonNamingPolicy.CamelCase.ConvertName)];

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
internal sealed class CamelCaseEnumConverter<T>() : JsonStringEnumConverter<T>(JsonNamingPolicy.CamelCase, allowIntegerValues: false) where T : struct, Enum;
