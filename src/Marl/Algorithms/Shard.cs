using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>
/// A part of a batch of episodes on its way through a loss, with all that the loss is a function of: experience, weights, and a tape to record on.
/// A worker has one and takes one shard after the other through it.
/// </summary>
public sealed class Shard
{
    private readonly TrainedNetwork[] networks;
    private float[] reported = [];
    private Tensor[] gradients = [];
    private RunningStatistics? rewardStatistics;

    /// <summary>Room for <paramref name="capacity"/> episodes.</summary>
    internal Shard(EnvironmentSpec spec, int capacity, int rewardStreams, TrainedNetwork[] networks)
    {
        this.networks = networks;
        Batch = new EpisodeBatch(spec, capacity, rewardStreams);
    }

    /// <summary>Records the loss.</summary>
    public Tape Tape { get; } = new();

    /// <summary>The episodes of this shard.</summary>
    public EpisodeBatch Batch { get; }

    /// <summary>The parameters that learn, of the only or first network.</summary>
    public Weights Online => OnlineOf(networks[0]);

    /// <summary>The parameters that targets are computed with: constants.</summary>
    public Weights Target => TargetOf(networks[0]);

    /// <summary>The parameters of a network that learn.</summary>
    public Weights OnlineOf(TrainedNetwork network) => Tape.Bind(network.Online, gradients[Array.IndexOf(networks, network)]);

    /// <summary>The parameters of a network that targets are computed with: constants.</summary>
    public Weights TargetOf(TrainedNetwork network) => Tape.Freeze(network.Target);

    /// <summary>Transitions of all shards together.</summary>
    public int Transitions { get; private set; }

    /// <summary>Environment steps of the training so far.</summary>
    public long Steps { get; private set; }

    /// <summary>How much of acting is left to chance by now.</summary>
    public float Exploration { get; private set; }

    /// <summary>Chance of this shard in this update.</summary>
    public Rng Chance { get; private set; }

    /// <summary>The state of agents whose episodes begin: zeros [B, N, H].</summary>
    public Var Rest(Agent agent)
    {
        var zeros = Tape.Scratch(new Shape(Batch.Count, agent.Agents, agent.Hidden));
        Tape.Device.Fill(zeros, 0f);
        return Tape.Constant(zeros);
    }

    /// <summary>Rewards, discounts and ends of the episodes; rewards standardised if the learner does that.</summary>
    public Transitions TransitionsOf(float gamma)
    {
        var reward = Tape.Scratch(Batch.Rewards.Shape);
        Batch.Rewards.CopyTo(reward);
        rewardStatistics?.Normalise(reward);
        return Rl.Transitions.Of(Tape, reward, Batch.Terminated, gamma, Batch.Mask);
    }

    /// <summary>sum_t mask_t x_t / (L M): this shard's part of the mean over all L transitions of the batch and the M columns of x.</summary>
    /// <param name="x">[T, B, M]</param>
    public Var Mean(Var x) => (x * Batch.Mask).Sum() * (1f / (Transitions * x.Shape[-1]));

    /// <summary>Adds to the mean over the batch of a metric.</summary>
    /// <param name="metric">its place in <see cref="Objective.Metrics"/>.</param>
    /// <param name="x">[T, B, M]</param>
    public void Report(int metric, Tensor x)
    {
        using (Tape.NoGrad())
        {
            reported[metric] += (Tape.Constant(x) * Batch.Mask).Sum().Value.ToScalar() / (Transitions * x.Shape[-1]);
        }
    }

    /// <summary>Loss and gradients of some episodes.</summary>
    internal float Differentiate(Func<Shard, Var> loss, ReadOnlySpan<Episode> episodes, in Setting setting, Tensor[] gradients, float[] metrics, Rng chance)
    {
        Load(episodes, setting, chance);
        (this.gradients, reported) = (gradients, metrics);
        reported.AsSpan().Clear();
        foreach (var gradient in gradients)
        {
            gradient.Span.Clear();
        }
        using (Tape.Step())
        {
            var value = loss(this);
            Tape.Backward(value);
            return value.Value.ToScalar();
        }
    }

    /// <summary>Something without a gradient.</summary>
    internal void Visit(Action<Shard> visitor, ReadOnlySpan<Episode> episodes, in Setting setting, Rng chance)
    {
        Load(episodes, setting, chance);
        using (Tape.NoGrad())
        {
            visitor(this);
        }
    }

    private void Load(ReadOnlySpan<Episode> episodes, in Setting setting, Rng chance)
    {
        (Transitions, Steps, Exploration, rewardStatistics, Chance) = (setting.Transitions, setting.Steps, setting.Exploration, setting.Rewards, chance);
        Batch.Load(episodes);
    }

    /// <summary>What all shards of a batch have in common.</summary>
    /// <param name="Rewards">standardises rewards, if anything does.</param>
    /// <param name="Steps">environment steps so far.</param>
    /// <param name="Exploration">how much is left to chance.</param>
    /// <param name="Transitions">of all shards together; counted when the batch is.</param>
    internal readonly record struct Setting(RunningStatistics? Rewards, long Steps, float Exploration, int Transitions = 0);
}
