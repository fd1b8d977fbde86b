using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Marl.Native.Rl;

/// <summary>Parses JSON with error messages for users.</summary>
internal static class Json
{
    /// <summary>The options for files written by users: comments and trailing commas are allowed, duplicate names are not.</summary>
    public static JsonDocumentOptions Lenient => new()
    {
        CommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
        AllowDuplicateProperties = false,
    };

    /// <summary>Returns the names of an enum's values as <see cref="CamelCaseEnumConverter{T}"/> writes them.</summary>
    public static string[] EnumNames(Type type) => [.. Enum.GetNames(type).Select(JsonNamingPolicy.CamelCase.ConvertName)];

    /// <summary>Parses a JSON object; comments and trailing commas are allowed.</summary>
    /// <param name="json">The text.</param>
    /// <param name="source">The source of the text in error messages.</param>
    /// <exception cref="UsageException">The text is not a JSON object.</exception>
    public static JsonObject ParseObject(string json, string source)
    {
        try
        {
            return JsonNode.Parse(json, documentOptions: Lenient) as JsonObject
                ?? throw new UsageException($"{source} is not a JSON object");
        }
        catch (JsonException e)
        {
            throw new UsageException($"{source} is not valid JSON: {e.Message}");
        }
    }
}

/// <summary>Converts an enum to and from its names in camel case: "individual", "none".</summary>
internal sealed class CamelCaseEnumConverter<T>() : JsonStringEnumConverter<T>(JsonNamingPolicy.CamelCase, allowIntegerValues: false) where T : struct, Enum;
