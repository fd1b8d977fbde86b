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

    /// <summary>What a kernel does wrong fails its launch, in words. %rd1 is memory of 64 bytes, of which a fill wrote all but the last four.</summary>
    [DriverTheory]
    [InlineData("st.global.b32 [%rd1+64], 1;", 700, "4 bytes at offset 64 of 64 bytes")]
    [InlineData("st.global.b32 [%rd1+2], 1;", 716, "not aligned")]
    [InlineData("ld.global.b32 %r1, [%rd1+60];", 719, "never written")]
    [InlineData("st.global.b32 [%rd1], %tid.x;", 719, "race: writes byte 0 of global memory, which thread 0 wrote")]
    [InlineData("st.shared.b32 [s], %tid.x;", 719, "race: writes byte 0 of shared memory")]
    [InlineData("ld.shared.b32 %r1, [s];", 719, "never written")]
    [InlineData("st.shared.b32 [s+8], 1;", 700, "8 bytes of shared memory")]
    [InlineData("setp.eq.s32 %p1, %tid.x, 0; @%p1 bra END; bar.sync 0; END:", 719, "barrier reached by 31 of 32 threads")]
    [InlineData("mov.b32 %r1, 0; div.s32 %r1, 1, %r1;", 719, "divides by zero")]
    [InlineData("frobnicate.b32 %r1, 1;", 218, "unknown instruction 'frobnicate.b32'")]
    [InlineData("mov.b32 %r1, %rd1;", 218, "register %rd1 has another type")]
    [InlineData("st.global.b32 [%rd1], 1; bar.sync 0; ld.global.b32 %r1, [%rd1];", 0, "")]
    public void WhatAKernelDoesWrongIsReported(string code, int status, string words)
    {
        string ptx = ".version 8.0\n.target sm_80\n.address_size 64\n.visible .entry k(.param .b64 a) { .shared .align 4 .b8 s[8]; .reg .pred %p<2>; .reg .b32 %r<2>; " +
            ".reg .b64 %rd<2>; ld.param.b64 %rd1, [a]; " + code + " ret; }";
        var (result, text) = TestDriver.Launch(ptx);
        Assert.True(result == status, $"{result}: {text}");
        Assert.True(status == 0 || text.Contains(words, StringComparison.Ordinal), text);
    }
}
