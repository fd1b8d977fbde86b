namespace Marl.Native.Rl;

/// <summary>
/// One episode as it was lived: rows 0 .. Length hold what was seen, rows 0 .. Length - 1 what was done and earned; row Length of the actions is what would
/// have been done next, for learners that ask for it (<see cref="ILearner.NeedsNextAction"/>). Environments write straight into it. Agents that see or can do less than others are padded here and nowhere else: with zeros, and with unavailable actions.
/// </summary>
public sealed class Episode
{
    private readonly EnvironmentSpec spec;
    private readonly RewardMode rewardMode;
    private readonly bool terminateAtLimit;
    private readonly int[] teams;
    private readonly DifferenceRewards? difference;

    /// <summary>Room for an episode of <paramref name="spec"/>.</summary>
    /// <param name="spec">the environment.</param>
    /// <param name="rewardMode">what is recorded of the agents' rewards.</param>
    /// <param name="terminateAtLimit">records a truncation as a termination, as some peers do.</param>
    /// <param name="defaultAction">what an agent does that is not there, for <see cref="RewardMode.Difference"/>.</param>
    public Episode(EnvironmentSpec spec, RewardMode rewardMode = RewardMode.Natural, bool terminateAtLimit = false, int defaultAction = 0)
    {
        (this.spec, this.rewardMode, this.terminateAtLimit) = (spec, rewardMode.Of(spec), terminateAtLimit);
        (Agents, ObservationSize, ActionCount, StateSize) = (spec.Agents.Length, spec.ObservationSize, spec.ActionCount, spec.StateSize);
        RewardStreams = rewardMode.Streams(spec);
        teams = spec.Teams;
        TeamReturns = new double[teams.Length];
        if (this.rewardMode.IsDifference())
        {
            difference = new DifferenceRewards(spec, this.rewardMode, defaultAction);
            Policy = this.rewardMode == RewardMode.Aristocratic ? new float[Agents * ActionCount] : [];
        }
        int rows = spec.EpisodeLimit + 1;
        Observations = new float[rows * Agents * ObservationSize];
        States = new float[rows * StateSize];
        Available = new bool[rows * Agents * ActionCount];
        Actions = new int[rows * Agents];
        Vectors = spec.IsContinuous ? new float[rows * Agents * ActionCount] : [];
        Probabilities = new float[rows * Agents];
        Members = new int[Agents];
        Rewards = new float[spec.EpisodeLimit * RewardStreams];
    }

    /// <summary>N</summary>
    public int Agents { get; }

    /// <summary>O, the longest observation.</summary>
    public int ObservationSize { get; }

    /// <summary>A, the most actions, or numbers of an action.</summary>
    public int ActionCount { get; }

    /// <summary>S</summary>
    public int StateSize { get; }

    /// <summary>R: 1 for a common reward of all, N where each agent has its own or its team's.</summary>
    public int RewardStreams { get; }

    /// <summary>Steps taken.</summary>
    public int Length { get; set; }

    /// <summary>Whether it has ended, one way or the other.</summary>
    public bool Over { get; private set; }

    /// <summary>Whether it came to its own end; otherwise it was cut off and its last state has a value.</summary>
    public bool Terminated { get; set; }

    /// <summary>When in training it was played.</summary>
    public Fingerprint Fingerprint { get; set; }

    /// <summary>What a learner makes of it; none until one has looked at it.</summary>
    public Estimates? Estimates { get; set; }

    /// <summary>[teams, in the order of <see cref="EnvironmentSpec.Teams"/>] the sum of a team's rewards: of its agents' or, where the environment
    /// says so, of their mean.</summary>
    public double[] TeamReturns { get; }

    /// <summary>Where else it is, in its <see cref="Place"/>; none: only here.</summary>
    internal EpisodeMemory? Memory { get; set; }

    /// <inheritdoc cref="Memory"/>
    internal int Place { get; set; }

    /// <summary>The teams' returns together.</summary>
    public double Return => TeamReturns.Sum();

    /// <summary>[limit + 1, N, O]</summary>
    public float[] Observations { get; }

    /// <summary>[limit + 1, S]</summary>
    public float[] States { get; }

    /// <summary>[limit + 1, N, A]</summary>
    public bool[] Available { get; }

    /// <summary>[limit + 1, N] the indices of what was done; 0 where actions are numbers.</summary>
    public int[] Actions { get; }

    /// <summary>[limit + 1, N, A] what was done where actions are numbers; else empty.</summary>
    public float[] Vectors { get; }

    /// <summary>[limit + 1, N] the probability with which each action was chosen.</summary>
    public float[] Probabilities { get; }

    /// <summary>[N, A] what the present joint action was drawn from, where rewards ask for it; else empty.</summary>
    public float[] Policy { get; } = [];

    /// <summary>[limit, R]</summary>
    public float[] Rewards { get; }

    /// <summary>[N] which member of its ensemble of policies each agent played; 0 where there is but one.</summary>
    public int[] Members { get; }

    /// <summary>What agent saw at a row, [O].</summary>
    public Span<float> Observation(int row, int agent) => Observations.AsSpan((row * Agents + agent) * ObservationSize, ObservationSize);

    /// <summary>What agent could do at a row, [A].</summary>
    public Span<bool> AvailableTo(int row, int agent) => Available.AsSpan((row * Agents + agent) * ActionCount, ActionCount);

    /// <summary>The indices of what all agents did at a row, [N].</summary>
    public Span<int> Choices(int row) => Actions.AsSpan(row * Agents, Agents);

    /// <summary>The numbers of what an agent did at a row, [A].</summary>
    public Span<float> Vector(int row, int agent) => Vectors.AsSpan((row * Agents + agent) * ActionCount, ActionCount);

    /// <summary>What all agents did at a row.</summary>
    public JointAction JointAction(int row) => Vectors.Length == 0 ? Choices(row)
        : Rl.JointAction.Create(Vectors.AsSpan(row * Agents * ActionCount, Agents * ActionCount), ActionCount);

    /// <summary>Draws the member of its ensemble that each agent plays in this episode (Lowe et al. 2017, section 4.3).</summary>
    /// <param name="members">K; of one, nothing is drawn.</param>
    /// <param name="rng">chance.</param>
    public void Cast(int members, ref Rng rng)
    {
        for (int agent = 0; agent < Agents; agent++)
        {
            Members[agent] = members > 1 ? rng.NextInt(members) : 0;
        }
    }

    /// <summary>How many actions an agent had, or numbers of actions, over all steps.</summary>
    public int ChoicesOf(int agent)
    {
        int count = 0;
        for (int row = 0; row < Length; row++)
        {
            count += AvailableTo(row, agent).Count(true);
        }
        return count;
    }

    /// <summary>Makes a joint action that of the present row.</summary>
    public void Do(JointAction actions)
    {
        for (int agent = 0; agent < Agents; agent++)
        {
            Do(agent, actions);
        }
    }

    /// <summary>An agent does in the present row what it does in a joint action.</summary>
    public void Do(int agent, JointAction actions)
    {
        if (Vectors.Length == 0)
        {
            Choices(Length)[agent] = actions[agent];
            return;
        }
        actions.Vector(agent).CopyTo(Vector(Length, agent));
    }

    /// <summary>Begins with the first row of an environment that was just reset.</summary>
    public void Begin(IEnvironment environment)
    {
        (Length, Terminated, Over) = (0, false, false);
        TeamReturns.AsSpan().Clear();
        See(environment);
    }

    /// <summary>Takes the joint action of the present row in the environment and records what came of it.</summary>
    /// <returns>whether the episode goes on.</returns>
    public bool Step(IEnvironment environment, Span<double> rewards, ref Rng rng)
    {
        difference?.Simulate(environment, this, rng);
        var result = environment.Step(JointAction(Length), rewards, ref rng);
        for (int team = 0; team < teams.Length; team++)
        {
            TeamReturns[team] += spec.TeamReward(rewards, teams[team], spec.Reward);
        }
        for (int stream = 0; stream < RewardStreams; stream++)
        {
            int team = spec.Agents[stream].Team;
            double reward = difference is not null ? spec.TeamReward(rewards, team, spec.Reward) - difference.Without[stream]
                : rewardMode == RewardMode.Individual ? rewards[stream]
                : spec.TeamReward(rewards, team, rewardMode);
            Rewards[Length * RewardStreams + stream] = (float)reward;
        }
        Length++;
        Over = result != StepResult.Running || Length == spec.EpisodeLimit;
        Terminated = result == StepResult.Terminated || Over && terminateAtLimit;
        See(environment);
        if (Over)
        {
            Choices(Length).Clear();
        }
        return !Over;
    }

    private void See(IEnvironment environment)
    {
        for (int agent = 0; agent < Agents; agent++)
        {
            var size = spec.Agents[agent];
            var observation = Observation(Length, agent);
            var available = AvailableTo(Length, agent);
            environment.Observe(agent, observation[..size.Observation]);
            observation[size.Observation..].Clear();
            environment.ReadAvailable(agent, available[..size.Actions]);
            available[size.Actions..].Clear();
        }
        if (StateSize > 0)
        {
            environment.ReadState(States.AsSpan(Length * StateSize, StateSize));
        }
    }
}

/// <summary>What agents are rewarded with.</summary>
[System.Text.Json.Serialization.JsonConverter(typeof(WordConverter<RewardMode>))]
public enum RewardMode
{
    /// <summary>As the environment says, see <see cref="EnvironmentSpec.Reward"/>.</summary>
    Natural,
    /// <summary>Everyone gets the sum of its team's rewards.</summary>
    Sum,
    /// <summary>Everyone gets the mean of its team's rewards.</summary>
    Mean,
    /// <summary>Everyone gets its own.</summary>
    Individual,
    /// <summary>Everyone gets what its team's reward would have lacked had it done the default action (Wolpert and Tumer 2002).</summary>
    Difference,
    /// <summary>Everyone gets by how much its team's reward was better than what was to be expected of its own policy, the others doing what they did:
    /// the aristocratic utility (Wolpert and Tumer 2002).</summary>
    Aristocratic,
}

/// <summary>What a mode means in an environment.</summary>
public static class RewardModes
{
    /// <summary>The mode itself, or the environment's if it is to decide.</summary>
    public static RewardMode Of(this RewardMode mode, EnvironmentSpec spec) => mode == RewardMode.Natural ? spec.Reward : mode;

    /// <summary>R, the number of reward streams: 1 where all agents are one team with a common reward, else N.</summary>
    public static int Streams(this RewardMode mode, EnvironmentSpec spec)
        => mode.Of(spec) == RewardMode.Individual || mode.IsDifference() || spec.Teams.Length > 1 ? spec.Agents.Length : 1;

    /// <summary>Whether steps have to be simulated for it, see <see cref="DifferenceRewards"/>.</summary>
    internal static bool IsDifference(this RewardMode mode) => mode is RewardMode.Difference or RewardMode.Aristocratic;

    /// <summary>What a team as a whole earned by a step, the sum of its agents' rewards or their mean.</summary>
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
}
