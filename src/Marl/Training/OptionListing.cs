namespace Marl.Native.Rl;

/// <summary>An option of a run, as <c>marl list options</c> shows it.</summary>
/// <param name="Name">The name in settings; dotted for an option of a part.</param>
/// <param name="Value">The value.</param>
/// <param name="AllowedValues">The names of the possible values of an enumeration or a part; otherwise empty.</param>
/// <param name="Member">The full name of the property as in XML documentation, for example Marl.Native.Rl.AlgorithmOptions.Hidden.</param>
public sealed record OptionListing(string Name, string Value, IReadOnlyList<string> AllowedValues, string Member);
