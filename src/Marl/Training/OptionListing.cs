namespace Marl.Native.Rl;

/// <summary>An option of a run, for people.</summary>
/// <param name="Name">Its name in settings; dotted for an option of a part.</param>
/// <param name="Value">Its value.</param>
/// <param name="Words">The values that it can have, where it is one of a few words; else empty.</param>
/// <param name="Member">Its property, as XML documentation names it: Marl.Native.Rl.AlgorithmOptions.Hidden.</param>
public sealed record OptionListing(string Name, string Value, IReadOnlyList<string> Words, string Member);
