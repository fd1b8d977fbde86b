using Marl.Native.Rl;

namespace Marl.Native.Tests;

/// <summary>Joint actions of numbers.</summary>
internal static class Numbers
{
    /// <summary>Of agents' vectors, padded to the longest.</summary>
    public static JointAction Joint(params float[][] vectors)
    {
        int width = vectors.Max(vector => vector.Length);
        return JointAction.Create((float[])[.. vectors.SelectMany(vector => vector.Concat(new float[width - vector.Length]))], width);
    }
}
