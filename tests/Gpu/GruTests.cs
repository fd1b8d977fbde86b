namespace Marl.Native.Tests.Gpu;

/// <summary>A GRU over a whole sequence as one kernel each way: groups that are not full, states wider than a group, weights of their own, and states too
/// wide for the kernel.</summary>
public sealed class GruTests(Devices devices) : IClassFixture<Devices>
{
    public static TheoryData<string, int, int, int, bool> Sizes
    {
        get
        {
            var data = new TheoryData<string, int, int, int, bool>();
            foreach (string device in Devices.Present)
            {
                data.Add(device, 9, 1, 20, true);
                data.Add(device, 6, 3, 5, false);
                data.Add(device, 1, 2, 33, true);
                data.Add(device, 5, 2, 64, true);
                if (Devices.All)
                {
                    data.Add(device, 2, 1, 257, false);
                }
            }
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    public void AsOnTheCpu(string id, int batch, int copies, int units, bool begins)
    {
        Agreement.Assert(id, Run(Device.Cpu), Run(devices[id]), "gru");

        float[] Run(Device device)
        {
            const int Steps = 4, Inputs = 3;
            var layout = new ParameterLayout();
            Initializer uniform = (Span<float> values, Shape _, ref Rng rng) =>
            {
                foreach (ref float value in values)
                {
                    value = rng.NextSingle(-0.5f, 0.5f);
                }
            };
            int[] own = copies > 1 ? [copies] : [];
            ParameterSlice[] slices =
            [
                layout.Add("x", new Shape([Steps, batch, .. own, Inputs]), uniform), layout.Add("h", new Shape([batch, .. own, units]), uniform),
                layout.Add("wi", new Shape([.. own, 3 * units, Inputs]), uniform), layout.Add("wh", new Shape([.. own, 3 * units, units]), uniform),
                layout.Add("bi", new Shape([.. own, 3 * units]), uniform), layout.Add("bh", new Shape([.. own, 3 * units]), uniform),
            ];
            var parameters = new Parameters(layout, device).Initialize(new Rng(3));
            var keep = device.Zeros(new Shape([Steps, batch, .. own]));
            keep.CopyFrom([.. Enumerable.Range(0, keep.Count).Select(i => i % 5 == 2 ? 0f : 1f)]);
            var tape = new Tape(device);
            using (tape.Step())
            {
                var w = tape.Bind(parameters);
                var y = w[slices[0]].Gru(w[slices[1]], w[slices[2]], w[slices[3]], w[slices[4]], w[slices[5]], begins ? keep : default);
                tape.Backward((y * y).Sum());
                return [.. y.Value.ToArray(), .. parameters.Gradient.ToArray()];
            }
        }
    }
}
