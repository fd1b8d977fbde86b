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

    [Fact]
    public void ARunSaysWhatItLearnsOnAndIsGivenIt()
    {
        var configuration = RunConfiguration.Of("vdn", "two-step", null, ["device=cuda:0"]);
        Assert.Contains("cuda:0", Assert.Throws<UsageException>(() => new Trainer(configuration)).Message, StringComparison.Ordinal);
    }
}
