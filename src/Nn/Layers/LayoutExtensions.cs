namespace Marl.Native.Nn;

/// <summary>What all layers share.</summary>
internal static class LayoutExtensions
{
    /// <summary>A slice of shape <paramref name="lengths"/>, with an axis [N] in front when there are N &gt; 0 copies.</summary>
    public static ParameterSlice AddCopies(this ParameterLayout layout, string name, int copies, ReadOnlySpan<int> lengths,
        Initialiser initialiser)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(copies);
        return layout.Add(name, copies == 0 ? new Shape(lengths) : new Shape([copies, .. lengths]), initialiser);
    }
}
