using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;

namespace Marl.Native.Tests.Gpu;

/// <summary>The instructions of the driver of the tests, beside what the PTX ISA says of them.</summary>
public sealed partial class InstructionTests
{
    private const float Infinity = float.PositiveInfinity, NaN = float.NaN, Tiny = float.Epsilon;
    private const string All = "0xffffffff";

    /// <summary>The lane's 16 bytes of memory in %rd3.</summary>
    private const string Own = "mul.wide.u32 %rd3, %r2, 16; add.s64 %rd3, %rd1, %rd3; ";

    /// <summary>An instruction, its result and its operands. Their types are those of the registers; a ushort is a register of 16 bits.</summary>
    public static TheoryData<string, object, object[]> Instructions => new()
    {
        { "add.s32", int.MinValue, [int.MaxValue, 1] }, { "add.u64", 1L << 32, [(1L << 32) - 1, 1L] }, { "sub.s32", int.MaxValue, [int.MinValue, 1] },
        { "mul.lo.s32", -6, [2, -3] }, { "mul.lo.s32", unchecked((int)0x80000000), [0x40000000, 2] }, { "mul.wide.u32", 0xFFFFFFFE00000001, [uint.MaxValue, uint.MaxValue] },
        { "mul.wide.s32", -6L, [2, -3] }, { "mul.hi.u32", 0xFFFFFFFE, [uint.MaxValue, uint.MaxValue] }, { "mul.hi.s32", -1, [2, -3] },
        { "mul.hi.u64", 1UL, [1UL << 63, 2UL] }, { "mad.lo.s32", 7, [2, 3, 1] }, { "div.s32", -2, [-7, 3] }, { "div.s32", int.MinValue, [int.MinValue, -1] },
        { "rem.s32", -1, [-7, 3] }, { "rem.s32", 0, [int.MinValue, -1] }, { "div.u32", 0x7FFFFFFFu, [uint.MaxValue, 2u] }, { "neg.s32", int.MinValue, [int.MinValue] },
        { "abs.s32", 5, [-5] }, { "min.s32", -1, [-1, 1] }, { "min.u32", 1u, [uint.MaxValue, 1u] }, { "max.s32", 1, [-1, 1] }, { "and.b32", 8, [12, 10] },
        { "or.b32", 14, [12, 10] }, { "xor.b32", 6, [12, 10] }, { "not.b32", -1, [0] }, { "shl.b32", 40, [5, 3] }, { "shl.b32", 0, [1, 32] }, { "shr.s32", -2, [-5, 2] },
        { "shr.s32", -1, [-5, 40] }, { "shr.u32", 1u, [0x80000000, 31u] }, { "shr.u32", 0u, [0x80000000, 32u] }, { "popc.b32", 3, [0b10011] }, { "clz.b32", 31, [1] },
        { "shr.u64", 1L, [long.MinValue, 63] }, { "shl.b64", 1L << 40, [1L, 40] }, { "mul.lo.s64", -6L, [2L, -3L] }, { "and.b64", 8L << 40, [12L << 40, 10L << 40] },
        { "or.b64", 14L << 40, [12L << 40, 10L << 40] }, { "cvt.s32.s64", 7, [(1L << 32) + 7] }, { "neg.f64", -0.0, [0.0] }, { "div.rn.f64", 1.0 / 3, [1.0, 3.0] },
        { "clz.b32", 32, [0] }, { "mov.b32", 7, [7] }, { "mov.b64", 7L << 40, [7L << 40] }, { "mov.f32", -0f, [-0f] }, { "mov.f64", -0.0, [-0.0] },
        { "mov.pred", true, [true] }, { "not.pred", false, [true] }, { "and.pred", false, [true, false] }, { "or.pred", true, [true, false] },
        { "xor.pred", false, [true, true] }, { "selp.b32", 1, [1, 2, true] }, { "selp.f32", 2f, [1f, 2f, false] }, { "selp.b64", 2L, [1L, 2L, false] },

        { "add.f32", 16777216f, [16777216f, 1f] }, { "add.f32", NaN, [Infinity, -Infinity] }, { "add.f32", 2 * Tiny, [Tiny, Tiny] }, { "sub.f32", -1f, [1f, 2f] },
        { "mul.f32", Tiny, [Tiny, 1f] }, { "mul.f32", 0f, [Tiny, 0.5f] }, { "mul.rn.f32", Infinity, [float.MaxValue, 2f] }, { "add.rn.f32", 3f, [1f, 2f] },
        // (1 + 2^-12)^2 - 1 - 2^-11: a product that is rounded loses all of it.
        { "fma.rn.f32", MathF.ScaleB(1f, -24), [1f + MathF.ScaleB(1f, -12), 1f + MathF.ScaleB(1f, -12), -1f - MathF.ScaleB(1f, -11)] },
        { "div.rn.f32", 1f / 3f, [1f, 3f] }, { "div.rn.f32", -Infinity, [1f, -0f] }, { "rcp.rn.f32", 1f / 3f, [3f] }, { "sqrt.rn.f32", MathF.Sqrt(2f), [2f] },
        { "sqrt.rn.f32", NaN, [-1f] }, { "sqrt.rn.f64", Math.Sqrt(2.0), [2.0] }, { "add.f64", 0.1 + 0.2, [0.1, 0.2] }, { "mul.f64", 0.1 * 3, [0.1, 3.0] },
        { "fma.rn.f64", Math.FusedMultiplyAdd(0.1, 10.0, -1.0), [0.1, 10.0, -1.0] }, { "neg.f32", -0f, [0f] }, { "abs.f32", Infinity, [-Infinity] },
        { "min.f32", 1f, [NaN, 1f] }, { "min.f32", -0f, [0f, -0f] }, { "max.f32", 1f, [1f, NaN] }, { "max.f32", 0f, [-0f, 0f] }, { "min.f32", NaN, [NaN, NaN] },

        { "setp.eq.s32", true, [3, 3] }, { "setp.ne.s32", true, [3, 4] }, { "setp.lt.s32", true, [-1, 1] }, { "setp.le.s32", true, [1, 1] }, { "setp.gt.s32", false, [-1, 1] },
        { "setp.ge.s32", false, [-1, 1] }, { "setp.lt.u32", false, [uint.MaxValue, 1u] }, { "setp.eq.u32", false, [1u, 2u] }, { "setp.gt.s64", true, [1L << 40, 1L] },
        { "setp.eq.f32", true, [0f, -0f] }, { "setp.eq.f32", false, [NaN, NaN] }, { "setp.ne.f32", false, [NaN, 1f] }, { "setp.neu.f32", true, [NaN, 1f] },
        { "setp.lt.f32", false, [NaN, 1f] }, { "setp.lt.f32", true, [1f, 2f] }, { "setp.gt.f32", true, [Tiny, 0f] }, { "setp.gt.f32", false, [1f, NaN] },
        { "setp.hi.u32", true, [uint.MaxValue, 1u] }, { "setp.hi.u32", false, [1u, 1u] }, { "setp.ls.u32", true, [1u, 1u] }, { "setp.ls.u32", false, [uint.MaxValue, 1u] },
        { "setp.ne.u32", true, [1u, 2u] }, { "setp.leu.f32", true, [NaN, 1f] }, { "setp.leu.f32", false, [2f, 1f] }, { "setp.gt.f64", true, [1.0, 0.5] },
        { "setp.gt.f64", false, [double.NaN, 0.5] },
        { "setp.geu.f32", true, [NaN, 1f] }, { "setp.geu.f32", false, [0f, 1f] }, { "setp.ltu.f32", true, [1f, NaN] }, { "setp.le.f32", true, [2f, 2f] },
        { "setp.ge.f32", false, [1f, 2f] }, { "setp.equ.f32", true, [NaN, 1f] }, { "setp.num.f32", false, [NaN, 1f] }, { "setp.nan.f32", true, [NaN, 1f] },

        { "cvt.rzi.s32.f32", -2, [-2.9f] }, { "cvt.rzi.s32.f32", int.MaxValue, [3e9f] }, { "cvt.rzi.s32.f32", int.MinValue, [-Infinity] }, { "cvt.rzi.s32.f32", 0, [NaN] },
        { "cvt.rzi.u32.f32", 3000000000u, [3e9f] }, { "cvt.rzi.u32.f32", 0u, [-1f] }, { "cvt.rzi.u32.f32", uint.MaxValue, [5e9f] }, { "cvt.rzi.s64.f32", long.MaxValue, [1e19f] },
        { "cvt.rzi.s64.f64", -1L << 40, [-(double)(1L << 40) - 0.5] }, { "cvt.rzi.u64.f64", ulong.MaxValue, [1e20] }, { "cvt.rzi.s32.f64", int.MinValue, [-3e9] },
        { "cvt.rn.f32.s32", 16777216f, [16777217] }, { "cvt.rn.f32.s32", 16777220f, [16777219] }, { "cvt.rn.f32.u32", 4294967296f, [uint.MaxValue] },
        { "cvt.rn.f64.s32", -1.0, [-1] }, { "cvt.rn.f64.u64", 18446744073709551616.0, [ulong.MaxValue] }, { "cvt.rn.f32.s64", -1f, [-1L] },
        { "cvt.rn.f32.f64", 1f, [1.0 + Math.ScaleB(1, -24)] }, { "cvt.rn.f32.f64", MathF.BitIncrement(1f), [1.0 + 1.5 * Math.ScaleB(1, -24)] },
        { "cvt.rn.f32.f64", Infinity, [1e300] }, { "cvt.f64.f32", (double)0.1f, [0.1f] }, { "cvt.rn.f16.f32", (ushort)0x3C00, [1f + MathF.ScaleB(1f, -11)] },
        { "cvt.rn.f16.f32", (ushort)0x3C02, [1f + 3 * MathF.ScaleB(1f, -11)] }, { "cvt.rn.f16.f32", (ushort)0x7C00, [65520f] }, { "cvt.rn.f16.f32", (ushort)1, [MathF.ScaleB(1f, -24)] },
        { "cvt.f32.f16", -0.5f, [(ushort)0xB800] }, { "cvt.f32.f16", MathF.ScaleB(1f, -24), [(ushort)1] }, { "cvt.rni.f32.f32", 2f, [2.5f] },
        { "cvt.rzi.f32.f32", -2f, [-2.9f] }, { "cvt.rmi.f32.f32", -3f, [-2.1f] }, { "cvt.rpi.f32.f32", -2f, [-2.9f] }, { "cvt.s64.s32", -1L, [-1] },
        { "cvt.u64.u32", (long)uint.MaxValue, [-1] }, { "cvt.u32.u64", 7, [(1L << 32) + 7] }, { "cvt.u32.u16", 0xFFFF, [(ushort)0xFFFF] }, { "cvt.s32.s16", -1, [(ushort)0xFFFF] },
        { "cvt.u32.u8", 0xFF, [(ushort)0x1FF] }, { "cvt.s32.s8", -1, [(ushort)0x1FF] }, { "cvt.u16.u32", (ushort)0x2345, [0x12345] },
        { "cvt.rna.tf32.f32", 0x3F802000, [1f + MathF.ScaleB(1f, -11)] }, { "cvt.rna.tf32.f32", 0x3F800000, [1f + 0.99f * MathF.ScaleB(1f, -11)] },
    };

    /// <summary>
    /// Instructions of a warp, and what each lane has in %r1 at their end; lanes that return have 0. %r2 is the lane; %r3 is 100 + 3 lane, which the lane's word
    /// of memory holds, too; %p1 holds in lanes divisible by three. From byte 256 on there are 16 bytes of memory for each lane.
    /// </summary>
    public static TheoryData<string, int[]> Programs => new()
    {
        // Vectors.
        { "ld.global.v4.b32 {%r4, %r5, %r6, %r7}, [%rd1+16]; mad.lo.s32 %r1, %r5, 1000, %r7;", Lanes(_ => 115 * 1000 + 121) },
        { "ld.global.v4.f32 {%f1, %f2, %f3, %f4}, [%rd1+16]; mov.b32 %r1, %f3;", Lanes(_ => 118) },
        { "ld.global.v2.f32 {%f1, %f2}, [%rd1+8]; mov.b32 %r1, %f2;", Lanes(_ => 109) },
        { "ld.global.v2.b64 {%rd5, %rd6}, [%rd1+16]; cvt.u32.u64 %r1, %rd6;", Lanes(_ => 118) },
        { Own + "st.global.v4.b32 [%rd3+256], {%r2, %r3, 7, -1}; ld.global.v2.b32 {%r4, %r5}, [%rd3+256]; ld.global.b32 %r6, [%rd3+268]; add.s32 %r1, %r5, %r6;",
            Lanes(t => 100 + 3 * t - 1) },
        { Own + "mov.b32 %f1, %r3; st.global.v2.f32 [%rd3+264], {%f1, %f1}; ld.global.b32 %r1, [%rd3+268];", Lanes(t => 100 + 3 * t) },
        { "mul.wide.u32 %rd3, %r2, 8; mov.u64 %rd4, s; add.s64 %rd3, %rd3, %rd4; st.shared.v2.b32 [%rd3], {%r2, %r3}; bar.sync 0; and.b32 %r4, %r2, 0x1e; " +
            "mul.wide.u32 %rd3, %r4, 8; add.s64 %rd3, %rd3, %rd4; ld.shared.v4.b32 {%r4, %r5, %r6, %r7}, [%rd3]; mad.lo.s32 %r1, %r6, 1000, %r7;",
            Lanes(t => (t | 1) * 1000 + 100 + 3 * (t | 1)) },
        { "mul.wide.u32 %rd3, %r2, 16; mov.u64 %rd4, s; add.s64 %rd3, %rd3, %rd4; mov.b32 %f1, %r3; setp.lt.s32 %p2, %r2, 16; " +
            "@%p2 st.shared.v4.f32 [%rd3], {%f1, %f1, %f1, 0f00000005}; bar.sync 0; ld.shared.v4.f32 {%f1, %f2, %f3, %f4}, [s+16]; ld.shared.v2.f32 {%f5, %f6}, [s+24]; " +
            "mov.b32 %r1, %f2; mov.b32 %r4, %f6; add.s32 %r1, %r1, %r4;", Lanes(_ => 103 + 5) },

        // Bytes, halves, doubles, generic addresses.
        { Own + "cvt.rn.f64.s32 %fd1, %r2; st.global.f64 [%rd3+256], %fd1; ld.global.f64 %fd2, [%rd3+256]; cvt.rzi.s32.f64 %r1, %fd2;", Lanes(t => t) },
        { Own + "st.global.b64 [%rd3+256], %rd1; ld.global.b64 %rd5, [%rd3+256]; sub.s64 %rd5, %rd5, %rd1; cvt.u32.u64 %r1, %rd5; add.s32 %r1, %r1, %r2;", Lanes(t => t) },
        { "ld.global.u8 %r1, [%rd2];", Lanes(t => 100 + 3 * t) }, { "ld.global.s8 %r1, [%rd2];", Lanes(t => (sbyte)(100 + 3 * t)) },
        { "ld.global.u16 %r1, [%rd2+2];", Lanes(_ => 0) },
        { "st.global.b32 [%rd2+256], -1; st.global.b8 [%rd2+257], %r2; ld.global.b32 %r1, [%rd2+256];", Lanes(t => unchecked((int)0xFFFF00FF) | t << 8) },
        { "cvta.to.global.u64 %rd3, %rd2; ld.global.s32 %r4, [%rd3]; ld.b32 %r5, [%rd2]; add.s32 %r1, %r4, %r5;", Lanes(t => 200 + 6 * t) },
        { "st.shared.b32 [s], 5; bar.sync 0; mov.u64 %rd3, s; cvta.shared.u64 %rd3, %rd3; ld.b32 %r4, [%rd3]; cvta.to.shared.u64 %rd3, %rd3; ld.shared.b32 %r5, [%rd3]; " +
            "add.s32 %r1, %r4, %r5;", Lanes(_ => 10) },

        // Shared memory and barriers.
        { "mul.wide.u32 %rd3, %r2, 4; mov.u64 %rd4, s; add.s64 %rd5, %rd4, %rd3; st.shared.f32 [%rd5], %f0; st.shared.b32 [%rd5], %r3; bar.sync 0; sub.s64 %rd5, %rd4, %rd3; " +
            "ld.shared.f32 %f1, [%rd5+124]; mov.b32 %r1, %f1;", Lanes(t => 100 + 3 * (31 - t)) },
        { "bar.red.popc.u32 %r1, 0, %p1;", Lanes(_ => 11) }, { "bar.red.and.pred %p2, 0, %p1; selp.b32 %r1, 1, 2, %p2;", Lanes(_ => 2) },
        { "bar.red.or.pred %p2, 0, %p1; selp.b32 %r1, 1, 2, %p2;", Lanes(_ => 1) },

        // Exchanges of a warp: in all of it, in segments of eight.
        { $"shfl.sync.up.b32 %r1, %r3, 1, 0, {All};", Lanes(t => 100 + 3 * Math.Max(0, t - 1)) },
        { $"shfl.sync.down.b32 %r1|%p2, %r3, 4, 0x1f, {All}; selp.b32 %r1, %r1, 0, %p2;", Lanes(t => t < 28 ? 100 + 3 * (t + 4) : 0) },
        { $"shfl.sync.down.b32 %r1, %r3, 4, 0x181f, {All};", Lanes(t => 100 + 3 * (t % 8 < 4 ? t + 4 : t)) },
        { $"shfl.sync.bfly.b32 %r1, %r3, 5, 0x1f, {All};", Lanes(t => 100 + 3 * (t ^ 5)) },
        { $"shfl.sync.idx.b32 %r1, %r3, 7, 0x1f, {All};", Lanes(_ => 121) }, { $"shfl.sync.idx.b32 %r1, %r3, 2, 0x181f, {All};", Lanes(t => 100 + 3 * (t / 8 * 8 + 2)) },
        { $"vote.sync.ballot.b32 %r1, %p1, {All};", Lanes(_ => 0b0100_1001_0010_0100_1001_0010_0100_1001) },
        { $"vote.sync.all.pred %p2, %p1, {All}; selp.b32 %r1, 1, 2, %p2;", Lanes(_ => 2) }, { $"vote.sync.any.pred %p2, %p1, {All}; selp.b32 %r1, 1, 2, %p2;", Lanes(_ => 1) },
        { $"vote.sync.uni.pred %p2, %p1, {All}; selp.b32 %r1, 1, 2, %p2;", Lanes(_ => 2) },

        // Predicates and branches.
        { "@%p1 mov.b32 %r1, 5; @!%p1 add.s32 %r1, %r2, 1;", Lanes(t => t % 3 == 0 ? 5 : t + 1) },
        { "@%p1 bra A; mov.b32 %r1, 1; bra.uni B; A: mov.b32 %r1, 2; B: add.s32 %r1, %r1, 10;", Lanes(t => t % 3 == 0 ? 12 : 11) },
        { "@%p1 ret; mov.b32 %r1, 9;", Lanes(t => t % 3 == 0 ? 0 : 9) },
        { "L: setp.ge.s32 %p2, %r1, %r2; @%p2 bra E; add.s32 %r1, %r1, 1; bra L; E:", Lanes(t => t) },
        { "L: add.s32 %r1, %r1, 4; setp.lt.s32 %p2, %r1, %r2; @%p2 bra L;", Lanes(t => Math.Max(4, (t + 3) / 4 * 4)) },
        { "mov.b32 %r4, %r3; L: setp.eq.s32 %p2, %r4, 1; @%p2 bra E; add.s32 %r1, %r1, 1; and.b32 %r5, %r4, 1; setp.eq.s32 %p3, %r5, 0; @%p3 bra H; " +
            "mad.lo.s32 %r4, %r4, 3, 1; bra L; H: shr.s32 %r4, %r4, 1; bra L; E:", Lanes(t => Collatz(100 + 3 * t)) },
        { "@%p1 bra A; add.s32 %r4, %r2, 1; A: bar.sync 0; mad.lo.s32 %r1, %ctaid.x, 100, %ntid.x; add.s32 %r1, %r1, %laneid;", Lanes(t => 32 + t) },
    };

    [DriverTheory]
    [MemberData(nameof(Instructions))]
    public void AnInstructionGives(string instruction, object result, object[] operands)
    {
        var memory = new byte[8 * (operands.Length + 1)];
        var code = new StringBuilder();
        foreach (var (k, operand) in operands.Index())
        {
            BitConverter.TryWriteBytes(memory.AsSpan(8 * k), Bits(operand));
            var (type, prefix) = Register(operand);
            code.Append(operand is bool ? $"ld.global.b32 %r15, [%rd1+{8 * k}]; setp.ne.s32 %p{4 + k}, %r15, 0; " : $"ld.global.{type} {prefix}{4 + k}, [%rd1+{8 * k}]; ");
        }
        var (resultType, resultPrefix) = Register(result);
        int at = 8 * operands.Length;
        code.Append($"{instruction} {resultPrefix}3, {string.Join(", ", operands.Select((operand, k) => $"{Register(operand).Prefix}{4 + k}"))}; ");
        code.Append(result is bool ? $"selp.b32 %r15, 1, 0, %p3; st.global.b32 [%rd1+{at}], %r15;" : $"st.global.{resultType} [%rd1+{at}], {resultPrefix}3;");
        var (status, text) = Snippet.Run(code.ToString(), memory);
        Assert.True(status == 0, text);
        long given = BitConverter.ToInt64(memory, at);
        bool nan = result is float.NaN && float.IsNaN(BitConverter.Int32BitsToSingle((int)given));
        Assert.True(nan || given == Bits(result), $"{instruction}: 0x{given:X}, not 0x{Bits(result):X}");
    }

    [DriverTheory]
    [MemberData(nameof(Programs))]
    public void AProgramGives(string code, int[] results)
    {
        int[] memory = [.. Lanes(t => 100 + 3 * t), .. new int[5 * Snippet.WarpSize]];
        string program = $"ld.global.b32 %r3, [%rd2]; mov.b32 %r1, 0; mov.b32 %r2, %tid.x; rem.s32 %r4, %r2, 3; setp.eq.s32 %p1, %r4, 0; {code} st.global.b32 [%rd2+128], %r1;";
        var (status, text) = Snippet.Run(program, MemoryMarshal.AsBytes(memory.AsSpan()), Snippet.WarpSize);
        Assert.True(status == 0, text);
        Assert.Equal(results, memory[Snippet.WarpSize..(2 * Snippet.WarpSize)]);
    }

    /// <summary>Lane l holds elements of a, b and c as "Matrix Fragments for mma.m16n8k8" of the PTX ISA has them. Small integers: every sum is exact.</summary>
    [DriverFact]
    public void TensorCoresMultiply()
    {
        var rng = new Rng(3);
        float[,] a = Small(16, 8), b = Small(8, 8), c = Small(16, 8), d = new float[16, 8];
        var memory = new float[Snippet.WarpSize * 16];
        for (int lane = 0; lane < Snippet.WarpSize; lane++)
        {
            int group = lane / 4, within = lane % 4;
            float[] held =
            [
                a[group, within], a[group + 8, within], a[group, within + 4], a[group + 8, within + 4], b[within, group], b[within + 4, group],
                c[group, 2 * within], c[group, 2 * within + 1], c[group + 8, 2 * within], c[group + 8, 2 * within + 1],
            ];
            held.CopyTo(memory, 16 * lane);
        }
        var (status, text) = Snippet.Run("mul.wide.u32 %rd3, %tid.x, 64; add.s64 %rd3, %rd1, %rd3; ld.global.v4.b32 {%r1, %r2, %r3, %r4}, [%rd3]; " +
            "ld.global.v2.b32 {%r5, %r6}, [%rd3+16]; ld.global.v2.f32 {%f1, %f2}, [%rd3+24]; ld.global.v2.f32 {%f3, %f4}, [%rd3+32]; " +
            "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%f5, %f6, %f7, %f8}, {%r1, %r2, %r3, %r4}, {%r5, %r6}, {%f1, %f2, %f3, %f4}; " +
            "st.global.v4.f32 [%rd3+48], {%f5, %f6, %f7, %f8};", MemoryMarshal.AsBytes(memory.AsSpan()), Snippet.WarpSize);
        Assert.True(status == 0, text);
        for (int lane = 0; lane < Snippet.WarpSize; lane++)
        {
            for (int k = 0; k < 4; k++)
            {
                d[lane / 4 + k / 2 * 8, 2 * (lane % 4) + k % 2] = memory[16 * lane + 12 + k];
            }
        }
        for (int row = 0; row < 16; row++)
        {
            for (int column = 0; column < 8; column++)
            {
                Assert.Equal(c[row, column] + Enumerable.Range(0, 8).Sum(k => a[row, k] * b[k, column]), d[row, column]);
            }
        }

        float[,] Small(int rows, int columns)
        {
            var matrix = new float[rows, columns];
            for (int k = 0; k < matrix.Length; k++)
            {
                matrix[k / columns, k % columns] = rng.NextInt(21) - 10;
            }
            return matrix;
        }
    }

    /// <summary>What the kernels are made of is tested above.</summary>
    [Fact]
    public void EveryInstructionOfTheKernelsHasACase()
    {
        var tested = Instructions.Select(row => (string)row[0]).Concat(Programs.SelectMany(row => Opcodes((string)row[0]))).Concat(Opcodes(Snippet.Module(""))).ToHashSet();
        // The parameters of functions that nothing calls; the product of tensor cores has a test of its own.
        string[] others = ["st.param.f32", "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32"];
        string[] used = [.. GeneratedCode.Cuda(90).SelectMany(kernel => Opcodes(kernel.Text)).Distinct()];
        Assert.True(used.Length > 50, $"{used.Length} opcodes");
        var missing = used.Except(tested).Except(others)
            // The type of a move, a load or a store says no more than its size.
            .Where(opcode => !tested.Contains(Untyped().Replace(opcode, ".b$1")) && !opcode.StartsWith("ld.param.", StringComparison.Ordinal));
        Assert.True(!missing.Any(), string.Join(" ", missing));
    }

    private static int[] Lanes(Func<int, int> value) => [.. Enumerable.Range(0, Snippet.WarpSize).Select(value)];

    private static int Collatz(int n) => n == 1 ? 0 : 1 + Collatz(n % 2 == 0 ? n / 2 : 3 * n + 1);

    private static (string Type, string Prefix) Register(object value) => value switch
    {
        int or uint => ("b32", "%r"),
        long or ulong => ("b64", "%rd"),
        float => ("f32", "%f"),
        double => ("f64", "%fd"),
        ushort => ("u16", "%rs"),
        _ => ("pred", "%p"),
    };

    private static long Bits(object value) => value switch
    {
        int i => (uint)i,
        uint u => u,
        long l => l,
        ulong u => (long)u,
        float f => BitConverter.SingleToUInt32Bits(f),
        double d => BitConverter.DoubleToInt64Bits(d),
        ushort h => h,
        _ => (bool)value ? 1 : 0,
    };

    private static IEnumerable<string> Opcodes(string code) => Opcode().Matches(code).Select(match => match.Groups[1].Value);

    [GeneratedRegex(@"(?:^|;|:|\{)\s*(?:@!?%p\d+\s+)?([a-z]+(?:\.\w+)*)(?:\s[^;:]*)?(?=;)", RegexOptions.Multiline)]
    private static partial Regex Opcode();

    [GeneratedRegex(@"\.[fsu](32|64)$")]
    private static partial Regex Untyped();
}
