using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;

namespace Marl.Native.Rl;

/// <summary>An option of a run, for people.</summary>
/// <param name="Name">what a setting calls it.</param>
/// <param name="Value">what it is set to.</param>
/// <param name="Words">what it can be, where that is one of a few words; else none.</param>
/// <param name="Member">its property, as the documentation of the engine names it: Marl.Native.Rl.LearnerOptions.Hidden.</param>
public sealed record OptionListing(string Name, string Value, IReadOnlyList<string> Words, string Member)
{
    /// <summary>All of a record, those of its own before those that it inherits.</summary>
    internal static IEnumerable<OptionListing> Of(JsonObject record, JsonTypeInfo type)
        => from property in type.Properties
           where record.ContainsKey(property.Name)
           select new OptionListing(property.Name, record[property.Name]!.ToString(), property.PropertyType.IsEnum ? Json.Words(property.PropertyType) : [],
               $"{property.DeclaringType.FullName}.{char.ToUpperInvariant(property.Name[0])}{property.Name[1..]}");
}
