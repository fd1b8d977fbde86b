using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>
/// The arguments of a loss: a shard of a batch of episodes, the online and target weights, and the tape that records the loss. It masks and averages over the
/// whole batch (<see cref="Mean"/>), and collects metrics (<see cref="Report"/>).
/// </summary>
public sealed class LossContext
{
    private readonly TrainedNetwork[] networks;
    private readonly ShardReport unread;
    private ShardReport report;
    private Tensor[] gradients = [];
    private BatchInfo info;
    private readonly Episode[] episodes;

    // The inverse numbers of elements that means are over, which are in the memory of the device, so that an update has the arguments of the one before:
    // of transitions with 1 .. N columns, of the agents' transitions, of available actions.
    private readonly float[] factors;

    /// <summary>Creates a context for up to <paramref name="capacity"/> episodes with the columns of <paramref name="schema"/>.</summary>
    internal LossContext(Schema schema, int capacity, TrainedNetwork[] networks, Device device)
    {
        this.networks = networks;
        Tape = new Tape(device);
        Batch = new EpisodeBatch(schema, capacity, device);
        report = unread = new ShardReport(device.Zeros(new Shape(ShardReport.MaxEntries + 1)));
        episodes = new Episode[capacity];
        factors = new float[Batch.Factors];
    }

    /// <summary>The tape that records the loss.</summary>
    public Tape Tape { get; }

    /// <summary>The episodes of this shard, as tensors [T, B, ..].</summary>
    public EpisodeBatch Batch { get; }

    /// <summary>The online weights of network 0.</summary>
    public Weights Online => OnlineOf(0);

    /// <summary>The target weights of network 0, constants.</summary>
    public Weights Target => TargetOf(0);

    /// <summary>Returns the online weights of a network; constants if the network is not trained by this loss.</summary>
    /// <param name="network">The index of the network, in the order of <see cref="Objective.AddNetwork"/>.</param>
    public Weights OnlineOf(int network) => gradients.Length == 0 || gradients[network].IsNone ? Tape.Detached(networks[network].Online)
        : Tape.Bind(networks[network].Online, gradients[network]);

    /// <summary>Returns the target weights of a network, constants.</summary>
    /// <param name="network">The index of the network, in the order of <see cref="Objective.AddNetwork"/>.</param>
    public Weights TargetOf(int network) => Tape.Detached(networks[network].Target);

    /// <summary>The number L of transitions in the whole batch.</summary>
    public int Transitions => info.Transitions;

    /// <summary>Environment steps of the run so far.</summary>
    public long Steps => info.Steps;

    /// <summary>The exploration rate, see <see cref="Rl.Exploration.RateAt"/>.</summary>
    public float Exploration => info.Exploration;

    /// <summary>The random number generator of this shard and update.</summary>
    public Rng Rng { get; private set; }

    /// <summary>Returns the recurrent state before the first row [B, N, H]: zeros, or the recorded state of segments.</summary>
    public Var InitialState(Agent agent) => agent.InitialState(Tape, Batch);

    /// <summary>Returns the rewards (standardized, if the options say so), discounts and ends of the episodes.</summary>
    /// <param name="gamma">The discount factor, in [0, 1].</param>
    public Transitions TransitionsOf(float gamma) => Rl.Transitions.Of(Tape, Batch.Rewards, Batch.Terminated, gamma, Batch.Mask);

    /// <summary>Computes lambda or n-step returns G_t [T, B, M], as the options say.</summary>
    /// <param name="options">gamma, nStep and lambda.</param>
    /// <param name="vNext">v_{t+1} [T, B, M] by target networks.</param>
    public Tensor Returns(AlgorithmOptions options, Tensor vNext) => Returns(options, TransitionsOf(options.Gamma), vNext);

    /// <summary>Computes the returns of given transitions.</summary>
    internal Tensor Returns(AlgorithmOptions options, Transitions transitions, Tensor vNext) => options.Lambda > 0
        ? Targets.Lambda(Tape, transitions, vNext, options.Lambda) : Targets.NStep(Tape, transitions, vNext, options.NStep);

    /// <summary>Maps values of a critic of standardized returns back to returns; otherwise returns them unchanged.</summary>
    /// <param name="values">Values [T, B, N], changed in place.</param>
    public Tensor Destandardized(Tensor values)
    {
        info.Returns?.Denormalize(values, ReturnNormalization.Epsilon);
        return values;
    }

    /// <summary>Stores a tensor in a column of the episodes.</summary>
    /// <param name="x">Values [T, B, M], or [T, B, 1] to be repeated M times.</param>
    /// <param name="column">A column of M elements per row, see <see cref="Objective.Columns"/>.</param>
    /// <exception cref="ArgumentException">The episodes have no such column.</exception>
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

    /// <summary>Computes this shard's part of the mean over all transitions of the batch, sum mask x / (L M); the sum over shards is the mean.</summary>
    /// <param name="x">Values [T, B, M].</param>
    /// <returns>A scalar.</returns>
    public Var Mean(Var x)
    {
        int columns = x.Shape[-1];
        var sum = x.WeightedSum(Batch.Mask);
        return columns < factors.Length - 1 ? sum * Batch.Factor(columns - 1) : sum * InverseCount(columns);
    }

    /// <summary>Computes this shard's part of the mean over the transitions of the agents that played the phase's ensemble member
    /// (<see cref="Phase.Member"/>); over all agents if the phase has none.</summary>
    /// <param name="x">Values [T, B, N].</param>
    /// <returns>A scalar.</returns>
    public Var MeanOverMember(Var x) => SumOverMember(x) * Batch.Factor(factors.Length - 2);

    /// <summary>Computes this shard's part of the mean over all available actions, or elements of continuous actions, of the transitions and agents as in
    /// <see cref="MeanOverMember"/>.</summary>
    /// <param name="x">Values [T, B, N, A].</param>
    /// <returns>A scalar.</returns>
    public Var MeanOverAvailableActions(Var x) => SumOverMember((x * Batch.Available.Slice(0, Batch.Steps)).Sum(-1)) * Batch.Factor(factors.Length - 1);

    /// <summary>Returns a mask [B, N, 1]: 1 where an agent played a given ensemble member.</summary>
    public Tensor MemberMask(int member)
    {
        var mask = Tape.Scratch(new Shape(Batch.Count, Batch.Actions.Shape[2], 1));
        int agents = mask.Shape[1];
        using var view = new HostView(mask, writeOnly: true);
        for (int i = 0; i < mask.Count; i++)
        {
            var members = episodes[i / agents].Members;
            view.Span[i] = (members.IsEmpty ? 0 : members[i % agents]) == member ? 1f : 0f;
        }
        return mask;
    }

    /// <summary>The episodes that <see cref="Batch"/> was loaded with.</summary>
    internal ReadOnlySpan<Episode> Episodes => episodes.AsSpan(0, Batch.Count);

    private Var SumOverMember(Var x)
        => info.Member < 0 ? x.WeightedSum(Batch.Mask) : (x * Batch.Mask * MemberMask(info.Member).Reshape(x.Shape[1], x.Shape[2])).Sum();

    /// <summary>Reports a metric: its value is the mean of x over all transitions of the batch.</summary>
    /// <param name="metric">The index in <see cref="Objective.Metrics"/>.</param>
    /// <param name="x">Values [T, B, M].</param>
    public void Report(int metric, Tensor x)
    {
        using (Tape.NoGrad())
        {
            Tape.Device.WeightedSum(x, Batch.Mask, report.Add(metric, (long)Transitions * x.Shape[-1]), Tape.Scratch(x.Shape));
        }
    }

    /// <summary>Fills a tensor with uniform random numbers in [0, 1).</summary>
    public void FillUniform(Tensor x)
    {
        var rng = Rng;
        using var view = new HostView(x, writeOnly: true);
        foreach (ref float uniform in view.Span)
        {
            uniform = rng.NextSingle();
        }
    }

    /// <summary>Computes the loss and the gradients of a shard.</summary>
    internal void Differentiate(Func<LossContext, Var> loss, ReadOnlySpan<Episode> episodes, in BatchInfo info, Tensor[] gradients, ShardReport report, Rng rng)
    {
        Load(episodes, info, rng);
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

    /// <summary>Calls an action with a shard, without gradients.</summary>
    internal void Apply(Action<LossContext> action, ReadOnlySpan<Episode> episodes, in BatchInfo info, Rng rng)
    {
        Load(episodes, info, rng);
        (gradients, report) = ([], unread);
        unread.Clear();
        using (Tape.NoGrad())
        {
            action(this);
        }
    }

    private void Load(ReadOnlySpan<Episode> episodes, in BatchInfo info, Rng rng)
    {
        (this.info, Rng) = (info, rng);
        episodes.CopyTo(this.episodes);
        for (int i = 0; i < factors.Length - 2; i++)
        {
            factors[i] = InverseCount(i + 1);
        }
        (factors[^2], factors[^1]) = (1f / info.AgentSteps, 1f / info.AvailableActions);
        Batch.Load(episodes, info.Rewards, factors);
    }

    private float InverseCount(int columns) => 1f / ((long)Transitions * columns);

    /// <summary>The values that all shards of a batch share.</summary>
    /// <param name="Rewards">Statistics to standardize rewards with; null: rewards are not standardized.</param>
    /// <param name="Steps">Environment steps so far.</param>
    /// <param name="Exploration">The exploration rate.</param>
    /// <param name="Returns">Statistics to standardize returns with; null: returns are not standardized.</param>
    internal readonly record struct BatchInfo(RunningStatistics? Rewards, long Steps, float Exploration, RunningStatistics? Returns = null)
    {
        /// <summary>See <see cref="Phase.Member"/>.</summary>
        public int Member { get; init; } = -1;

        /// <summary>Whether the loss needs <see cref="AvailableActions"/>.</summary>
        public bool CountsAvailableActions { get; init; }

        /// <summary>The number of transitions in the batch.</summary>
        public int Transitions { get; init; }

        /// <summary>The number of pairs of a transition and an agent (of the member).</summary>
        public long AgentSteps { get; init; }

        /// <summary>The number of actions of all these pairs.</summary>
        public long AvailableActions { get; init; }

        /// <summary>Ends the pass over the shards before the next one.</summary>
        public CancellationToken Stop { get; init; }
    }
}
