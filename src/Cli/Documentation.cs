using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Marl.Native.Rl;

namespace Marl.Native.Cli;

/// <summary>Reads the XML documentation of properties and types from the files beside the assemblies of Marl.Native and of loaded libraries.</summary>
internal static partial class Documentation
{
    private static readonly Lazy<Dictionary<string, XElement>> summaries = new(Read);

    /// <summary>Returns the summary of a property as plain text; empty if it has none.</summary>
    /// <param name="property">The full name: Namespace.Type.Property.</param>
    public static string Of(string property) => Text($"P:{property}");

    /// <summary>Returns the summary of a type as plain text; empty if it has none.</summary>
    public static string Of(Type type) => Text($"T:{type.FullName!.Replace('+', '.')}");

    private static string Text(string member)
        => summaries.Value.TryGetValue(member, out var summary) ? Spaces().Replace(string.Concat(summary.Nodes().Select(Plain)), " ").Trim() : "";

    private static Dictionary<string, XElement> Read()
    {
        string[] engine = Directory.GetFiles(AppContext.BaseDirectory, "Marl.Native*.xml");
        Dictionary<string, XElement> summaries = [];
        foreach (var member in engine.Concat(Catalog.LoadedLibraries.Select(library => Path.ChangeExtension(library, ".xml"))).Where(File.Exists)
            .SelectMany(file => XDocument.Load(file).Descendants("member")))
        {
            if (member.Element("summary") is { } summary)
            {
                summaries[member.Attribute("name")!.Value] = summary;
            }
        }
        return summaries;
    }

    /// <summary>Returns the text of a node. References to options and to values of enumerations are written as in --set.</summary>
    private static string Plain(XNode node)
    {
        if ((node as XElement)?.Attribute("cref")?.Value.Split('.') is not { Length: > 1 } reference)
        {
            return (node as XElement)?.Value ?? node.ToString();
        }
        string type = reference[^2], name = reference[^1];
        bool isOption = reference[0][0] == 'P', isValue = reference[0][0] == 'F';
        return isOption || isValue ? JsonNamingPolicy.CamelCase.ConvertName(name) : reference[0][0] == 'T' ? name : $"{type}.{name}";
    }

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}
