namespace Marl.Native;

/// <summary>An op y = f(x), element by element, written once for every lane; fields are its constants (16 bytes at most).</summary>
public interface IUnary
{
    /// <summary>f(x)</summary>
    T F<T>(T x) where T : struct, ILane<T>;

    /// <summary>f'(x), given also y = f(x).</summary>
    T D<T>(T x, T y) where T : struct, ILane<T>;
}

/// <summary>An op y = f(a, b), element by element.</summary>
public interface IBinary
{
    /// <summary>f(a, b)</summary>
    T F<T>(T a, T b) where T : struct, ILane<T>;

    /// <summary>df/da, given also y = f(a, b).</summary>
    T DA<T>(T a, T b, T y) where T : struct, ILane<T>;

    /// <summary>df/db, given also y = f(a, b).</summary>
    T DB<T>(T a, T b, T y) where T : struct, ILane<T>;
}

/// <summary>An associative op that folds an axis.</summary>
public interface IReduction
{
    /// <summary>What folds to the other operand.</summary>
    float Identity { get; }

    /// <summary>a folded with b.</summary>
    T Fold<T>(T a, T b) where T : struct, ILane<T>;
}

/// <summary>One step of an optimizer on one parameter p with gradient g and the optimizer's memories m and v.</summary>
public interface IUpdate
{
    /// <summary>Changes p, m and v.</summary>
    void Step<T>(ref T p, T g, ref T m, ref T v) where T : struct, ILane<T>;
}
