namespace Marl.Native.Tests.Gpu;

/// <summary>Every primitive on every device, beside the CPU.</summary>
public sealed class PrimitiveTests(Devices devices) : IClassFixture<Devices>
{
    public static TheoryData<string> Present => [.. Devices.Present];

    [Theory]
    [MemberData(nameof(Present))]
    public void AsOnTheCpu(string id)
    {
        foreach (var (cpu, gpu) in new KernelFingerprint(Device.Cpu).Results().Zip(new KernelFingerprint(devices[id]).Results()))
        {
            Agreement.Assert(id, cpu.Numbers, gpu.Numbers, cpu.Name);
        }
    }

    [Theory]
    [MemberData(nameof(Present))]
    public void AnEmptyTensorMayLieAtTheEndOfItsStorage(string id)
    {
        var device = devices[id];
        Tensor x = device.Zeros(new Shape(4)), none = x.Slice(4, 0);
        device.Fill(none, 1f);
        device.Map(default(Relu), none, none);
        device.Copy(none, none);
        device.Reduce(default(Sum), none.Reshape(0, 1), 1, none, accumulate: false);
        Assert.Empty(none.ToArray());
        Assert.Equal([0f, 0f, 0f, 0f], x.ToArray());
    }

    [Theory]
    [MemberData(nameof(Present))]
    public void TheSameBitsRunToRun(string id)
        => Assert.Equal(new KernelFingerprint(devices[id]).Hash(), new KernelFingerprint(devices[id]).Hash());
}
