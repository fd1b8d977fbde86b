namespace Marl.Native.Rl;

/// <summary>
/// What each agent's team would have earned without the agent's own choice, the others doing what they did (Wolpert and Tumer 2002, "Optimal payoff functions
/// for members of collectives"; with policy gradients: Castellini et al. 2021). The agent's reward is r(s, u) less that:
/// <code>
/// difference     D_a = r(s, u) - r(s, (c_a, u_-a))                 c_a the default action, or the first available where that is not
/// aristocratic   D_a = r(s, u) - sum_c pi_a(c) r(s, (c, u_-a))     over the policy that the agent acts by
/// </code>
/// Every r is of a step from one snapshot of the environment with one stream of chance, so that nothing differs but the action.
/// </summary>
internal sealed class DifferenceRewards
{
    private readonly EnvironmentSpec spec;
    private readonly int defaultAction;
    private readonly bool aristocratic;
    private readonly double[] snapshot, rewards, without;
    private readonly int[] joint;

    /// <exception cref="UsageException">an agent has no such default action, or actions are numbers.</exception>
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

    /// <summary>[N] the part of a team's reward that is none of the agent's doing, as last simulated.</summary>
    public ReadOnlySpan<double> Without => without;

    /// <summary>Simulates the step that is about to be taken, once for every alternative of every agent. The environment is left as it was.</summary>
    /// <param name="environment">before the step.</param>
    /// <param name="episode">holds the joint action.</param>
    /// <param name="rng">the chance of the real step; a copy.</param>
    public void Simulate(IEnvironment environment, Episode episode, Rng rng)
    {
        environment.Save(snapshot);
        for (int agent = 0; agent < joint.Length; agent++)
        {
            var available = episode.AvailableTo(episode.Length, agent);
            episode.Choices(episode.Length).CopyTo(joint);
            without[agent] = 0;
            if (!aristocratic)
            {
                joint[agent] = available[defaultAction] ? defaultAction : available.IndexOf(true);
                without[agent] = RewardOf(agent);
                continue;
            }
            for (int action = 0; action < available.Length; action++)
            {
                float probability = episode.Policy[agent * episode.ActionCount + action];
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
