using System.Globalization;

namespace Marl.Native.Rl;

/// <summary>
/// A repeated matrix (normal-form) game: the joint action of each step picks every agent's payoff. There is nothing to see, so an
/// observation is N zeros, as in the matrix-games package; as a rule truncated after the last step. Each agent receives its full payoff.
/// </summary>
public sealed partial class MatrixGame : IEnvironment
{
    /// <summary>The usual number of steps.</summary>
    public const int DefaultSteps = 25;

    private readonly double[][] payoffs;
    private readonly AgentSpec[] agents;
    private readonly StepResult end;
    private int step;
    // The joint action of the last step, row-major over the agents; null at the start of an episode and after Restore.
    private int? chosen;

    /// <summary>A game with its payoffs.</summary>
    /// <param name="id">what <see cref="EnvironmentSpec.Id"/> shall be.</param>
    /// <param name="actions">[N] each agent's number of actions.</param>
    /// <param name="payoffs">a tensor [actions of agent 0, actions of agent 1, ...], row-major, for each agent, or one for all.</param>
    /// <param name="steps">length of an episode.</param>
    /// <param name="end">what the last step of an episode is: truncated, or terminated where nothing would follow.</param>
    /// <exception cref="ArgumentException">the numbers of agents, actions and payoffs do not fit together.</exception>
    public MatrixGame(string id, ReadOnlySpan<int> actions, double[][] payoffs, int steps = DefaultSteps, StepResult end = StepResult.Truncated)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(steps);
        int agents = actions.Length, cells = 1;
        foreach (int count in actions)
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count, nameof(actions));
            cells = checked(cells * count);
        }
        if (agents == 0 || (payoffs.Length != 1 && payoffs.Length != agents))
        {
            throw new ArgumentException($"{agents} agents need a payoff tensor each or one for all, not {payoffs.Length}", nameof(payoffs));
        }

        this.end = end;
        this.payoffs = new double[agents][];
        this.agents = new AgentSpec[agents];
        for (int agent = 0; agent < agents; agent++)
        {
            double[] payoff = payoffs[payoffs.Length == 1 ? 0 : agent];
            if (payoff.Length != cells)
            {
                throw new ArgumentException($"a payoff tensor has {payoff.Length} numbers; there are {cells} joint actions", nameof(payoffs));
            }

            this.payoffs[agent] = payoff;
            this.agents[agent] = new AgentSpec(agents, actions[agent]);
        }
        Spec = new()
        {
            Id = id,
            Agents = this.agents,
            StateSize = agents * agents,
            EpisodeLimit = steps,
            Reward = payoffs.Length == 1 ? RewardMode.Mean : RewardMode.Sum,
            SnapshotSize = 1,
        };
    }

    /// <inheritdoc/>
    public EnvironmentSpec Spec { get; }

    /// <summary>The climbing game (Claus and Boutilier 1998): 11 for (0, 0), but -30 if one agent strays to action 1.</summary>
    public static MatrixGame Climbing(int steps = DefaultSteps)
        => new(WithSteps("climbing", steps), [3, 3], [[11, -30, 0, -30, 7, 0, 0, 6, 5]], steps);

    /// <summary>The penalty game (Claus and Boutilier 1998): 10 for (0, 2) and (2, 0), -<paramref name="k"/> for (0, 0) and (2, 2), and a
    /// safe 2 for (1, 1).</summary>
    public static MatrixGame Penalty(double k, int steps = DefaultSteps)
        => new(WithSteps(string.Create(CultureInfo.InvariantCulture, $"penalty-{k}"), steps), [3, 3], [[0 - k, 0, 10, 0, 2, 0, 10, 0, 0 - k]], steps);

    /// <summary>The game of QTRAN (Son et al. 2019, table 1a): 8 for (0, 0), -12 if only one agent strays from it, 0 if both do. It is over after a
    /// single step.</summary>
    public static MatrixGame Qtran() => new("qtran-game", [3, 3], [[8, -12, -12, -12, 0, 0, -12, 0, 0]], steps: 1, StepResult.Terminated);

    internal static IEnvironment? TryCreate(EnvironmentId id)
    {
        const string penalty = "penalty-";
        if (id.Name == "qtran-game")
        {
            id.EnsureAllRead(hasLayout: false);
            return Qtran();
        }
        if (id.Name != "climbing" && id.Name != "matrix" && !id.Name.StartsWith(penalty, StringComparison.Ordinal))
        {
            return null;
        }

        int? steps = id.Integer("steps");
        id.EnsureAllRead(hasLayout: id.Name == "matrix");
        if (id.Name == "matrix")
        {
            return MatrixGameFile.Read(id, steps);
        }

        if (id.Name == "climbing")
        {
            return Climbing(steps ?? DefaultSteps);
        }

        return EnvironmentId.TryNumber(id.Name[penalty.Length..], out double k)
            ? Penalty(k, steps ?? DefaultSteps)
            : throw id.Error($"'{id.Name[penalty.Length..]}' is not a penalty; an id is for example penalty-100");
    }

    /// <inheritdoc/>
    public void Reset(ref Rng rng) => (step, chosen) = (0, null);

    /// <inheritdoc/>
    public StepResult Step(JointAction actions, Span<double> rewards, ref Rng rng)
    {
        int cell = 0;
        for (int agent = 0; agent < agents.Length; agent++)
        {
            cell = cell * agents[agent].Actions + actions[agent];
        }

        for (int agent = 0; agent < agents.Length; agent++)
        {
            rewards[agent] = payoffs[agent][cell];
        }

        chosen = cell;
        return ++step >= Spec.EpisodeLimit ? end : StepResult.Running;
    }

    /// <inheritdoc/>
    public void Observe(int agent, Span<float> observation) => observation.Clear();

    /// <inheritdoc/>
    public void Save(Span<double> snapshot) => snapshot[0] = step;

    /// <inheritdoc/>
    public void Restore(ReadOnlySpan<double> snapshot) => (step, chosen) = ((int)snapshot[0], null);

    private static string WithSteps(string name, int steps) => steps == DefaultSteps ? name : $"{name}?steps={steps}";
}
