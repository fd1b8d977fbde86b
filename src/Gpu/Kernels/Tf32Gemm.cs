using ILGPU;

namespace Marl.Native.Gpu;

/// <summary>A kernel of instructions that only CUDA has.</summary>
internal interface ICudaKernel : IKernel;

/// <summary>
/// A product on the tensor cores of NVIDIA's Ampere and later: factors are rounded to TF32 (ten bits of fraction), products and sums are float32. Eight
/// warps make 64 x 64 numbers, each 16 rows and 32 columns of them as four blocks of 16 x 8, eight deep at a time (m16n8k8). Which numbers of a block a lane
/// holds is laid down by the PTX ISA, "Matrix Fragments for mma.m16n8k8".
/// </summary>
internal struct Tf32GemmKernel : ICudaKernel
{
    /// <summary>The square of a group.</summary>
    private const int Side = 64;

    /// <summary>How much of k a slab has.</summary>
    private const int Deep = 16;

    /// <summary>From one k of a slab to the next: the four of a fragment's columns are then in different banks.</summary>
    private const int Stride = Side + 8;

    public Product Of;

    public readonly void Run()
    {
        var slabA = SharedMemory.Allocate<float>(Deep * Stride);
        var slabB = SharedMemory.Allocate<float>(Deep * Stride);
        var square = new Square(Of, Side);
        int thread = Group.IdxX, warp = thread / 32, lane = thread % 32, four = lane / 4, within = lane % 4;
        // Where the lane's numbers of the warp's blocks stand in the square.
        int down = warp % 4 * 16 + four, across = warp / 4 * 32;
        int row = square.Row + down, column = square.Column + across + 2 * within;
        Quad c0 = Start(square.Result, row, column), c1 = Start(square.Result, row, column + 8);
        Quad c2 = Start(square.Result, row, column + 16), c3 = Start(square.Result, row, column + 24);
        for (int k = square.Begin; k < square.End; k += Deep)
        {
            Group.Barrier();
            for (int e = thread; e < Side * Deep; e += Group.DimX)
            {
                // Along memory, as in GemmKernel. Beyond the end of k are zeros.
                int depth = Of.A.Column == 1 ? e % Deep : e / Side, i = Of.A.Column == 1 ? e / Deep : e % Side;
                slabA[depth * Stride + i] = Tf32.Round(Of.OfA(square.Batch, square.Row + i, k + depth, square.End));
                depth = Of.B.Column == 1 ? e / Side : e % Deep;
                i = Of.B.Column == 1 ? e % Side : e / Deep;
                slabB[depth * Stride + i] = Tf32.Round(Of.OfB(square.Batch, k + depth, square.Column + i, square.End));
            }
            Group.Barrier();
            for (int depth = within; depth < Deep; depth += 8)
            {
                int near = depth * Stride, far = (depth + 4) * Stride, b = across + four;
                var a = new Quad(slabA[near + down], slabA[near + down + 8], slabA[far + down], slabA[far + down + 8]);
                c0 = Tf32.Multiply(a, slabB[near + b], slabB[far + b], c0);
                c1 = Tf32.Multiply(a, slabB[near + b + 8], slabB[far + b + 8], c1);
                c2 = Tf32.Multiply(a, slabB[near + b + 16], slabB[far + b + 16], c2);
                c3 = Tf32.Multiply(a, slabB[near + b + 24], slabB[far + b + 24], c3);
            }
        }
        Store(square.Result, row, column, c0);
        Store(square.Result, row, column + 8, c1);
        Store(square.Result, row, column + 16, c2);
        Store(square.Result, row, column + 24, c3);
    }

    /// <summary>A lane has two neighbors of a row, and of the row eight below.</summary>
    private readonly Quad Start(int result, int row, int column)
        => new(Of.Start(result, row, column), Of.Start(result, row, column + 1), Of.Start(result, row + 8, column), Of.Start(result, row + 8, column + 1));

    private readonly void Store(int result, int row, int column, Quad c)
    {
        Of.Store(result, row, column, c.X);
        Of.Store(result, row, column + 1, c.Y);
        Of.Store(result, row + 8, column, c.Z);
        Of.Store(result, row + 8, column + 1, c.W);
    }
}
