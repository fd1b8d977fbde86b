namespace Marl.Native;

/// <summary>An elementwise function y = f(x), written once for all lanes. The fields of the implementing struct are its constants, at most 16 bytes.</summary>
public interface IUnary
{
    /// <summary>f(x)</summary>
    T F<T>(T x) where T : struct, ILane<T>;

    /// <summary>f'(x), given y = f(x).</summary>
    T D<T>(T x, T y) where T : struct, ILane<T>;
}

/// <summary>
/// An elementwise function y = f(a, b), written once for all lanes. The fields of the implementing struct are its constants, at most 16 bytes.
/// </summary>
public interface IBinary
{
    /// <summary>f(a, b)</summary>
    T F<T>(T a, T b) where T : struct, ILane<T>;

    /// <summary>df/da, given y = f(a, b).</summary>
    T DA<T>(T a, T b, T y) where T : struct, ILane<T>;

    /// <summary>df/db, given y = f(a, b).</summary>
    T DB<T>(T a, T b, T y) where T : struct, ILane<T>;
}

/// <summary>An associative operation that reduces an axis.</summary>
public interface IReduction
{
    /// <summary>The identity element: Fold(Identity, x) = x.</summary>
    float Identity { get; }

    /// <summary>Combines two elements.</summary>
    T Fold<T>(T a, T b) where T : struct, ILane<T>;
}

/// <summary>One optimizer step for a parameter p with gradient g and the optimizer's states m and v.</summary>
public interface IUpdate
{
    /// <summary>Whether the constants of the rule change from step to step.</summary>
    static virtual bool VariesByStep => false;

    /// <summary>Updates p, m and v.</summary>
    void Step<T>(ref T p, T g, ref T m, ref T v) where T : struct, ILane<T>;
}
