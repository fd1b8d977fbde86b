using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>From the rewards that an environment gives each agent to those that an episode records.</summary>
public sealed record RewardOptions
{
    /// <summary>What agents are rewarded with.</summary>
    public RewardMode Mode { get; init; } = RewardMode.Natural;

    /// <summary>With <see cref="RewardMode.Difference"/>: the action that takes the place of an agent's own; the first available one where that is not.</summary>
    public int DefaultAction { get; init; }

    /// <summary>Whether a truncation is recorded as a termination, as in peers that do not tell the two apart.</summary>
    public bool TerminateAtLimit { get; init; }
}

/// <summary>What a mode means in an environment.</summary>
internal static class RewardModes
{
    /// <summary>The mode itself, or the environment's if it is to decide.</summary>
    public static RewardMode Of(this RewardMode mode, EnvironmentSpec spec) => mode == RewardMode.Natural ? spec.Reward : mode;

    /// <summary>R, the number of reward streams: 1 where all agents are one team with a common reward, else N.</summary>
    public static int Streams(this RewardMode mode, EnvironmentSpec spec)
        => mode.Of(spec) == RewardMode.Individual || mode.IsDifference() || spec.Teams.Length > 1 ? spec.Agents.Length : 1;

    /// <summary>Whether steps have to be simulated for it, see <see cref="DifferenceRewards"/>.</summary>
    internal static bool IsDifference(this RewardMode mode) => mode is RewardMode.Difference or RewardMode.Aristocratic;

    /// <summary>The reward of a team as a whole, the sum of its agents' rewards or their mean.</summary>
    internal static double TeamReward(this EnvironmentSpec spec, ReadOnlySpan<double> rewards, int team, RewardMode mode)
    {
        double sum = 0;
        int members = 0;
        for (int agent = 0; agent < rewards.Length; agent++)
        {
            if (spec.Agents[agent].Team == team)
            {
                (sum, members) = (sum + rewards[agent], members + 1);
            }
        }
        return mode == RewardMode.Mean ? sum / members : sum;
    }

    /// <summary>Where the learner standardizes rewards: merges those of an episode. Batches then hold (r - mean) / standard deviation of all that was merged.</summary>
    internal static void UpdateRewards(this RunningStatistics statistics, Episode episode) => statistics.Update(episode, Column.Rewards);

    /// <inheritdoc cref="UpdateRewards"/>
    internal static void StandardizeRewards(this RunningStatistics statistics, Tensor rewards) => statistics.Normalize(rewards);
}

/// <summary>Steps an environment and records rewards: of each agent, of its team, or differences to what others would have given.</summary>
internal sealed class RewardRecorder
{
    private readonly EnvironmentSpec spec;
    private readonly RewardMode mode;
    private readonly bool terminateAtLimit;
    private readonly int[] teams;
    private readonly double[] own;
    private readonly DifferenceRewards? difference;
    private readonly int streams;

    /// <exception cref="UsageException">the environment has no such rewards.</exception>
    public RewardRecorder(EnvironmentSpec spec, RewardOptions options)
    {
        (this.spec, mode, terminateAtLimit, teams) = (spec, options.Mode.Of(spec), options.TerminateAtLimit, spec.Teams);
        (own, streams) = (new double[spec.Agents.Length], options.Mode.Streams(spec));
        difference = mode.IsDifference() ? new DifferenceRewards(spec, mode, options.DefaultAction) : null;
    }

    /// <summary>[N] each agent's own reward of the last step.</summary>
    public ReadOnlySpan<double> Own => own;

    /// <summary>An episode is about to be recorded.</summary>
    /// <exception cref="ArgumentException">it has room for other rewards.</exception>
    public void Prepare(Episode episode)
    {
        if (episode.RewardStreams != streams)
        {
            throw new ArgumentException($"an episode with {episode.RewardStreams} reward streams cannot hold the {streams} of {spec.Id} with reward {mode}");
        }
        if (mode == RewardMode.Aristocratic)
        {
            episode.Add(Column.Policy);
        }
    }

    /// <summary>Takes the joint action of the present row, and records its rewards.</summary>
    /// <param name="environment">before the step.</param>
    /// <param name="episode">its present row has the actions.</param>
    /// <param name="returns">[teams] sums to add to.</param>
    /// <param name="rng">random numbers of the environment.</param>
    public StepResult Step(IEnvironment environment, Episode episode, Span<double> returns, ref Rng rng)
    {
        int row = episode.Length;
        difference?.Simulate(environment, episode, rng);
        var result = environment.Step(episode.JointAction(row), own, ref rng);
        for (int team = 0; team < teams.Length; team++)
        {
            returns[team] += spec.TeamReward(own, teams[team], spec.Reward);
        }
        var recorded = episode.RewardsAt(row);
        for (int stream = 0; stream < streams; stream++)
        {
            int team = spec.Agents[stream].Team;
            double reward = difference is not null ? spec.TeamReward(own, team, spec.Reward) - difference.Without[stream]
                : mode == RewardMode.Individual ? own[stream]
                : spec.TeamReward(own, team, mode);
            recorded[stream] = (float)reward;
        }
        return result;
    }

    /// <summary>Whether nothing after a step has a value.</summary>
    /// <param name="result">of the step.</param>
    /// <param name="over">whether the episode has ended.</param>
    public bool IsTerminal(StepResult result, bool over) => result == StepResult.Terminated || over && terminateAtLimit;
}

/// <summary>
/// What each agent's team would have earned without the agent's own action, the others' actions being the same (Wolpert and Tumer 2002, "Optimal payoff functions
/// for members of collectives"; with policy gradients: Castellini et al. 2021). The agent's reward is r(s, u) less that:
/// <code>
/// difference     D_a = r(s, u) - r(s, (c_a, u_-a))                 c_a the default action, or the first available where that is not
/// aristocratic   D_a = r(s, u) - sum_c pi_a(c) r(s, (c, u_-a))     over the policy that the agent acts by
/// </code>
/// Every r is of a step from one snapshot of the environment with the same random numbers, so that nothing differs but the action.
/// </summary>
internal sealed class DifferenceRewards
{
    private readonly EnvironmentSpec spec;
    private readonly int defaultAction;
    private readonly bool aristocratic;
    private readonly double[] snapshot, rewards, without;
    private readonly int[] joint;

    /// <exception cref="UsageException">an agent has no such default action, or actions are continuous.</exception>
    public DifferenceRewards(EnvironmentSpec spec, RewardMode mode, int defaultAction)
    {
        (this.spec, this.defaultAction, aristocratic) = (spec, defaultAction, mode == RewardMode.Aristocratic);
        if (spec.IsContinuous)
        {
            throw new UsageException($"difference rewards ask what another action would have earned; the actions of {spec.Id} are numbers and cannot be gone through");
        }
        int least = spec.Agents.Min(agent => agent.Actions);
        UsageException.Require(aristocratic || defaultAction < least, defaultAction, $"in 0 .. {least - 1}, the actions of every agent of {spec.Id}", "DefaultAction");
        (snapshot, rewards, without) = (new double[spec.SnapshotSize], new double[spec.Agents.Length], new double[spec.Agents.Length]);
        joint = new int[spec.Agents.Length];
    }

    /// <summary>[N] the part of a team's reward that does not depend on the agent, as last simulated.</summary>
    public ReadOnlySpan<double> Without => without;

    /// <summary>Simulates the step that is about to be taken, once for every alternative of every agent. The environment is left as it was.</summary>
    /// <param name="environment">before the step.</param>
    /// <param name="episode">holds the joint action.</param>
    /// <param name="rng">the random numbers of the real step; a copy.</param>
    public void Simulate(IEnvironment environment, Episode episode, Rng rng)
    {
        int row = episode.Length;
        var policy = aristocratic ? episode.Floats(Column.Policy).Row(row) : default;
        environment.Save(snapshot);
        for (int agent = 0; agent < joint.Length; agent++)
        {
            var available = episode.AvailableTo(row, agent);
            episode.Choices(row).CopyTo(joint);
            without[agent] = 0;
            if (!aristocratic)
            {
                joint[agent] = available[defaultAction] ? defaultAction : available.IndexOf(true);
                without[agent] = RewardOf(agent);
                continue;
            }
            for (int action = 0; action < available.Length; action++)
            {
                float probability = policy[agent * episode.ActionCount + action];
                if (probability > 0)
                {
                    joint[agent] = action;
                    without[agent] += probability * RewardOf(agent);
                }
            }
        }

        // r(s, joint) of the agent's team.
        double RewardOf(int agent)
        {
            var same = rng;
            environment.Step(joint, rewards, ref same);
            environment.Restore(snapshot);
            return spec.TeamReward(rewards, spec.Agents[agent].Team, spec.Reward);
        }
    }
}
