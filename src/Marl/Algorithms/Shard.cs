using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>
/// A part of a batch of episodes on its way through a loss, with all that the loss is a function of: experience, weights, and a tape to record on.
/// A worker has one and takes one shard after the other through it.
/// </summary>
public sealed class Shard
{
    private float[] reported = [];
    private RunningStatistics? rewardStatistics;

    /// <summary>Room for <paramref name="capacity"/> episodes.</summary>
    internal Shard(EnvironmentSpec spec, int capacity, int rewardStreams) => Batch = new EpisodeBatch(spec, capacity, rewardStreams);

    /// <summary>Records the loss.</summary>
    public Tape Tape { get; } = new();

    /// <summary>The episodes of this shard.</summary>
    public EpisodeBatch Batch { get; }

    /// <summary>The parameters that learn.</summary>
    public Weights Online { get; private set; }

    /// <summary>The parameters that targets are computed with: constants.</summary>
    public Weights Target { get; private set; }

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

    /// <summary>Loss and gradient of some episodes.</summary>
    internal float Differentiate(Objective objective, ReadOnlySpan<Episode> episodes, in Setting setting, Tensor gradient, float[] metrics, Rng chance)
    {
        (Transitions, Steps, Exploration, rewardStatistics, Chance) = (setting.Transitions, setting.Steps, setting.Exploration, setting.Rewards, chance);
        reported = metrics;
        reported.AsSpan().Clear();
        gradient.Span.Clear();
        Batch.Load(episodes);
        using (Tape.Step())
        {
            (Online, Target) = (Tape.Bind(setting.Online, gradient), Tape.Freeze(setting.Target));
            var loss = objective.Loss(this);
            Tape.Backward(loss);
            return loss.Value.ToScalar();
        }
    }

    /// <summary>What all shards of an update have in common.</summary>
    internal readonly record struct Setting(Parameters Online, Parameters Target, RunningStatistics? Rewards, int Transitions, long Steps, float Exploration);
}
