using Marl.Native.Rl;

namespace Marl.Native.Tests;

/// <summary>
/// The identity game for agents whose actions have different parts: each agent observes a symbol for each branch, one-hot, and a point for each element of its
/// vector, and repeats them; the reward is the mean over its parts. In every branch with more than two choices one wrong choice is not available. It throws if
/// an action is not available, or out of bounds.
/// </summary>
/// <param name="agents">The agents; their observation has one element per choice and point.</param>
internal sealed class PartsGame(params AgentSpec[] agents) : IEnvironment
{
    public const int Steps = 4;

    // The right choices and points of all agents, and the choices that are blocked; -1: none.
    private readonly double[] targets = new double[agents.Sum(agent => agent.BranchCount + agent.VectorSize)];
    private readonly int[] blocked = new int[agents.Sum(agent => agent.BranchCount)];
    private readonly int[] firstPart = [.. agents.Select((_, i) => agents.Take(i).Sum(before => before.BranchCount + before.VectorSize))];
    private readonly int[] firstBranch = [.. agents.Select((_, i) => agents.Take(i).Sum(before => before.BranchCount))];
    private int step;

    /// <summary>Agents with two branches, a single one of two choices, and three branches.</summary>
    public static AgentSpec[] Discrete => [Of([2, 3]), Of([4]), Of([3, 1, 2])];

    /// <summary>Agents with branches and a vector, branches only, one index, and a vector only.</summary>
    public static AgentSpec[] Hybrid => [Of([3, 2], 2), Of([2, 4]), Of([3]), Of([], 1)];

    public static AgentSpec Of(int[] branches, int vector = 0, int team = 0)
        => new(branches.Sum() + vector, branches, vector, team, vector > 0 ? new ActionBox(-1, 1) : null);

    public EnvironmentSpec Spec { get; } = new()
    {
        Id = "parts",
        Agents = agents,
        StateSize = agents.Sum(agent => agent.ObservationSize),
        Reward = RewardMode.Mean,
        EpisodeLimit = Steps,
        SnapshotSize = 1 + agents.Sum(agent => 2 * agent.BranchCount + agent.VectorSize),
    };

    public void Reset(ref Rng rng)
    {
        step = 0;
        Draw(ref rng);
    }

    public StepResult Step(JointAction actions, Span<double> rewards, ref Rng rng)
    {
        int part = 0, own = 0;
        for (int agent = 0; agent < agents.Length; agent++)
        {
            var size = agents[agent];
            rewards[agent] = 0;
            for (int branch = 0; branch < size.BranchCount; branch++, own++)
            {
                int choice = actions.Branches(agent)[branch];
                if (choice < 0 || choice >= size.BranchSize(branch) || choice == blocked[own])
                {
                    throw new InvalidOperationException($"agent {agent} cannot choose {choice} in branch {branch}");
                }
                rewards[agent] += choice == targets[part++] ? 1 : 0;
            }
            for (int element = 0; element < size.VectorSize; element++)
            {
                float x = actions.Vector(agent)[element];
                if (x is not (>= -1 and <= 1))
                {
                    throw new InvalidOperationException($"agent {agent} cannot name {x}");
                }
                rewards[agent] += 1 - Math.Abs(x - targets[part++]);
            }
            rewards[agent] /= size.BranchCount + size.VectorSize;
        }
        Draw(ref rng);
        return ++step == Steps ? StepResult.Terminated : StepResult.Running;
    }

    public void Observe(int agent, Span<float> observation)
    {
        observation.Clear();
        var size = agents[agent];
        var own = targets.AsSpan(firstPart[agent]);
        int at = 0;
        for (int branch = 0; branch < size.BranchCount; at += size.BranchSize(branch++))
        {
            observation[at + (int)own[branch]] = 1f;
        }
        for (int element = 0; element < size.VectorSize; element++)
        {
            observation[at + element] = (float)own[size.BranchCount + element];
        }
    }

    public void ReadAvailable(int agent, Span<bool> available)
    {
        available.Fill(true);
        int own = firstBranch[agent], at = 0;
        for (int branch = 0; branch < agents[agent].BranchCount; at += agents[agent].BranchSize(branch++))
        {
            if (blocked[own + branch] >= 0)
            {
                available[at + blocked[own + branch]] = false;
            }
        }
    }

    public void Save(Span<double> snapshot)
    {
        snapshot[0] = step;
        targets.CopyTo(snapshot[1..]);
        for (int i = 0; i < blocked.Length; i++)
        {
            snapshot[1 + targets.Length + i] = blocked[i];
        }
    }

    public void Restore(ReadOnlySpan<double> snapshot)
    {
        step = (int)snapshot[0];
        snapshot.Slice(1, targets.Length).CopyTo(targets);
        for (int i = 0; i < blocked.Length; i++)
        {
            blocked[i] = (int)snapshot[1 + targets.Length + i];
        }
    }

    private void Draw(ref Rng rng)
    {
        int part = 0, own = 0;
        foreach (var agent in agents)
        {
            for (int branch = 0; branch < agent.BranchCount; branch++)
            {
                int count = agent.BranchSize(branch), right = rng.NextInt(count);
                targets[part++] = right;
                blocked[own++] = count > 2 ? (right + 1 + rng.NextInt(count - 1)) % count : -1;
            }
            for (int element = 0; element < agent.VectorSize; element++)
            {
                targets[part++] = rng.NextSingle(-1f, 1f);
            }
        }
    }
}
