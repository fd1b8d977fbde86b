using Marl.Native.Bench.Compare;
using Marl.Native.Rl;

namespace Marl.Native.Bench.Gpu;

/// <summary>QMIX's update on a device as in training: with replayed episodes, which are in the device's memory if they fit.</summary>
internal sealed class GpuUpdate : IDisposable
{
    private readonly Workers workers = new(1);
    private readonly ReplayLearner learner;
    private readonly Episode[] episodes;
    private readonly float[] one = new float[1];

    public GpuUpdate(Device device, QmixSize size)
    {
        learner = size.Learner(workers, device: device);
        episodes = size.Episodes(size.Batch);
        learner.Learn([.. episodes], steps: 0);
    }

    public void Run() => learner.Update(episodes);

    /// <summary>Waits until the last update is complete.</summary>
    public void Wait()
    {
        var weights = learner.Parameters.Values;
        weights.Device.Read(new Tensor(weights.Storage, weights.Offset, new Shape(1)), one);
    }

    public void Dispose() => workers.Dispose();
}
