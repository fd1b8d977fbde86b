using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Marl.Native;

/// <summary>The body of an elementwise loop, written once for all lanes.</summary>
internal interface ILoop
{
    /// <summary>Processes elements i .. i + T.Width - 1.</summary>
    void Step<T>(int i) where T : struct, IFloatLane<T>;
}

/// <summary>
/// Runs a loop body over n elements: the widest lane of this processor, then <see cref="F1"/> for the tail. All lanes compute the same bits, so that the result
/// does not depend on the width.
/// </summary>
internal static class Loop
{
    public static void Run<TLoop>(in TLoop loop, int n) where TLoop : struct, ILoop, allows ref struct
    {
        int i = 0;
        if (n >= V8.Width)
        {
            i = Vector512.IsHardwareAccelerated ? Run<V16, TLoop>(loop, 0, n) : Run<V8, TLoop>(loop, 0, n);
        }
        if (i < n)
        {
            Run<F1, TLoop>(loop, i, n);
        }
    }

    /// <summary>Not inlined: the JIT compiler stops inlining lane operators once a method has too many.</summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static int Run<T, TLoop>(TLoop loop, int i, int n)
        where T : struct, IFloatLane<T> where TLoop : struct, ILoop, allows ref struct
    {
        for (; i <= n - T.Width; i += T.Width)
        {
            loop.Step<T>(i);
        }
        return i;
    }
}
