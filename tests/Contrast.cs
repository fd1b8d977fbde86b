using System.Globalization;

namespace Marl.Native.Tests;

/// <summary>How well two colors can be told apart.</summary>
internal static class Contrast
{
    /// <summary>(L1 + 0.05) / (L2 + 0.05) of relative luminances (WCAG 2).</summary>
    public static double Between(string a, string b)
    {
        double[] lights = [.. new[] { a, b }.Select(Luminance).Order()];
        return (lights[1] + 0.05) / (lights[0] + 0.05);

        static double Luminance(string color) => new[] { (1, 0.2126), (3, 0.7152), (5, 0.0722) }.Sum(part =>
        {
            double light = int.Parse(color.AsSpan(part.Item1, 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture) / 255.0;
            return part.Item2 * (light <= 0.04045 ? light / 12.92 : Math.Pow((light + 0.055) / 1.055, 2.4));
        });
    }
}
