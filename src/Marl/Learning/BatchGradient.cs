using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>
/// The gradient of a loss over a batch of episodes: cut into shards, each differentiated by itself, their gradients summed by a fixed tree, so that the
/// result does not depend on how many workers there are. Nothing is allocated.
/// </summary>
internal sealed class BatchGradient
{
    private readonly LearningContext context;
    private readonly TrainedNetwork[] networks;
    private readonly Part[] parts;
    private readonly LossContext[] shards;
    private readonly Episode[] sample;
    private readonly ShardPartitioner cut;
    private readonly Tensor[] destinations;
    private readonly int metrics;
    private readonly Action<int, int> differentiate, visit;
    private readonly Func<Part, Tensor>[] gradientOf;
    private LossReport report;
    private Func<LossContext, Var> loss = static _ => default;
    private Action<LossContext> visitor = static _ => { };
    private LossContext.Setting setting;
    private long runs;

    /// <summary>For batches of <paramref name="count"/> episodes and losses that are functions of <paramref name="networks"/>.</summary>
    /// <param name="context">the run.</param>
    /// <param name="schema">the columns of its episodes.</param>
    /// <param name="count">episodes of a batch.</param>
    /// <param name="networks">what the loss is differentiated by.</param>
    /// <param name="metrics">how many numbers the loss reports.</param>
    public BatchGradient(LearningContext context, Schema schema, int count, TrainedNetwork[] networks, int metrics)
    {
        (this.context, this.networks, this.metrics) = (context, networks, metrics);
        (sample, destinations) = (new Episode[count], new Tensor[networks.Length]);
        parts = [.. Enumerable.Range(0, context.ShardsOf(count)).Select(_ => new Part(networks, context.Device))];
        cut = new ShardPartitioner(count, parts.Length);
        report = NewReport();
        // A GPU takes one launch after the other: one worker calls it.
        int workers = context.Device == Device.Cpu ? context.Workers.Count : 1;
        shards = [.. Enumerable.Range(0, workers).Select(_ => new LossContext(schema, count, networks, context.Device))];
        gradientOf = [.. networks.Select<TrainedNetwork, Func<Part, Tensor>>((_, i) => part => part.Gradients[i])];
        (differentiate, visit) = (Differentiate, Visit);
    }

    /// <summary>What losses are functions of.</summary>
    public ReadOnlySpan<TrainedNetwork> Networks => networks;

    /// <summary>Episodes of a batch.</summary>
    public int Count => sample.Length;

    /// <summary>Room for what a loss says of a batch.</summary>
    public LossReport NewReport() => new(context.Device, parts.Length, metrics);

    /// <summary>The gradient of the loss of some episodes.</summary>
    /// <param name="loss">of a shard.</param>
    /// <param name="episodes">as many as a batch has.</param>
    /// <param name="setting">of all shards.</param>
    /// <param name="report">receives the loss and what it says.</param>
    /// <param name="into">where the gradient by each network is put; none: the network is constant here. By default where the networks have theirs.</param>
    public void Of(Func<LossContext, Var> loss, ReadOnlySpan<Episode> episodes, in LossContext.Setting setting, LossReport report, params ReadOnlySpan<Tensor> into)
    {
        Begin(episodes, setting);
        (this.loss, this.report) = (loss, report);
        for (int network = 0; network < networks.Length; network++)
        {
            destinations[network] = into.IsEmpty ? networks[network].Online.Gradient : into[network];
        }
        Run(differentiate);
        report.Complete();
        for (int network = 0; network < networks.Length; network++)
        {
            if (!destinations[network].IsNone)
            {
                ShardSum.Reduce(parts, gradientOf[network], destinations[network]);
            }
        }
    }

    /// <summary>Takes every shard of some episodes to <paramref name="visitor"/>, without any gradient.</summary>
    public void ForEach(Action<LossContext> visitor, ReadOnlySpan<Episode> episodes, in LossContext.Setting setting)
    {
        Begin(episodes, setting);
        this.visitor = visitor;
        Run(visit);
    }

    /// <summary>How many batches there were: names the streams of chance of the next.</summary>
    public void Archive(IArchive archive) => archive.Value("runs", ref runs);

    private void Begin(ReadOnlySpan<Episode> episodes, in LossContext.Setting setting)
    {
        if (episodes.Length != sample.Length)
        {
            throw new ArgumentException($"{episodes.Length} episodes for a batch of {sample.Length}");
        }
        episodes.CopyTo(sample);
        cut.Cut(sample);
        long transitions = 0, columns = 0, choices = 0;
        foreach (var episode in episodes)
        {
            transitions += episode.Steps;
            for (int agent = 0; agent < episode.Agents; agent++)
            {
                if (setting.Member < 0 || episode.Members[agent] == setting.Member)
                {
                    columns += episode.Steps;
                    choices += setting.CountsChoices ? episode.ActionsOf(agent) : 0;
                }
            }
        }
        this.setting = setting with { Transitions = checked((int)transitions), Columns = columns, Choices = choices };
        runs++;
    }

    private void Run(Action<int, int> body)
    {
        if (context.Device == Device.Cpu)
        {
            context.Workers.Run(parts.Length, body, setting.Stop);
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
            part.Wanted[network] = destinations[network].IsNone ? default : part.Gradients[network];
        }
        shards[worker].Differentiate(loss, Episodes(index), setting, part.Wanted, report[index], RngOf(index));
    }

    private void Visit(int index, int worker) => shards[worker].Visit(visitor, Episodes(index), setting, RngOf(index));

    private Span<Episode> Episodes(int part) => sample.AsSpan(cut[part]);

    private Rng RngOf(int shard) => context.Rng.Split(RngPurpose.Loss, (int)runs, shard);

    /// <summary>The gradients that come of a shard.</summary>
    private sealed class Part(TrainedNetwork[] networks, Device device)
    {
        public Tensor[] Gradients { get; } = [.. networks.Select(network => device.Zeros(new Shape(network.Online.Layout.Count)))];
        public Tensor[] Wanted { get; } = new Tensor[networks.Length];
    }
}
