namespace Marl.Native.Tests;

/// <summary>How far counts are from what they should be.</summary>
internal static class Statistics
{
    /// <summary>Pearson's sum of (count - mean)^2 / mean: chi-square distributed if the counts are of uniform draws.</summary>
    public static double ChiSquare(int[] counts)
    {
        double expected = counts.Sum() / (double)counts.Length;
        return counts.Sum(count => (count - expected) * (count - expected) / expected);
    }
}
