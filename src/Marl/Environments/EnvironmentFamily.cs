namespace Marl.Native.Rl;

/// <summary>A family of environments whose ids have a common pattern.</summary>
/// <param name="Pattern">The pattern of the ids; capital letters are placeholders.</param>
/// <param name="Description">A description of one line.</param>
/// <param name="Examples">Ids that can be created on any machine; empty if a file is required.</param>
public sealed record EnvironmentFamily(string Pattern, string Description, IReadOnlyList<string> Examples)
{
    /// <summary>Creates an environment; returns null if the id belongs to another family.</summary>
    internal Func<EnvironmentId, IEnvironment?> TryCreate { get; init; } = _ => null;
}
