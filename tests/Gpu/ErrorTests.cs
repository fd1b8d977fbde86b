using ILGPU.Runtime.OpenCL;
using Marl.Native.Gpu;
using Marl.Native.Rl;

namespace Marl.Native.Tests.Gpu;

/// <summary>What goes wrong with a device, and what is said then.</summary>
public sealed class ErrorTests(Devices devices) : IClassFixture<Devices>
{
    public static TheoryData<string> Present => [.. Devices.Present];

    [Theory]
    [MemberData(nameof(Present))]
    public void AnIndexOutsideItsRowIsFoundByTheNextReading(string id)
    {
        var device = devices[id];
        Tensor x = device.Zeros(new Shape(2, 3)), index = device.Zeros(new Shape(2, 1)), y = device.Zeros(new Shape(2, 1));
        foreach (float outside in new[] { 3f, -1f, float.NaN })
        {
            index.CopyFrom([0f, outside]);
            device.Gather(x, index, y);
            Assert.Throws<ArgumentOutOfRangeException>(() => y.ToArray());
            Assert.Equal([0f, 0f], y.ToArray());
        }
    }

    [Theory]
    [MemberData(nameof(Present))]
    public void NumbersOfAnotherDeviceAreRefused(string id)
    {
        var device = devices[id];
        Tensor here = device.Zeros(new Shape(2)), there = Tensor.Zeros(2);
        Assert.Contains("CopyTo", Assert.Throws<InvalidOperationException>(() => device.Map(default(Relu), there, here)).Message, StringComparison.Ordinal);
        Assert.Contains("Read", Assert.Throws<InvalidOperationException>(() => here.Span.Length).Message, StringComparison.Ordinal);
        there.CopyFrom([1f, 2f]);
        there.CopyTo(here);
        Assert.Equal([1f, 2f], here.ToArray());
    }

    [Fact]
    public void ADeviceThatIsNotThereIsNamed()
    {
        Assert.Contains("cuda:999", Assert.Throws<DeviceException>(() => GpuDevices.Open("cuda:999")).Message, StringComparison.Ordinal);
        Assert.Contains("'tpu'", Assert.Throws<ArgumentException>(() => GpuDevices.Open("tpu")).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => GpuDevices.Open("cuda:-1"));
    }

    [Theory]
    [InlineData("CUDA_ERROR_OUT_OF_MEMORY", "is out of memory for kernel K: use a smaller batch or network")]
    [InlineData("CUDA_ERROR_INVALID_PTX", "rejected kernel K: update the driver")]
    [InlineData("CUDA_ERROR_ILLEGAL_ADDRESS", "was lost during kernel K: restart the process")]
    [InlineData("CUDA_ERROR_ECC_UNCORRECTABLE", "was lost")]
    public void ACodeOfTheDriverIsSaidInWordsWithARemedy(string code, string words)
        => Assert.StartsWith($"G {words}", GpuFailure.Describe("G", code, "kernel K"), StringComparison.Ordinal);

    [Fact]
    public void WhatTheDriverSaidIsKept()
    {
        var full = new CLException(CLError.CL_MEM_OBJECT_ALLOCATION_FAILURE);
        var failure = GpuFailure.Of("G", full, "8 MiB of its 64 MiB");
        Assert.Equal("G is out of memory for 8 MiB of its 64 MiB: use a smaller batch or network, or free memory of other processes " +
            "(CL_MEM_OBJECT_ALLOCATION_FAILURE)", failure.Message);
        Assert.Same(full, failure.InnerException);
        var refused = GpuFailure.Of("G", new ILGPU.InternalCompilerException("wrapped", new NotSupportedException("no such instruction")), "kernel K");
        Assert.Contains("rejected kernel K", refused.Message, StringComparison.Ordinal);
        Assert.EndsWith("(no such instruction)", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TensorCoresAreCudas()
    {
        Assert.Throws<ArgumentException>(() => GpuDevices.Open("opencl+tf32"));
        Assert.Throws<ArgumentException>(() => GpuDevices.Open("opencl+cublas"));
        Assert.Contains("cuda:999+cublas", Assert.Throws<DeviceException>(() => GpuDevices.Open("cuda:999+cublas")).Message, StringComparison.Ordinal);
        Assert.Contains("cuda:999+tf32", Assert.Throws<DeviceException>(() => GpuDevices.Open("cuda:999+tf32")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ARunSaysWhatItLearnsOnAndIsGivenIt()
    {
        var configuration = RunConfiguration.Of("vdn", "two-step", null, ["device=cuda:0"]);
        Assert.Contains("cuda:0", Assert.Throws<UsageException>(() => new Trainer(configuration)).Message, StringComparison.Ordinal);
    }
}
