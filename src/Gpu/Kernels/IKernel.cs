using ILGPU;

namespace Marl.Native.Gpu;

/// <summary>A kernel; its fields are the arguments of the launch.</summary>
internal interface IKernel
{
    /// <summary>Executed by each thread.</summary>
    void Run(LaunchGroup group);

    /// <summary>Lists the arrays that the kernel reads and writes, and clears these fields.</summary>
    void Arrays(LaunchArrays arrays);
}

/// <summary>The group of threads that executes a kernel.</summary>
/// <param name="index">The index among the groups of the launch.</param>
/// <param name="count">The number of groups of the launch.</param>
internal readonly struct LaunchGroup(int index, int count)
{
    /// <summary>The index among the groups of the launch.</summary>
    public readonly int Index = index;

    /// <summary>The number of groups of the launch.</summary>
    public readonly int Count = count;

    /// <summary>The index of this thread among all threads of the launch.</summary>
    public int Thread => Index * Group.DimX + Group.IdxX;

    /// <summary>The number of threads of the launch: the stride of loops over elements.</summary>
    public int Threads => Count * Group.DimX;
}

/// <summary>The entry point of all kernels.</summary>
internal static class KernelEntry
{
    /// <summary>The entry point that ILGPU compiles.</summary>
    public static void Run<TKernel>(TKernel kernel) where TKernel : struct, IKernel => kernel.Run(new(Grid.IdxX, Grid.DimX));
}

/// <summary>
/// Launches of one kernel that do not depend on each other, as one launch: each takes a range of the groups. Unused places have no groups.
/// </summary>
internal struct JoinedKernel<TKernel> : IKernel where TKernel : struct, IKernel
{
    /// <summary>The most launches.</summary>
    public const int Most = 8;

    public TKernel K0, K1, K2, K3, K4, K5, K6, K7;
    public int End0, End1, End2, End3, End4, End5, End6;

    public readonly void Run(LaunchGroup group)
    {
        var kernel = K7;
        int index = group.Index, first = End6, end = group.Count;
        if (index < End0)
        {
            (kernel, first, end) = (K0, 0, End0);
        }
        else if (index < End1)
        {
            (kernel, first, end) = (K1, End0, End1);
        }
        else if (index < End2)
        {
            (kernel, first, end) = (K2, End1, End2);
        }
        else if (index < End3)
        {
            (kernel, first, end) = (K3, End2, End3);
        }
        else if (index < End4)
        {
            (kernel, first, end) = (K4, End3, End4);
        }
        else if (index < End5)
        {
            (kernel, first, end) = (K5, End4, End5);
        }
        else if (index < End6)
        {
            (kernel, first, end) = (K6, End5, End6);
        }
        kernel.Run(new(index - first, end - first));
    }

    /// <summary>The launches list their arrays before they are joined.</summary>
    public readonly void Arrays(LaunchArrays arrays) => throw new NotSupportedException();
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
