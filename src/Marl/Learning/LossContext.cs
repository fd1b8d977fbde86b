using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>
/// A part of a batch of episodes on its way through a loss, with all that the loss is a function of: experience, weights, and a tape to record on.
/// A worker has one and takes one shard after the other through it.
/// </summary>
public sealed class LossContext
{
    private readonly TrainedNetwork[] networks;
    private readonly ShardReport unread;
    private ShardReport report;
    private Tensor[] gradients = [];
    private Setting setting;
    private readonly Episode[] episodes;

    /// <summary>Room for <paramref name="capacity"/> episodes with the columns of <paramref name="schema"/>.</summary>
    internal LossContext(Schema schema, int capacity, TrainedNetwork[] networks, Device device)
    {
        this.networks = networks;
        Tape = new Tape(device);
        Batch = new EpisodeBatch(schema, capacity, device);
        report = unread = new ShardReport(device.Zeros(new Shape(ShardReport.Most + 1)));
        episodes = new Episode[capacity];
    }

    /// <summary>Records the loss.</summary>
    public Tape Tape { get; }

    /// <summary>The episodes of this shard.</summary>
    public EpisodeBatch Batch { get; }

    /// <summary>The parameters that learn, of the only or first network.</summary>
    public Weights Online => OnlineOf(0);

    /// <summary>The parameters that targets are computed with: constants.</summary>
    public Weights Target => TargetOf(0);

    /// <summary>The parameters of a network that learn; constants where nothing is differentiated by them.</summary>
    public Weights OnlineOf(int network)
        => gradients.Length == 0 || gradients[network].IsNone ? Tape.Detached(networks[network].Online) : Tape.Bind(networks[network].Online, gradients[network]);

    /// <summary>The parameters of a network that targets are computed with: constants.</summary>
    public Weights TargetOf(int network) => Tape.Detached(networks[network].Target);

    /// <summary>Transitions of all shards together.</summary>
    public int Transitions => setting.Transitions;

    /// <summary>Environment steps of the training so far.</summary>
    public long Steps => setting.Steps;

    /// <summary>How much of acting is left to chance by now.</summary>
    public float Exploration => setting.Exploration;

    /// <summary>Chance of this shard in this update.</summary>
    public Rng Rng { get; private set; }

    /// <summary>The state of agents before the first row [B, N, H]: zeros, or the state with which segments were played.</summary>
    public Var InitialState(Agent agent) => agent.InitialState(Tape, Batch);

    /// <summary>Rewards, discounts and ends of the episodes; rewards standardized if the learner does that.</summary>
    public Transitions TransitionsOf(float gamma) => Rl.Transitions.Of(Tape, Batch.Rewards, Batch.Terminated, gamma, Batch.Mask);

    /// <summary>G_t [T, B, M]: lambda or n-step returns, as the options say.</summary>
    /// <param name="options">gamma, n and lambda.</param>
    /// <param name="vNext">[T, B, M] the value of what came next, by target networks.</param>
    public Tensor Returns(AlgorithmOptions options, Tensor vNext) => Returns(options, TransitionsOf(options.Gamma), vNext);

    /// <summary>The same of given transitions.</summary>
    internal Tensor Returns(AlgorithmOptions options, Transitions transitions, Tensor vNext) => options.Lambda > 0
        ? Targets.Lambda(Tape, transitions, vNext, options.Lambda) : Targets.NStep(Tape, transitions, vNext, options.NStep);

    /// <summary>Values of a critic that learns standardized returns, as returns; otherwise the values themselves.</summary>
    /// <param name="values">[T, B, N], changed in place.</param>
    public Tensor Destandardized(Tensor values)
    {
        setting.Returns?.Denormalize(values);
        return values;
    }

    /// <summary>Stores estimates with the episodes.</summary>
    /// <param name="x">[T, B, M], or [T, B, 1] for all elements of a row alike.</param>
    /// <param name="column">of M elements, see <see cref="Objective.Columns"/>.</param>
    /// <exception cref="ArgumentException">the episodes have no such column.</exception>
    public void Store(Tensor x, Column column)
    {
        int columns = x.Shape[-1];
        var source = x.Device == Device.Cpu ? x.Span : x.ToArray();
        for (int b = 0; b < Batch.Count; b++)
        {
            var into = episodes[b][column];
            int width = into.Length / episodes[b].Length;
            for (int t = 0; t < episodes[b].Length; t++)
            {
                var row = source.Slice((t * Batch.Count + b) * columns, columns);
                var place = into.Slice(t * width, width);
                if (columns == width)
                {
                    row.CopyTo(place);
                }
                else
                {
                    place.Fill(row[0]);
                }
            }
        }
    }

    /// <summary>sum_t mask_t x_t / (L M): this shard's part of the mean over all L transitions of the batch and the M columns of x.</summary>
    /// <param name="x">[T, B, M]</param>
    public Var Mean(Var x) => (x * Batch.Mask).Sum() * (1f / ((long)Transitions * x.Shape[-1]));

    /// <summary>The same of the agents that the member of an ensemble played for, whose part of the loss this is; of all where no member is meant.</summary>
    /// <param name="x">[T, B, N]</param>
    public Var MeanOfMember(Var x) => SumOfMember(x) * (1f / setting.Columns);

    /// <summary>This shard's part of the mean over all available actions, or numbers of actions, of all transitions and agents (or those of the member).</summary>
    /// <param name="x">[T, B, N, A]</param>
    public Var MeanOverAvailableActions(Var x) => SumOfMember((x * Batch.Available.Slice(0, Batch.Steps)).Sum(-1)) * (1f / setting.Choices);

    /// <summary>[B, N, 1]: 1 where a member of an ensemble played for an agent.</summary>
    public Tensor MaskOf(int member)
    {
        var mask = Tape.Scratch(new Shape(Batch.Count, Batch.Actions.Shape[-1], 1));
        int agents = mask.Shape[1];
        using var numbers = new HostView(mask, writeOnly: true);
        for (int i = 0; i < mask.Count; i++)
        {
            var members = episodes[i / agents].Members;
            numbers.Span[i] = (members.IsEmpty ? 0 : members[i % agents]) == member ? 1f : 0f;
        }
        return mask;
    }

    /// <summary>The episodes that <see cref="Batch"/> was loaded with.</summary>
    internal ReadOnlySpan<Episode> Episodes => episodes.AsSpan(0, Batch.Count);

    private Var SumOfMember(Var x)
    {
        var sum = x * Batch.Mask;
        return (setting.Member < 0 ? sum : sum * MaskOf(setting.Member).Reshape(x.Shape[1], x.Shape[2])).Sum();
    }

    /// <summary>Adds to the mean over the batch of a metric.</summary>
    /// <param name="metric">its place in <see cref="Objective.Metrics"/>.</param>
    /// <param name="x">[T, B, M]</param>
    public void Report(int metric, Tensor x)
    {
        using (Tape.NoGrad())
        {
            report.Add(metric, (Tape.Constant(x) * Batch.Mask).Sum().Value, (long)Transitions * x.Shape[-1]);
        }
    }

    /// <summary>Numbers in [0, 1) from <see cref="Rng"/>.</summary>
    public void FillUniform(Tensor x)
    {
        var chance = Rng;
        using var numbers = new HostView(x, writeOnly: true);
        foreach (ref float uniform in numbers.Span)
        {
            uniform = chance.NextSingle();
        }
    }

    /// <summary>Loss and gradients of some episodes.</summary>
    internal void Differentiate(Func<LossContext, Var> loss, ReadOnlySpan<Episode> episodes, in Setting setting, Tensor[] gradients, ShardReport report, Rng chance)
    {
        Load(episodes, setting, chance);
        (this.gradients, this.report) = (gradients, report);
        report.Clear();
        foreach (var gradient in gradients)
        {
            if (!gradient.IsNone)
            {
                gradient.Device.Fill(gradient, 0f);
            }
        }
        using (Tape.Step())
        {
            var value = loss(this);
            Tape.Backward(value);
            value.Value.Reshape(1).CopyTo(report.Loss);
        }
    }

    /// <summary>Something without a gradient.</summary>
    internal void Visit(Action<LossContext> visitor, ReadOnlySpan<Episode> episodes, in Setting setting, Rng chance)
    {
        Load(episodes, setting, chance);
        (gradients, report) = ([], unread);
        unread.Clear();
        using (Tape.NoGrad())
        {
            visitor(this);
        }
    }

    private void Load(ReadOnlySpan<Episode> episodes, in Setting setting, Rng chance)
    {
        (this.setting, Rng) = (setting, chance);
        episodes.CopyTo(this.episodes);
        Batch.Load(episodes, setting.Rewards);
    }

    /// <summary>What all shards of a batch have in common.</summary>
    /// <param name="Rewards">standardizes rewards, if anything does.</param>
    /// <param name="Steps">environment steps so far.</param>
    /// <param name="Exploration">how much is left to chance.</param>
    /// <param name="Returns">standardizes what critics learn, if anything does.</param>
    internal readonly record struct Setting(RunningStatistics? Rewards, long Steps, float Exploration, RunningStatistics? Returns = null)
    {
        /// <summary>See <see cref="Phase.Member"/>.</summary>
        public int Member { get; init; } = -1;

        /// <summary>Whether the loss asks for <see cref="Choices"/>.</summary>
        public bool CountsChoices { get; init; }

        /// <summary>Of all shards together; counted when the batch is known.</summary>
        public int Transitions { get; init; }

        /// <summary>Pairs of a transition and an agent, those of the member.</summary>
        public long Columns { get; init; }

        /// <summary>What all agents of these could do, counted.</summary>
        public long Choices { get; init; }

        /// <summary>Ends the pass over the shards before the next one.</summary>
        public CancellationToken Stop { get; init; }
    }
}
