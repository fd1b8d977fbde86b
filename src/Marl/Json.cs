using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Marl.Native.Nn;

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
    /// <exception cref="UsageException">The text is not a JSON object, or has a string that is not valid Unicode.</exception>
    public static JsonObject ParseObject(string json, string source)
    {
        try
        {
            using var document = JsonDocument.Parse(json, Lenient);
            RequireUnicode(document.RootElement);
            return JsonNode.Parse(json, documentOptions: Lenient) as JsonObject
                ?? throw new UsageException($"{source} is not a JSON object");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new UsageException($"{source} is not valid JSON: {Printable.Of(e.Message, maxLength: 300)}");
        }
    }

    /// <summary>Reads all names and strings, so that a part of a surrogate pair is found here and not at the first use.</summary>
    /// <exception cref="InvalidOperationException">A name or a string is not valid Unicode.</exception>
    public static void RequireUnicode(JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.String:
                _ = element.GetString();
                break;
            case JsonValueKind.Array:
                foreach (var item in element.EnumerateArray())
                {
                    RequireUnicode(item);
                }
                break;
            case JsonValueKind.Object:
                foreach (var property in element.EnumerateObject())
                {
                    _ = property.Name;
                    RequireUnicode(property.Value);
                }
                break;
        }
    }
}

/// <summary>Converts an enum to and from its names in camel case: "individual", "none".</summary>
internal sealed class CamelCaseEnumConverter<T>() : JsonStringEnumConverter<T>(JsonNamingPolicy.CamelCase, allowIntegerValues: false) where T : struct, Enum;
