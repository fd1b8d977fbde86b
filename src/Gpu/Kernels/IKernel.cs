using ILGPU;

namespace Marl.Native.Gpu;

/// <summary>A kernel; its fields are the arguments of the launch.</summary>
internal interface IKernel
{
    /// <summary>Executed by each thread.</summary>
    void Run();
}

/// <summary>The entry point of all kernels, and the index of a thread.</summary>
internal static class Thread
{
    /// <summary>The entry point that ILGPU compiles.</summary>
    public static void Enter<TKernel>(TKernel kernel) where TKernel : struct, IKernel => kernel.Run();

    /// <summary>The index among all threads of the launch.</summary>
    public static int Index => Grid.IdxX * Group.DimX + Group.IdxX;

    /// <summary>The number of threads of the launch: the stride of loops over elements.</summary>
    public static int Count => Grid.DimX * Group.DimX;
}

/// <summary>Lengths, indices or strides of four nested loops.</summary>
internal readonly struct Int4(int n0, int n1, int n2, int n3)
{
    /// <summary>The values, the innermost loop last.</summary>
    public readonly int N0 = n0, N1 = n1, N2 = n2, N3 = n3;

    /// <summary>The number of iterations of loops with these lengths.</summary>
    public int Count => N0 * N1 * N2 * N3;

    /// <summary>The indices of iteration <paramref name="turn"/> of loops with these lengths.</summary>
    public Int4 At(int turn)
    {
        int i2 = turn / N3, i1 = i2 / N2, i0 = i1 / N1;
        return new(i0, i1 - i0 * N1, i2 - i1 * N2, turn - i2 * N3);
    }

    /// <summary>The offset at these indices of an operand with these strides.</summary>
    public int Dot(Int4 strides) => N0 * strides.N0 + N1 * strides.N1 + N2 * strides.N2 + N3 * strides.N3;

    /// <summary>The lengths of a loop nest.</summary>
    public static Int4 Lengths(in LoopNest nest) => new(nest.Length(0), nest.Length(1), nest.Length(2), nest.Length(3));

    /// <summary>The strides of an operand of a loop nest.</summary>
    public static Int4 Strides(in LoopNest nest, int operand)
        => new(nest.Stride(operand, 0), nest.Stride(operand, 1), nest.Stride(operand, 2), nest.Stride(operand, 3));
}
