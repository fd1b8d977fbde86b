namespace Marl.Native.Nn;

/// <summary>Extensions for the constructors of layers.</summary>
internal static class LayoutExtensions
{
    /// <summary>Adds a slice of shape <paramref name="lengths"/>, with a leading axis [N] for N > 0 groups.</summary>
    public static ParameterSlice AddGroups(this ParameterLayout layout, string name, int groups, ReadOnlySpan<int> lengths,
        Initializer initializer)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(groups);
        return layout.Add(name, groups == 0 ? new Shape(lengths) : new Shape([groups, .. lengths]), initializer);
    }
}
