using ILGPU;

namespace Marl.Native.Gpu;

/// <summary>What every thread of a launch does; fields are its arguments.</summary>
internal interface IKernel
{
    /// <summary>Run by each thread.</summary>
    void Run();
}

/// <summary>The way into every kernel, and where a thread stands.</summary>
internal static class Thread
{
    /// <summary>The entry point that ILGPU compiles.</summary>
    public static void Enter<TKernel>(TKernel kernel) where TKernel : struct, IKernel => kernel.Run();

    /// <summary>Its number among all threads of the launch.</summary>
    public static int Index => Grid.IdxX * Group.DimX + Group.IdxX;

    /// <summary>How many there are: from one element of a loop to the next.</summary>
    public static int Count => Grid.DimX * Group.DimX;
}

/// <summary>Four nested loops, as numbers that a kernel can be given.</summary>
internal readonly struct Four(int n0, int n1, int n2, int n3)
{
    /// <summary>The numbers, that of the innermost loop last.</summary>
    public readonly int N0 = n0, N1 = n1, N2 = n2, N3 = n3;

    /// <summary>How many turns loops of these lengths make.</summary>
    public int Count => N0 * N1 * N2 * N3;

    /// <summary>The indices of turn <paramref name="turn"/> of loops of these lengths.</summary>
    public Four At(int turn)
    {
        int i2 = turn / N3, i1 = i2 / N2, i0 = i1 / N1;
        return new(i0, i1 - i0 * N1, i2 - i1 * N2, turn - i2 * N3);
    }

    /// <summary>Where an operand with these strides stands.</summary>
    public int Dot(Four strides) => N0 * strides.N0 + N1 * strides.N1 + N2 * strides.N2 + N3 * strides.N3;

    /// <summary>Lengths of a nest of the CPU's.</summary>
    public static Four Lengths(in LoopNest nest) => new(nest.Length(0), nest.Length(1), nest.Length(2), nest.Length(3));

    /// <summary>Strides of an operand of it.</summary>
    public static Four Strides(in LoopNest nest, int operand)
        => new(nest.Stride(operand, 0), nest.Stride(operand, 1), nest.Stride(operand, 2), nest.Stride(operand, 3));
}
