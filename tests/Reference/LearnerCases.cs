using System.Text.Json;

namespace Marl.Native.Tests;

/// <summary>The cases of the folder "learners" whose names begin in one of some ways.</summary>
public abstract class LearnerCases(params string[] prefixes) : IReferenceCases
{
    /// <inheritdoc/>
    public IEnumerable<(string Name, string? NotBuilt)> Cases
        => from file in ReferenceData.Files("learners", "*.json")
           let name = Path.GetFileNameWithoutExtension(file)
           where name != "index" && Belongs(name)
           select (name, Has(name) ? null : $"not built yet: {Algorithm(file)}");

    /// <summary>Whether there is code that computes the case.</summary>
    protected abstract bool Has(string name);

    /// <summary>Whether the case is one of these.</summary>
    protected virtual bool Belongs(string name) => prefixes.Any(prefix => name.StartsWith(prefix, StringComparison.Ordinal));

    private static string Algorithm(string file)
        => JsonDocument.Parse(File.ReadAllBytes(file)).RootElement.GetProperty("algorithm").GetString()!;
}
