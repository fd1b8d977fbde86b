using System.Runtime.CompilerServices;
using static System.Runtime.CompilerServices.MethodImplOptions;

namespace Marl.Native;

public static partial class Ops
{
    /// <summary>x sigmoid(x): the sigmoid-weighted linear unit, also called swish (Elfwing, Uchibe and Doya 2018, equation 4).</summary>
    public static Var Silu(this Var x) => x.Map(default(Silu));
}

/// <summary>x s with s = 1 / (1 + e^-x). The derivative is s (1 + x (1 - s)) = s + y (1 - s).</summary>
internal readonly struct Silu : IUnary
{
    [MethodImpl(AggressiveInlining)] public T F<T>(T x) where T : struct, ILane<T> => x * T.Sigmoid(x);

    [MethodImpl(AggressiveInlining)]
    public T D<T>(T x, T y) where T : struct, ILane<T>
    {
        T s = T.Sigmoid(x);
        return s + y * (T.One - s);
    }
}
