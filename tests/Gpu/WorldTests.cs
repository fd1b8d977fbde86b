using Marl.Native.Rl;

namespace Marl.Native.Tests.Gpu;

/// <summary>Environments as kernels: the bits of the loop of the CPU.</summary>
public sealed class WorldTests(Devices devices) : IClassFixture<Devices>
{
    public static TheoryData<string, string> Cases
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (string device in Devices.Present)
            {
                foreach (string id in (string[])["lbf:8x8-2p-2f-coop", "lbf:10x10-3p-3f-2s", "lbf-v1:8x8-2p-2f?penalty=0.25&steps=7", "penalty-100?steps=3", "two-step"])
                {
                    data.Add(device, id);
                }
                foreach (var digest in Devices.All ? BatchEnvironmentTests.Digests : [])
                {
                    data.Add(device, (string)digest[0]);
                }
            }
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void WorldsOnADeviceHaveTheBitsOfTheCpu(string device, string id)
    {
        var (count, steps) = Devices.IsEmulated(device) ? (70, 40) : (2048, 100);
        ulong[] expected = [.. WorldDigests.Play(id, Device.Cpu, count, steps).Select(digest => digest.Value)];
        ulong[] actual = [.. WorldDigests.Play(id, devices[device], count, steps).Select(digest => digest.Value)];
        Assert.Equal(expected, actual);
    }
}
