namespace Marl.Native.Rl;

/// <summary>Environments that share a form of id.</summary>
/// <param name="Pattern">the form, capitals standing for what may vary.</param>
/// <param name="Description">one line about them.</param>
/// <param name="Examples">ids that can be created anywhere; none if a file is needed.</param>
public sealed record EnvironmentFamily(string Pattern, string Description, IReadOnlyList<string> Examples)
{
    /// <summary>Creates the environment; null if the id's name is of another family.</summary>
    internal Func<EnvironmentId, IEnvironment?> TryCreate { get; init; } = _ => null;
}
