using System.Runtime.InteropServices;
using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>
/// A model of the teams' rewards, R(s, u), for difference rewards where a step cannot be simulated again (Dr.Reinforce-R, Castellini et al. 2021):
/// <code>
/// D_a = r - sum_c b_a(c) R(s, (c, u_-a))            b_a: see BaselinePolicy
/// L   = mean (R(s, u) - r)^2                        over a random sample of the latest transitions
/// </code>
/// s is the state, or all observations if the environment has none. R is a network of two hidden layers, fitted to standardized rewards with Adam on the CPU.
/// </summary>
internal sealed class RewardModel
{
    private const int Capacity = 20_000, BatchSize = 128, Hidden = 128, StepsPerUpdate = 8;

    /// <summary>Added to the variance of the rewards, which may be constant.</summary>
    private const double Epsilon = 1e-8;

    /// <summary>The rows whose actions are evaluated as one batch.</summary>
    private const int RowsAtOnce = 32;

    private readonly EnvironmentSpec spec;
    private readonly BaselinePolicy policy;
    private readonly Mlp network;
    private readonly Parameters parameters;
    private readonly Optimizer optimizer;
    private readonly RunningStatistics statistics;
    private readonly Tape tape = new();
    private readonly int agents, actions, teams, width;
    private readonly int[] teamOf, joint;
    private readonly float[] probabilities;

    // The latest transitions, a ring; and those of the current round, which are not in it yet.
    private readonly Tensor inputs, rewards;
    private readonly List<float> newInputs = [], newRewards = [];
    private int count, next;
    private float loss;
    private Rng sampling;

    /// <summary>Creates a model with newly initialized weights.</summary>
    /// <exception cref="UsageException">The default action is out of range, or actions are continuous or have several branches.</exception>
    public RewardModel(LearningContext context)
    {
        (spec, policy) = (context.Spec, new BaselinePolicy(context.Spec, context.Rewards));
        (agents, actions, teams) = (spec.Agents.Length, spec.ActionCount, spec.Teams.Length);
        width = (spec.StateSize > 0 ? spec.StateSize : agents * spec.ObservationSize) + agents * actions;
        teamOf = [.. spec.Agents.Select(agent => Array.IndexOf(spec.Teams, agent.Team))];
        var layout = new ParameterLayout();
        network = new Mlp(layout, [width, Hidden, Hidden, teams]);
        parameters = new Parameters(layout).Initialize(context.Rng.Split(RngPurpose.Initialization, int.MaxValue));
        optimizer = new Optimizer(parameters, new Adam { LearningRate = 1e-3 });
        statistics = new RunningStatistics(teams);
        (inputs, rewards) = (Tensor.Zeros(Capacity, width), Tensor.Zeros(Capacity, teams));
        (joint, probabilities) = (new int[agents], new float[RowsAtOnce * agents * actions]);
        sampling = context.Rng.Split(RngPurpose.Sampling, int.MaxValue);
    }

    /// <summary>The mean squared error of the last update, in variances of the rewards.</summary>
    public float Loss => loss;

    /// <summary>Replaces the teams' rewards in episodes by difference rewards, and keeps the transitions for <see cref="Fit"/>.</summary>
    public void Subtract(ReadOnlySpan<Episode> episodes)
    {
        newInputs.Clear();
        newRewards.Clear();
        foreach (var episode in episodes)
        {
            for (int first = 0; episode.NextTransitions(ref first, out var rows);)
            {
                for (int row = rows.Start.Value; row < rows.End.Value; row += RowsAtOnce)
                {
                    Subtract(episode, row, Math.Min(row + RowsAtOnce, rows.End.Value));
                }
            }
        }
    }

    /// <summary>Adds the transitions of the last <see cref="Subtract(ReadOnlySpan{Episode})"/> to the latest ones, and fits the model to them.</summary>
    public void Fit()
    {
        int added = newRewards.Count / teams;
        Span<float> x = CollectionsMarshal.AsSpan(newInputs), r = CollectionsMarshal.AsSpan(newRewards);
        for (int i = 0; i < added; i++)
        {
            x.Slice(i * width, width).CopyTo(inputs[next].Span);
            r.Slice(i * teams, teams).CopyTo(rewards[next].Span);
            (next, count) = ((next + 1) % Capacity, Math.Min(count + 1, Capacity));
        }
        statistics.Update(r);
        for (int update = 0; update < (added + StepsPerUpdate - 1) / StepsPerUpdate; update++)
        {
            Update();
        }
    }

    /// <summary>Saves or restores the complete state.</summary>
    public void Archive(IArchive archive)
    {
        archive.Tensor("parameters", parameters.Values);
        archive.Optimizer("optimizer", optimizer);
        archive.Statistics("statistics", statistics);
        archive.Tensor("inputs", inputs);
        archive.Tensor("rewards", rewards);
        archive.Value("count", ref count, 0, Capacity);
        archive.Value("next", ref next, 0, Capacity - 1);
        archive.Value("loss", ref loss);
        archive.Rng("sampling", ref sampling);
    }

    /// <summary>Keeps rows, which are transitions, and subtracts their baselines.</summary>
    private void Subtract(Episode episode, int begin, int end)
    {
        using (tape.NoGrad())
        {
            var x = tape.Scratch(new Shape(RowsAtOnce * agents * actions, width));
            int evaluated = 0;
            for (int row = begin; row < end; row++)
            {
                episode.ActionsAt(row).CopyTo(joint);
                Write(episode, row, Append(newInputs, width));
                var reward = Append(newRewards, teams);
                for (int agent = 0; agent < agents; agent++)
                {
                    reward[teamOf[agent]] = episode.RewardsAt(row)[agent];
                    var baseline = Baseline(row - begin, agent);
                    policy.Read(episode, row, agent, baseline);
                    for (int action = 0; action < actions; action++)
                    {
                        if (baseline[action] > 0)
                        {
                            joint[agent] = action;
                            Write(episode, row, x[evaluated++].Span);
                        }
                    }
                    joint[agent] = episode.ActionsAt(row)[agent];
                }
            }
            var r = network.Forward(tape.Detached(parameters), tape.Constant(x.Slice(0, evaluated))).Value;
            statistics.Denormalize(r, Epsilon);
            evaluated = 0;
            for (int row = begin; row < end; row++)
            {
                for (int agent = 0; agent < agents; agent++)
                {
                    foreach (float probability in Baseline(row - begin, agent))
                    {
                        episode.RewardsAt(row)[agent] -= probability > 0 ? probability * r[evaluated++].Span[teamOf[agent]] : 0f;
                    }
                }
            }
        }

        Span<float> Baseline(int row, int agent) => probabilities.AsSpan((row * agents + agent) * actions, actions);
    }

    /// <summary>Takes one step on a random sample of the latest transitions.</summary>
    private void Update()
    {
        using (tape.Step())
        {
            var (x, y) = (tape.Scratch(new Shape(BatchSize, width)), tape.Scratch(new Shape(BatchSize, teams)));
            for (int i = 0; i < BatchSize; i++)
            {
                int sample = sampling.NextInt(count);
                inputs[sample].CopyTo(x[i]);
                rewards[sample].CopyTo(y[i]);
            }
            statistics.Normalize(y, Epsilon);
            var error = (network.Forward(tape.Bind(parameters), tape.Constant(x)) - y).Square().Mean();
            tape.Backward(error);
            loss = error.Value.ToScalar();
        }
        optimizer.Step();
    }

    /// <summary>Writes [state or all observations, one-hot actions of <see cref="joint"/>].</summary>
    private void Write(Episode episode, int row, Span<float> input)
    {
        int size = width - agents * actions;
        var seen = spec.StateSize > 0 ? episode.State(row) : episode.Observations.Slice(row * size, size);
        seen.CopyTo(input);
        input[size..].Clear();
        for (int agent = 0; agent < agents; agent++)
        {
            input[size + agent * actions + joint[agent]] = 1f;
        }
    }

    private static Span<float> Append(List<float> list, int length)
    {
        CollectionsMarshal.SetCount(list, list.Count + length);
        return CollectionsMarshal.AsSpan(list)[^length..];
    }
}
