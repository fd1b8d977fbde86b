using ILGPU;

namespace Marl.Native.Gpu;

/// <summary>A kernel that uses instructions of CUDA.</summary>
internal interface ICudaKernel : IKernel;

/// <summary>
/// A matrix product on NVIDIA's tensor cores (Ampere and later): factors are rounded to TF32 (ten fraction bits), products and sums are float32. Eight warps
/// compute 64 x 64 elements; each warp computes 16 rows and 32 columns as four blocks of 16 x 8, eight deep at a time (m16n8k8). The PTX ISA, "Matrix Fragments
/// for mma.m16n8k8", defines which elements of a block a lane holds.
/// </summary>
internal struct Tf32GemmKernel : ICudaKernel
{
    /// <summary>The edge of a group's tile.</summary>
    private const int Side = 64;

    /// <summary>The depth of a slab.</summary>
    private const int Deep = 16;

    /// <summary>The distance between two depths of a slab: the four columns of a fragment are then in different banks.</summary>
    private const int Stride = Side + 8;

    public GemmArguments Of;

    public void Arrays(LaunchArrays arrays) => Of.Arrays(arrays);

    public readonly void Run(LaunchGroup group)
    {
        var slabA = SharedMemory.Allocate<float>(Deep * Stride);
        var slabB = SharedMemory.Allocate<float>(Deep * Stride);
        var tile = new OutputTile(group, Of, Side);
        int thread = Group.IdxX, warp = thread / 32, lane = thread % 32, four = lane / 4, within = lane % 4;
        // The position of the lane's elements in the tile.
        int down = warp % 4 * 16 + four, across = warp / 4 * 32;
        int row = tile.Row + down, column = tile.Column + across + 2 * within;
        Float4 c0 = Start(tile.Result, row, column), c1 = Start(tile.Result, row, column + 8);
        Float4 c2 = Start(tile.Result, row, column + 16), c3 = Start(tile.Result, row, column + 24);
        for (int k = tile.Begin; k < tile.End; k += Deep)
        {
            Group.Barrier();
            for (int e = thread; e < Side * Deep; e += Group.DimX)
            {
                // Coalesced, as in GemmKernel. Elements beyond the end of k are 0.
                int depth = Of.A.Column == 1 ? e % Deep : e / Side, i = Of.A.Column == 1 ? e / Deep : e % Side;
                slabA[depth * Stride + i] = Tf32.Round(Of.OfA(tile.Batch, tile.Row + i, k + depth, tile.End));
                depth = Of.B.Column == 1 ? e / Side : e % Deep;
                i = Of.B.Column == 1 ? e % Side : e / Deep;
                slabB[depth * Stride + i] = Tf32.Round(Of.OfB(tile.Batch, k + depth, tile.Column + i, tile.End));
            }
            Group.Barrier();
            for (int depth = within; depth < Deep; depth += 8)
            {
                int near = depth * Stride, far = (depth + 4) * Stride, b = across + four;
                var a = new Float4(slabA[near + down], slabA[near + down + 8], slabA[far + down], slabA[far + down + 8]);
                c0 = Tf32.Multiply(a, slabB[near + b], slabB[far + b], c0);
                c1 = Tf32.Multiply(a, slabB[near + b + 8], slabB[far + b + 8], c1);
                c2 = Tf32.Multiply(a, slabB[near + b + 16], slabB[far + b + 16], c2);
                c3 = Tf32.Multiply(a, slabB[near + b + 24], slabB[far + b + 24], c3);
            }
        }
        Store(tile.Result, row, column, c0);
        Store(tile.Result, row, column + 8, c1);
        Store(tile.Result, row, column + 16, c2);
        Store(tile.Result, row, column + 24, c3);
    }

    /// <summary>A lane has two neighbors of one row, and two of the row eight below.</summary>
    private readonly Float4 Start(int result, int row, int column)
        => new(Of.Start(result, row, column), Of.Start(result, row, column + 1), Of.Start(result, row + 8, column), Of.Start(result, row + 8, column + 1));

    private readonly void Store(int result, int row, int column, Float4 c)
    {
        Of.Store(result, row, column, c.X);
        Of.Store(result, row, column + 1, c.Y);
        Of.Store(result, row + 8, column, c.Z);
        Of.Store(result, row + 8, column + 1, c.W);
    }
}
