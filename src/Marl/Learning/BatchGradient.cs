using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>
/// Computes the gradient of a loss over a batch of episodes. The batch is partitioned into shards, which threads differentiate concurrently; their gradients
/// are summed in a fixed order, so that the result does not depend on the number of threads. Does not allocate.
/// </summary>
internal sealed class BatchGradient
{
    private readonly LearningContext context;
    private readonly TrainedNetwork[] networks;
    private readonly ShardGradients[] parts;
    private readonly LossContext[] shards;
    private readonly Episode[] batch;
    private readonly ShardPartitioner partitioner;
    private readonly Tensor[] destinations;
    private readonly int metrics;
    private readonly Action<int, int> differentiate, apply;
    private readonly Func<ShardGradients, Tensor>[] gradientOf;
    private LossReport report;
    private Func<LossContext, Var> loss = static _ => default;
    private Action<LossContext> action = static _ => { };
    private LossContext.BatchInfo info;
    private long batches;

    /// <summary>Creates the gradient of batches of <paramref name="count"/> episodes.</summary>
    /// <param name="context">The environment and the run.</param>
    /// <param name="schema">The columns of the episodes.</param>
    /// <param name="count">Episodes per batch.</param>
    /// <param name="networks">The networks that losses are functions of.</param>
    /// <param name="metrics">The number of metrics that losses report.</param>
    public BatchGradient(LearningContext context, Schema schema, int count, TrainedNetwork[] networks, int metrics)
    {
        (this.context, this.networks, this.metrics) = (context, networks, metrics);
        (batch, destinations) = (new Episode[count], new Tensor[networks.Length]);
        parts = [.. Enumerable.Range(0, context.ShardCount(count)).Select(_ => new ShardGradients(networks, context.Device))];
        partitioner = new ShardPartitioner(count, parts.Length);
        report = NewReport();
        // A GPU executes launches in sequence: one thread issues them.
        int workers = context.Device == Device.Cpu ? context.Workers.Count : 1;
        shards = [.. Enumerable.Range(0, workers).Select(_ => new LossContext(schema, count, networks, context.Device))];
        gradientOf = [.. networks.Select<TrainedNetwork, Func<ShardGradients, Tensor>>((_, i) => part => part.Gradients[i])];
        (differentiate, apply) = (Differentiate, Apply);
    }

    /// <summary>The networks that losses are functions of.</summary>
    public ReadOnlySpan<TrainedNetwork> Networks => networks;

    /// <summary>The number of episodes per batch.</summary>
    public int Count => batch.Length;

    /// <summary>Creates a report for losses of such batches.</summary>
    public LossReport NewReport() => new(context.Device, parts.Length, metrics);

    /// <summary>Computes the gradient of a loss.</summary>
    /// <param name="loss">Computes a shard's part of the loss.</param>
    /// <param name="episodes">The batch.</param>
    /// <param name="info">The values that all shards share.</param>
    /// <param name="report">Receives the loss and the metrics.</param>
    /// <param name="gradients">Receives the gradient of each network; <c>default</c>: the network is a constant. If empty, the networks' own gradients.</param>
    public void Compute(Func<LossContext, Var> loss, ReadOnlySpan<Episode> episodes, in LossContext.BatchInfo info, LossReport report,
        params ReadOnlySpan<Tensor> gradients)
    {
        Begin(episodes, info);
        (this.loss, this.report) = (loss, report);
        for (int network = 0; network < networks.Length; network++)
        {
            destinations[network] = gradients.IsEmpty ? networks[network].Online.Gradient : gradients[network];
        }
        Run(differentiate);
        report.Complete();
        for (int network = 0; network < networks.Length; network++)
        {
            if (!destinations[network].IsNone && parts.Length > 1)
            {
                ShardSum.Reduce(parts, gradientOf[network], destinations[network]);
            }
        }
    }

    /// <summary>Calls <paramref name="action"/> for every shard of a batch, without gradients.</summary>
    public void ForEach(Action<LossContext> action, ReadOnlySpan<Episode> episodes, in LossContext.BatchInfo info)
    {
        Begin(episodes, info);
        this.action = action;
        Run(apply);
    }

    /// <summary>Saves or restores the number of batches so far, which selects the random streams of the next one.</summary>
    public void Archive(IArchive archive) => archive.Value("batches", ref batches, 0, ArchiveExtensions.MaxUpdates);

    private void Begin(ReadOnlySpan<Episode> episodes, in LossContext.BatchInfo info)
    {
        if (episodes.Length != batch.Length)
        {
            throw new ArgumentException($"{episodes.Length} episodes for a batch of {batch.Length}");
        }
        episodes.CopyTo(batch);
        partitioner.Partition(batch);
        long transitions = 0, agentSteps = 0, availableActions = 0;
        foreach (var episode in episodes)
        {
            transitions += episode.Steps;
            for (int agent = 0; agent < episode.Agents; agent++)
            {
                if (info.Member < 0 || episode.Members[agent] == info.Member)
                {
                    agentSteps += episode.Steps;
                    availableActions += info.CountsAvailableActions ? episode.CountAvailableActions(agent) : 0;
                }
            }
        }
        this.info = info with { Transitions = checked((int)transitions), AgentSteps = agentSteps, AvailableActions = availableActions };
        batches++;
    }

    private void Run(Action<int, int> body)
    {
        if (context.Device == Device.Cpu)
        {
            context.Workers.Run(parts.Length, body, info.Stop);
            return;
        }
        for (int part = 0; part < parts.Length; part++)
        {
            body(part, 0);
        }
    }

    private void Differentiate(int index, int worker)
    {
        var part = parts[index];
        for (int network = 0; network < networks.Length; network++)
        {
            part.Required[network] = destinations[network].IsNone ? default : parts.Length == 1 ? destinations[network] : part.Gradients[network];
        }
        shards[worker].Differentiate(loss, Episodes(index), info, part.Required, report[index], RngOf(index));
    }

    private void Apply(int index, int worker) => shards[worker].Apply(action, Episodes(index), info, RngOf(index));

    private Span<Episode> Episodes(int part) => batch.AsSpan(partitioner[part]);

    private Rng RngOf(int shard) => context.Rng.Split(RngPurpose.Loss, (int)batches, shard);

    /// <summary>The gradients of a shard: buffers for all networks, and those that the present loss needs.</summary>
    private sealed class ShardGradients(TrainedNetwork[] networks, Device device)
    {
        public Tensor[] Gradients { get; } = [.. networks.Select(network => device.Zeros(new Shape(network.Online.Layout.Count)))];
        public Tensor[] Required { get; } = new Tensor[networks.Length];
    }
}
