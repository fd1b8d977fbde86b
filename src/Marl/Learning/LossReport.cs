using System.Runtime.CompilerServices;

namespace Marl.Native.Rl;

/// <summary>What the loss of a shard says: itself, and sums with the metrics that they belong to and what they are divided by.</summary>
/// <param name="numbers">[<see cref="Most"/> + 1] where the sums are, and behind them the loss.</param>
internal sealed class ShardReport(Tensor numbers)
{
    /// <summary>The most numbers that a loss reports.</summary>
    public const int Most = 32;
    private readonly (int Metric, long Divisor)[] entries = new (int, long)[Most];
    private int count;

    /// <summary>[1]</summary>
    public Tensor Loss => numbers.Slice(Most, 1);

    /// <summary>Nothing is reported yet.</summary>
    public void Clear() => count = 0;

    /// <summary>A part of the mean over the batch of a metric.</summary>
    public void Add(int metric, Tensor sum, long divisor)
    {
        entries[count] = (metric, divisor);
        sum.Reshape(1).CopyTo(numbers.Slice(count++, 1));
    }

    /// <summary>Adds up what was reported of all metrics, in order.</summary>
    /// <param name="sums">the numbers, read.</param>
    /// <param name="metrics">receives it.</param>
    public void Sum(ReadOnlySpan<float> sums, Span<float> metrics)
    {
        metrics.Clear();
        for (int i = 0; i < count; i++)
        {
            metrics[entries[i].Metric] += sums[i] / entries[i].Divisor;
        }
    }

    /// <summary>total += what was reported of a metric, where it is.</summary>
    public void AddTo(Tensor total, int metric, Tensor room)
    {
        for (int i = 0; i < count; i++)
        {
            if (entries[i].Metric == metric)
            {
                var device = total.Device;
                device.Fill(room, entries[i].Divisor);
                device.Zip(default(Divide), numbers.Slice(i, 1), room, room);
                device.Zip(default(Add), total, room, total);
            }
        }
    }
}

/// <summary>What a loss said of a batch of episodes. The numbers stay where they were computed until somebody asks for them.</summary>
internal sealed class LossReport
{
    private readonly Tensor numbers, mean, room;
    private readonly ShardReport[] parts;
    private readonly float[] hostNumbers, ofPart, metrics;

    /// <summary>Nothing yet: zeros.</summary>
    /// <param name="device">where losses are computed.</param>
    /// <param name="shards">of a batch.</param>
    /// <param name="metrics">how many numbers a loss reports.</param>
    public LossReport(Device device, int shards, int metrics)
    {
        // On cache lines of their own: shards are computed side by side.
        const int Width = 48;
        numbers = device.Zeros(new Shape(shards, Width));
        (Loss, mean, room) = (device.Zeros(new Shape(1)), device.Zeros(new Shape(1)), device.Zeros(new Shape(1)));
        parts = [.. Enumerable.Range(0, shards).Select(shard => new ShardReport(numbers[shard]))];
        (hostNumbers, ofPart, this.metrics) = (new float[numbers.Count], new float[metrics], new float[metrics]);
    }

    /// <summary>[1] the loss of the whole batch.</summary>
    public Tensor Loss { get; }

    /// <summary>Where a shard reports.</summary>
    public ShardReport this[int shard] => parts[shard];

    /// <summary>All shards are done.</summary>
    public void Complete()
    {
        Loss.Device.Fill(Loss, 0f);
        foreach (var part in parts)
        {
            Loss.Device.Zip(default(Add), Loss, part.Loss, Loss);
        }
    }

    /// <summary>Means over the batch of what was reported: asks the device.</summary>
    public Span<float> Metrics()
    {
        numbers.Device.Read(numbers, hostNumbers);
        metrics.AsSpan().Clear();
        for (int shard = 0; shard < parts.Length; shard++)
        {
            parts[shard].Sum(hostNumbers.AsSpan(shard * numbers.Shape[1]), ofPart);
            for (int metric = 0; metric < metrics.Length; metric++)
            {
                metrics[metric] += ofPart[metric];
            }
        }
        return metrics;
    }

    /// <summary>Divides the loss and its gradient by the mean of a metric, where that is above 0.</summary>
    public void DivideBy(int metric, Tensor gradient)
    {
        var device = Loss.Device;
        device.Fill(mean, 0f);
        foreach (var part in parts)
        {
            part.AddTo(mean, metric, room);
        }
        device.Map(default(InverseOrOne), mean, mean);
        device.Zip(default(Multiply), Loss, mean, Loss);
        device.Zip(default(Multiply), gradient, mean, gradient);
    }

    /// <summary>1 / x where x &gt; 0, else 1.</summary>
    internal readonly struct InverseOrOne : IUnary
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public T F<T>(T x) where T : struct, ILane<T> => T.IfGreater(x, T.Zero, T.One / x, T.One);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public T D<T>(T x, T y) where T : struct, ILane<T> => T.IfGreater(x, T.Zero, -y * y, T.Zero);
    }
}
