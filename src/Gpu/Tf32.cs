using ILGPU;
using ILGPU.Backends.PTX;
using ILGPU.IR;
using ILGPU.IR.Intrinsics;
using Registers = ILGPU.Backends.RegisterAllocator<ILGPU.Backends.PTX.PTXRegisterKind>;

namespace Marl.Native.Gpu;

/// <summary>
/// TF32 instructions of CUDA. They are intrinsics like those of <see cref="Intrinsics"/>, because ILGPU's CudaAsm returns several results only through local
/// memory. On an emulated device their bodies run: the same arithmetic, with values exchanged between the lanes of a warp.
/// </summary>
internal static class Tf32
{
    /// <summary>x rounded to ten fraction bits, ties away from zero.</summary>
    [IntrinsicImplementation]
    public static float Round(float x) => float.IsFinite(x) ? BitConverter.Int32BitsToSingle((BitConverter.SingleToInt32Bits(x) + 0x1000) & ~0x1FFF) : x;

    /// <summary>
    /// c + a b of a warp, for a [16, 8], b [8, 8], c [16, 8]. Lane l, with g = l / 4 and t = l mod 4, holds a[g, t], a[g + 8, t], a[g, t + 4], a[g + 8, t + 4];
    /// b[t, g], b[t + 4, g]; c[g, 2 t], c[g, 2 t + 1], c[g + 8, 2 t], c[g + 8, 2 t + 1].
    /// </summary>
    [IntrinsicImplementation]
    public static Float4 Multiply(Float4 a, float bNear, float bFar, Float4 c)
    {
        int lane = Warp.LaneIdx, four = lane / 4, within = lane % 4;
        for (int k = 0; k < 4; k++)
        {
            int rows = 4 * four + k, left = 8 * within + k, right = left + 4;
            c = Step(Warp.Shuffle(a.X, rows), Warp.Shuffle(a.Y, rows), Warp.Shuffle(bNear, left), Warp.Shuffle(bNear, right), c);
            c = Step(Warp.Shuffle(a.Z, rows), Warp.Shuffle(a.W, rows), Warp.Shuffle(bFar, left), Warp.Shuffle(bFar, right), c);
        }
        return c;
    }

    private static Float4 Step(float above, float below, float left, float right, Float4 c)
        => new(c.X + above * left, c.Y + above * right, c.Z + below * left, c.W + below * right);

    public static void PtxRound(PTXBackend backend, PTXCodeGenerator generator, Value call)
    {
        var x = generator.LoadPrimitive(call[0]);
        var result = generator.AllocateHardware(call);
        var bits = generator.AllocateRegister(BasicValueType.Int32, PTXRegisterKind.Int32);
        using (var convert = generator.BeginCommand("cvt.rna.tf32.f32"))
        {
            convert.AppendArgument(bits);
            convert.AppendArgument(x);
        }
        using (var move = generator.BeginCommand("mov.b32"))
        {
            move.AppendArgument(result);
            move.AppendArgument(bits);
        }
        generator.FreeRegister(bits);
    }

    public static void PtxMultiply(PTXBackend backend, PTXCodeGenerator generator, Value call)
    {
        var a = Bits(Parts(call[0]));
        var b = Bits([generator.LoadPrimitive(call[1]), generator.LoadPrimitive(call[2])]);
        Registers.PrimitiveRegister[] c = [.. Parts(call[3]).Select(generator.EnsureHardwareRegister)];
        var result = ((Registers.CompoundRegister)generator.Allocate(call)).Children;
        using (var multiply = generator.BeginCommand("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32"))
        {
            multiply.AppendVectorArgument([.. result.Cast<Registers.PrimitiveRegister>()]);
            multiply.AppendVectorArgument(a);
            multiply.AppendVectorArgument(b);
            multiply.AppendVectorArgument(c);
        }
        foreach (var register in a.Concat(b))
        {
            generator.FreeRegister((Registers.HardwareRegister)register);
        }

        Registers.PrimitiveRegister[] Parts(Value quad)
            => [.. generator.LoadAs<Registers.CompoundRegister>(quad).Children.Cast<Registers.PrimitiveRegister>()];

        // The instruction takes a and b as integer registers.
        Registers.PrimitiveRegister[] Bits(Registers.PrimitiveRegister[] values) => [.. values.Select(value =>
        {
            var bits = generator.AllocateRegister(BasicValueType.Int32, PTXRegisterKind.Int32);
            using var move = generator.BeginCommand("mov.b32");
            move.AppendArgument(bits);
            move.AppendArgument(value);
            return bits;
        })];
    }
}
