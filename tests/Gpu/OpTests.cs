namespace Marl.Native.Tests.Gpu;

/// <summary>The op-case table on every device: values, gradients and tangents are the CPU's.</summary>
public sealed class OpTests(Devices devices) : IClassFixture<Devices>
{
    public static TheoryData<string, string> Ops
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (string device in Devices.Present)
            {
                foreach (var line in OpTable.Lines)
                {
                    data.Add(device, line.Name);
                }
            }
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Ops))]
    public void AsOnTheCpu(string id, string op)
    {
        var line = OpTable.Lines.Single(line => line.Name == op);
        foreach (int n in new[] { 1, 5, 17, 33 })
        {
            OpRun cpu = new(line, n), gpu = new(line, n, devices[id]);
            Agreement.Assert(id, cpu.Value(), gpu.Value(), $"value of {cpu}");
            Agreement.Assert(id, cpu.Gradient(), gpu.Gradient(), $"gradient of {cpu}");
            Agreement.Assert(id, cpu.Tangent(), gpu.Tangent(), $"tangent of {cpu}");
        }
    }
}
