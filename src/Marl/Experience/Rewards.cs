using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>How recorded rewards are computed from the rewards of the environment.</summary>
public sealed record RewardOptions
{
    /// <summary>The reward mode.</summary>
    public RewardMode Mode { get; init; } = RewardMode.Natural;

    /// <summary>The default action of <see cref="RewardMode.Difference"/>, which replaces an agent's action; the first available action if it is not
    /// available.</summary>
    public int DefaultAction { get; init; }

    /// <summary>Whether a learned model predicts the rewards of the actions that replace an agent's, see <see cref="RewardMode.Difference"/>; otherwise the
    /// step is simulated again.</summary>
    public bool IsModeled { get; init; }

    /// <summary>Whether truncations are recorded as terminations, as in implementations that do not distinguish the two.</summary>
    public bool TerminateAtLimit { get; init; }
}

/// <summary>The properties of reward modes in an environment.</summary>
internal static class RewardModes
{
    /// <summary>Returns the mode, or that of the environment for <see cref="RewardMode.Natural"/>.</summary>
    public static RewardMode Of(this RewardMode mode, EnvironmentSpec spec) => mode == RewardMode.Natural ? spec.Reward : mode;

    /// <summary>Returns R, the number of reward streams: 1 if all agents are one team with a common reward, else N.</summary>
    public static int Streams(this RewardMode mode, EnvironmentSpec spec)
        => mode.Of(spec) == RewardMode.Individual || mode.IsDifference() || spec.Teams.Length > 1 ? spec.Agents.Length : 1;

    /// <summary>Returns whether rewards are differences from a baseline, see <see cref="BaselinePolicy"/>.</summary>
    internal static bool IsDifference(this RewardMode mode) => mode is RewardMode.Difference or RewardMode.Aristocratic;

    /// <summary>Returns the reward of a team, the sum or the mean of its agents' rewards.</summary>
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

    /// <summary>Merges the rewards of an episode, for learners that standardize rewards.</summary>
    internal static void UpdateRewards(this RunningStatistics statistics, Episode episode) => statistics.Update(episode, Column.Rewards);

    /// <summary>
    /// Standardizes the rewards of a batch: r = (r - mean) / standard deviation. If all rewards of a stream have been the same, r - mean would be 0 whatever the
    /// agents do, and a penalty per step would be lost: r = r / sqrt(mean^2 + variance), which is 1 or -1.
    /// </summary>
    internal static void StandardizeRewards(this RunningStatistics statistics, Tensor rewards) => statistics.Normalize(rewards, centersConstants: false);
}

/// <summary>Steps an environment and records rewards: individual rewards, team rewards or difference rewards.</summary>
internal sealed class RewardRecorder
{
    private readonly EnvironmentSpec spec;
    private readonly RewardMode mode;
    private readonly bool terminateAtLimit;
    private readonly int[] teams;
    private readonly double[] own;
    private readonly DifferenceRewards? difference;
    private readonly int streams;

    /// <summary>Creates a recorder.</summary>
    /// <exception cref="UsageException">The environment does not support the reward mode.</exception>
    public RewardRecorder(EnvironmentSpec spec, RewardOptions options)
    {
        (this.spec, mode, terminateAtLimit, teams) = (spec, options.Mode.Of(spec), options.TerminateAtLimit, spec.Teams);
        (own, streams) = (new double[spec.Agents.Length], options.Mode.Streams(spec));
        difference = mode.IsDifference() && !options.IsModeled ? new DifferenceRewards(new BaselinePolicy(spec, options)) : null;
    }

    /// <summary>[N] The reward of each agent in the last step.</summary>
    public ReadOnlySpan<double> Own => own;

    /// <summary>Prepares an episode that is about to be recorded.</summary>
    /// <exception cref="ArgumentException">The episode has another number of reward streams.</exception>
    public void Prepare(Episode episode)
    {
        if (episode.RewardStreams != streams)
        {
            throw new ArgumentException(
                $"the episode has {episode.RewardStreams} reward streams instead of {streams}, those of {spec.Id} with reward mode {mode}");
        }
        if (mode == RewardMode.Aristocratic)
        {
            episode.Add(Column.Policy);
        }
    }

    /// <summary>Takes the joint action of the current row, and records the rewards.</summary>
    /// <param name="environment">The environment.</param>
    /// <param name="episode">The episode; its current row has the actions.</param>
    /// <param name="returns">[teams] The returns, to which the rewards are added.</param>
    /// <param name="step">The number of the step, for errors.</param>
    /// <param name="rng">The random number generator of the environment.</param>
    /// <exception cref="EnvironmentException">A reward is NaN, infinite or too large for float32.</exception>
    public StepResult Step(IEnvironment environment, Episode episode, Span<double> returns, int step, ref Rng rng)
    {
        int row = episode.Length;
        difference?.Simulate(environment, episode, rng);
        var result = environment.Step(episode.JointAction(row), own, ref rng);
        for (int agent = 0; agent < own.Length; agent++)
        {
            RequireFinite(own[agent], "the reward of ", agent);
        }
        for (int team = 0; team < teams.Length; team++)
        {
            returns[team] += spec.TeamReward(own, teams[team], spec.Reward);
        }
        var recorded = episode.RewardsAt(row);
        for (int stream = 0; stream < streams; stream++)
        {
            int team = spec.Agents[stream].Team;
            double reward = difference is not null ? spec.TeamReward(own, team, spec.Reward) - difference.Baselines[stream]
                : mode == RewardMode.Individual ? own[stream]
                : spec.TeamReward(own, team, mode.IsDifference() ? spec.Reward : mode);
            RequireFinite(reward, "the recorded reward of ", stream);
            recorded[stream] = (float)reward;
        }
        return result;

        void RequireFinite(double reward, string what, int agent)
        {
            if (!float.IsFinite((float)reward))
            {
                throw EnvironmentException.NotFinite(spec, what, agent, reward, step);
            }
        }
    }

    /// <summary>Returns whether a step is recorded as a termination.</summary>
    /// <param name="result">The result of the step.</param>
    /// <param name="over">Whether the episode has ended.</param>
    public bool IsTerminal(StepResult result, bool over) => result == StepResult.Terminated || over && terminateAtLimit;
}

/// <summary>
/// The policies of an agent that difference rewards compare its action with. Difference rewards (Wolpert and Tumer 2002, "Optimal payoff functions for members
/// of collectives"; with policy gradients: Castellini et al. 2021) are the team's reward minus a baseline, which does not depend on the agent's action:
/// <code>
/// difference     D_a = r(s, u) - r(s, (c_a, u_-a))                 c_a: the default action, or the first available one
/// aristocratic   D_a = r(s, u) - sum_c pi_a(c) r(s, (c, u_-a))     pi_a: the behavior policy
/// </code>
/// r of other actions than those taken is simulated (<see cref="DifferenceRewards"/>) or predicted by a model.
/// </summary>
internal sealed class BaselinePolicy
{
    private readonly int defaultAction;
    private readonly bool aristocratic;

    /// <summary>Creates the baseline policies of an environment.</summary>
    /// <exception cref="UsageException">The default action is out of range, or actions are continuous or have several branches.</exception>
    public BaselinePolicy(EnvironmentSpec spec, RewardOptions options)
    {
        (Spec, defaultAction, aristocratic) = (spec, options.DefaultAction, options.Mode == RewardMode.Aristocratic);
        if (spec.ActionLayout is not { Branches: 1, VectorSize: 0 })
        {
            throw new UsageException(spec.ActionLayout.VectorSize > 0 ? $"difference rewards require discrete actions; those of {spec.Id} are continuous"
                : $"difference rewards require discrete actions of one branch; those of {spec.Id} have {spec.ActionLayout.Branches}; use reward=natural");
        }
        int minActions = spec.Agents.Min(agent => agent.ActionCount);
        UsageException.Require(aristocratic || defaultAction < minActions, defaultAction,
            $"in 0 .. {minActions - 1}, the actions of every agent of {spec.Id}", "DefaultAction");
    }

    /// <summary>The environment.</summary>
    public EnvironmentSpec Spec { get; }

    /// <summary>Writes the probabilities [A] of an agent's actions under its baseline policy.</summary>
    public void Read(Episode episode, int row, int agent, Span<float> probabilities)
    {
        if (aristocratic)
        {
            episode.Floats(Column.Policy).Row(row).Slice(agent * episode.ActionCount, episode.ActionCount).CopyTo(probabilities);
            return;
        }
        var available = episode.AvailableActions(row, agent);
        probabilities.Clear();
        probabilities[available[defaultAction] ? defaultAction : available.IndexOf(true)] = 1f;
    }
}

/// <summary>
/// The baselines of difference rewards by simulation. All steps begin in the same snapshot of the environment and use the same random numbers, so that they
/// differ only in the action.
/// </summary>
internal sealed class DifferenceRewards(BaselinePolicy policy)
{
    private readonly EnvironmentSpec spec = policy.Spec;
    private readonly double[] snapshot = new double[policy.Spec.SnapshotSize];
    private readonly double[] rewards = new double[policy.Spec.Agents.Length], baselines = new double[policy.Spec.Agents.Length];
    private readonly int[] joint = new int[policy.Spec.Agents.Length];
    private readonly float[] probabilities = new float[policy.Spec.ActionCount];

    /// <summary>[N] The baseline of each agent in the last simulation.</summary>
    public ReadOnlySpan<double> Baselines => baselines;

    /// <summary>Simulates the next step once for every alternative action of every agent. Restores the environment.</summary>
    /// <param name="environment">The environment.</param>
    /// <param name="episode">The episode; its current row has the joint action.</param>
    /// <param name="rng">A copy of the random number generator of the environment.</param>
    public void Simulate(IEnvironment environment, Episode episode, Rng rng)
    {
        int row = episode.Length;
        environment.Save(snapshot);
        for (int agent = 0; agent < joint.Length; agent++)
        {
            policy.Read(episode, row, agent, probabilities);
            episode.ActionsAt(row).CopyTo(joint);
            baselines[agent] = 0;
            for (int action = 0; action < probabilities.Length; action++)
            {
                if (probabilities[action] > 0)
                {
                    joint[agent] = action;
                    baselines[agent] += probabilities[action] * RewardOf(agent);
                }
            }
        }

        // Returns r(s, joint) of the agent's team.
        double RewardOf(int agent)
        {
            var copy = rng;
            environment.Step(joint, rewards, ref copy);
            environment.Restore(snapshot);
            return spec.TeamReward(rewards, spec.Agents[agent].Team, spec.Reward);
        }
    }
}
