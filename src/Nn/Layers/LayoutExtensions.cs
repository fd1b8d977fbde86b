namespace Marl.Native.Nn;

/// <summary>What all layers share.</summary>
internal static class LayoutExtensions
{
    /// <summary>A slice of shape <paramref name="lengths"/>, with an axis [N] in front when there are N &gt; 0 copies.</summary>
    public static ParameterSlice AddGroups(this ParameterLayout layout, string name, int groups, ReadOnlySpan<int> lengths,
        Initializer initializer)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(groups);
        return layout.Add(name, groups == 0 ? new Shape(lengths) : new Shape([groups, .. lengths]), initializer);
    }
}
