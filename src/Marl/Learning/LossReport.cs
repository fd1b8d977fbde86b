using System.Runtime.CompilerServices;

namespace Marl.Native.Rl;

/// <summary>The loss of a shard, and its reported metrics as sums with divisors.</summary>
/// <param name="values">Storage [<see cref="MaxEntries"/> + 1]: the sums, then the loss.</param>
internal sealed class ShardReport(Tensor values)
{
    /// <summary>The maximum number of sums that a loss reports.</summary>
    public const int MaxEntries = 32;
    private readonly (int Metric, long Divisor)[] entries = new (int, long)[MaxEntries];
    private int count;

    /// <summary>The loss [1].</summary>
    public Tensor Loss => values.Slice(MaxEntries, 1);

    /// <summary>Removes all sums.</summary>
    public void Clear() => count = 0;

    /// <summary>Adds a sum to a metric, whose batch mean is the total over shards of sum / divisor.</summary>
    /// <param name="metric">The index of the metric.</param>
    /// <param name="divisor">The number of elements of the whole batch.</param>
    /// <returns>[1] receives the sum.</returns>
    public Tensor Add(int metric, long divisor)
    {
        entries[count] = (metric, divisor);
        return values.Slice(count++, 1);
    }

    /// <summary>Adds up the sums of each metric, divided by their divisors.</summary>
    /// <param name="sums">The storage, copied to the host.</param>
    /// <param name="metrics">Receives the metrics.</param>
    public void Sum(ReadOnlySpan<float> sums, Span<float> metrics)
    {
        metrics.Clear();
        for (int i = 0; i < count; i++)
        {
            metrics[entries[i].Metric] += sums[i] / entries[i].Divisor;
        }
    }

    /// <summary>Adds a metric to <paramref name="total"/> [1], on the device.</summary>
    public void AddTo(Tensor total, int metric, Tensor scratch)
    {
        for (int i = 0; i < count; i++)
        {
            if (entries[i].Metric == metric)
            {
                var device = total.Device;
                device.Fill(scratch, entries[i].Divisor);
                device.Zip(default(Divide), values.Slice(i, 1), scratch, scratch);
                device.Zip(default(Add), total, scratch, total);
            }
        }
    }
}

/// <summary>The loss and the metrics of a batch. They stay on the device until they are read.</summary>
internal sealed class LossReport
{
    private readonly Tensor values, mean, scratch;
    private readonly ShardReport[] parts;
    private readonly float[] hostValues, shardMetrics, metrics;

    /// <summary>Creates a report of zeros.</summary>
    /// <param name="device">The device that losses are computed on.</param>
    /// <param name="shards">The number of shards of a batch.</param>
    /// <param name="metrics">The number of metrics.</param>
    public LossReport(Device device, int shards, int metrics)
    {
        // Rows are on separate cache lines, because threads write them concurrently.
        const int Width = 48;
        values = device.Zeros(new Shape(shards, Width));
        (mean, scratch) = (device.Zeros(new Shape(1)), device.Zeros(new Shape(1)));
        parts = [.. Enumerable.Range(0, shards).Select(shard => new ShardReport(values[shard]))];
        Loss = shards == 1 ? parts[0].Loss : device.Zeros(new Shape(1));
        (hostValues, shardMetrics, this.metrics) = (new float[values.Count], new float[metrics], new float[metrics]);
    }

    /// <summary>The loss of the batch [1].</summary>
    public Tensor Loss { get; }

    /// <summary>The report of a shard.</summary>
    public ShardReport this[int shard] => parts[shard];

    /// <summary>Computes <see cref="Loss"/> after all shards are done.</summary>
    public void Complete()
    {
        if (parts.Length == 1)
        {
            return;
        }
        Loss.Device.Fill(Loss, 0f);
        foreach (var part in parts)
        {
            Loss.Device.Zip(default(Add), Loss, part.Loss, Loss);
        }
    }

    /// <summary>Reads the metrics, means over the batch, from the device.</summary>
    public Span<float> Metrics()
    {
        values.Device.Read(values, hostValues);
        metrics.AsSpan().Clear();
        for (int shard = 0; shard < parts.Length; shard++)
        {
            parts[shard].Sum(hostValues.AsSpan(shard * values.Shape[1]), shardMetrics);
            for (int metric = 0; metric < metrics.Length; metric++)
            {
                metrics[metric] += shardMetrics[metric];
            }
        }
        return metrics;
    }

    /// <summary>Divides the loss and its gradient by the batch mean of a metric if that is above 0.</summary>
    public void DivideBy(int metric, Tensor gradient)
    {
        var device = Loss.Device;
        device.Fill(mean, 0f);
        foreach (var part in parts)
        {
            part.AddTo(mean, metric, scratch);
        }
        device.Map(default(InverseOrOne), mean, mean);
        device.Zip(default(Multiply), Loss, mean, Loss);
        device.Zip(default(Multiply), gradient, mean, gradient);
    }

    /// <summary>Computes 1 / x where x &gt; 0, else 1.</summary>
    internal readonly struct InverseOrOne : IUnary
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public T F<T>(T x) where T : struct, ILane<T> => T.IfGreater(x, T.Zero, T.One / x, T.One);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public T D<T>(T x, T y) where T : struct, ILane<T> => T.IfGreater(x, T.Zero, -y * y, T.Zero);
    }
}
