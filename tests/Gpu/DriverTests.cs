using Marl.Native.Gpu;

namespace Marl.Native.Tests.Gpu;

/// <summary>ILGPU's CUDA back end on the driver of the tests: graphs between updates, and what the driver reports.</summary>
public sealed class DriverTests
{
    /// <summary>Updates as graphs give the bits of the CPU. After the first updates nothing is captured, created or changed: graphs are replayed as they are.</summary>
    [DriverTheory]
    [InlineData("qmix", 2, "optimizer.type=rmsprop"), InlineData("vdn", 2, "optimizer.type=adam"), InlineData("qplex", 2, "optimizer.type=rmsprop")]
    [InlineData("ia2c", 1, "optimizer.type=rmsprop")]
    public void GraphsAreReplayed(string algorithm, int perRound, string optimizer)
    {
        const int Rounds = 3;
        string[] settings = ["environments=4", "updatesPerEpisode=2", "standardizeReturns=false", optimizer];
        using var device = GpuDevices.Open("cuda:0");
        using LearnerInRounds cpu = new(algorithm, Device.Cpu, settings), gpu = new(algorithm, device, settings);
        cpu.Learn(6 + Rounds);
        gpu.Learn(6);
        device.Synchronize();
        var before = TestDriver.Counters;
        gpu.Learn(Rounds);
        device.Synchronize();
        var after = TestDriver.Counters;
        Assert.InRange(after.GraphLaunches - before.GraphLaunches, perRound * Rounds, 4 * perRound * Rounds);
        Assert.Equal((0, 0, 0), (after.Instantiations - before.Instantiations, after.Updates - before.Updates, after.Captured - before.Captured));
        Assert.Equal(before.Live, after.Live);
        Assert.Equal(0, after.Faults);
        Noise.AssertSameBits(cpu.Weights, gpu.Weights, "weights");
    }

    /// <summary>The thread's word of shared memory in %rd3.</summary>
    private const string OwnWord = "mul.wide.u32 %rd3, %tid.x, 4; mov.u64 %rd4, s; add.s64 %rd3, %rd3, %rd4; ";

    /// <summary>What a kernel does wrong fails its launch, in words. %rd1 is memory of 72 bytes, of which 60 are written.</summary>
    [DriverTheory]
    [InlineData("st.global.b32 [%rd1+72], 1;", 700, "4 bytes at offset 72 of 72 bytes")]
    [InlineData("st.global.b32 [%rd1+2], 1;", 716, "not aligned")]
    [InlineData("ld.global.b32 %r1, [%rd1+60];", 719, "never written")]
    [InlineData("st.global.b32 [%rd1], %tid.x;", 719, "race: writes byte 0 of global memory, which thread 0 wrote")]
    [InlineData("st.shared.b32 [s], %tid.x;", 719, "race: writes byte 0 of shared memory")]
    [InlineData("ld.shared.b32 %r1, [s];", 719, "never written")]
    [InlineData("st.shared.b32 [s+256], 1;", 700, "256 bytes of shared memory")]
    [InlineData("setp.eq.s32 %p1, %tid.x, 0; @%p1 bra END; bar.sync 0; END:", 719, "barrier reached by 31 of 32 threads")]
    [InlineData("mov.b32 %r1, 0; div.s32 %r1, 1, %r1;", 719, "divides by zero")]
    [InlineData("ld.global.v4.f32 {%f1, %f2, %f3, %f4}, [%rd1+8];", 716, "16 bytes is not aligned")]
    [InlineData("ld.global.v2.f32 {%f1, %f2}, [%rd1+4];", 716, "8 bytes is not aligned")]
    [InlineData("st.global.v4.b32 [%rd1+64], {1, 2, 3, 4};", 700, "16 bytes at offset 64 of 72 bytes")]
    [InlineData("ld.global.v4.b32 {%r1, %r2, %r3, %r4}, [%rd1+48];", 719, "reads byte 60 of global memory, which was never written")]
    [InlineData("st.shared.v2.b32 [s+256], {1, 2};", 700, "8 bytes at offset 256 of 256 bytes of shared memory")]
    [InlineData("st.shared.v4.b32 [s], {1, 2, 3, %tid.x};", 719, "race: writes byte 0 of shared memory, which thread 0 wrote")]
    [InlineData(OwnWord + "st.shared.b32 [%rd3], %tid.x; ld.shared.v4.b32 {%r1, %r2, %r3, %r4}, [s];", 719, "race: reads byte 4 of shared memory, which thread 1 wrote")]
    [InlineData(OwnWord + "st.shared.b32 [%rd3], %tid.x; bar.sync 0; ld.shared.v4.b32 {%r1, %r2, %r3, %r4}, [s]; st.shared.b32 [%rd3], 99;", 719,
        "race: writes byte 0 of shared memory, which other threads read")]
    [InlineData(OwnWord + "st.shared.b32 [%rd3], %tid.x; bar.sync 0; ld.shared.v4.b32 {%r1, %r2, %r3, %r4}, [s]; bar.sync 0; st.shared.b32 [%rd3], 99;", 0, "")]
    [InlineData("setp.eq.s32 %p1, %tid.x, 0; @%p1 vote.sync.any.pred %p2, %p1, 0xffffffff;", 719, "not all lanes of a warp are there")]
    [InlineData("setp.eq.s32 %p1, %tid.x, 0; @!%p1 shfl.sync.down.b32 %r1, %r1, 1, 31, 0xffffffff;", 719, "not all lanes of a warp are there")]
    [InlineData("shfl.sync.down.b32 %r1, %r1, 1, 31, 0xffff;", 719, "a part of a warp")]
    [InlineData("setp.eq.s32 %p1, %tid.x, 0; @%p1 ret; bar.sync 0;", 719, "barrier reached by 31 of 32 threads; 1 exited")]
    [InlineData("setp.eq.s32 %p1, %tid.x, 0; bar.red.popc.u32 %r1, 1, %p1;", 218, "barriers other than 0")]
    [InlineData("ld.global.b32 %r1, [%rd1+60000];", 700, "4 bytes at offset 60000 of 72 bytes")]
    [InlineData("mov.u64 %rd3, 64; ld.global.b32 %r1, [%rd3];", 700, "0x40 is not device memory")]
    [InlineData("ld.global.v3.b32 {%r1, %r2, %r3}, [%rd1];", 218, "unknown instruction 'ld.global.v3.b32'")]
    [InlineData("bra NOWHERE;", 218, "label NOWHERE has no instruction")]
    [InlineData("frobnicate.b32 %r1, 1;", 218, "unknown instruction 'frobnicate.b32'")]
    [InlineData("mov.b32 %r1, %rd1;", 218, "register %rd1 has another type")]
    [InlineData("st.global.b32 [%rd1], 1; bar.sync 0; ld.global.b32 %r1, [%rd1];", 0, "")]
    public void WhatAKernelDoesWrongIsReported(string code, int status, string words)
    {
        var (result, text) = Snippet.Run(code, new byte[60], Snippet.WarpSize, unwritten: 12);
        Assert.True(result == status, $"{result}: {text}");
        Assert.True(status == 0 || text.Contains(words, StringComparison.Ordinal), text);
    }

    /// <summary>Groups may run in any order, and at once.</summary>
    [DriverTheory]
    [InlineData("st.global.b32 [%rd1], %ctaid.x;", 719, "race: writes byte 0 of global memory, which another group wrote")]
    [InlineData("mul.wide.u32 %rd3, %ctaid.x, 4; add.s64 %rd3, %rd1, %rd3; ld.global.b32 %r1, [%rd1]; st.global.b32 [%rd3], 7;", 719, "another group")]
    [InlineData("mul.wide.u32 %rd3, %ctaid.x, 4; add.s64 %rd3, %rd1, %rd3; ld.global.b32 %r1, [%rd3]; st.global.b32 [%rd3], 7;", 0, "")]
    public void WhatGroupsDoWrongIsReported(string code, int status, string words)
    {
        var (result, text) = Snippet.Run(code, new byte[64], groups: 3);
        Assert.True(result == status, $"{result}: {text}");
        Assert.True(status == 0 || text.Contains(words, StringComparison.Ordinal), text);
    }
}
