using System.Globalization;

namespace Marl.Native.Rl;

/// <summary>
/// A repeated matrix game (normal-form game): the joint action of each step selects every agent's payoff. Observations are N zeros, as in the matrix-games
/// package. Each agent receives its full payoff. By default truncated after the last step.
/// </summary>
/// <example>
/// A prisoner's dilemma with one payoff tensor per agent:
/// <code>
/// var game = new MatrixGame("dilemma", [2, 2], [[-1, -3, 0, -2], [-1, 0, -3, -2]], steps: 10);
/// var result = Trainer.Train(new IqlOptions(), () => new MatrixGame("dilemma", [2, 2], [[-1, -3, 0, -2], [-1, 0, -3, -2]]), new() { Steps = 10_000 });
/// </code>
/// </example>
public sealed class MatrixGame : IEnvironment
{
    /// <summary>The default number of steps.</summary>
    public const int DefaultSteps = 25;

    private readonly double[][] payoffs;
    private readonly AgentSpec[] agents;
    private readonly StepResult end;
    private int step;

    /// <summary>Creates a game.</summary>
    /// <param name="id">The <see cref="EnvironmentSpec.Id"/>.</param>
    /// <param name="actions">[N] The number of actions of each agent.</param>
    /// <param name="payoffs">A row-major tensor [actions of agent 0, actions of agent 1, ..] for each agent, or one for all agents.</param>
    /// <param name="steps">The length of an episode.</param>
    /// <param name="end">The result of the last step: truncated or terminated.</param>
    /// <exception cref="ArgumentException">The numbers of agents, actions and payoffs do not match.</exception>
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
            throw new ArgumentException($"{agents} agents require one payoff tensor each or one for all, not {payoffs.Length}", nameof(payoffs));
        }

        this.end = end;
        this.payoffs = new double[agents][];
        this.agents = new AgentSpec[agents];
        for (int agent = 0; agent < agents; agent++)
        {
            double[] payoff = payoffs[payoffs.Length == 1 ? 0 : agent];
            if (payoff.Length != cells)
            {
                throw new ArgumentException($"a payoff tensor has {payoff.Length} elements, but there are {cells} joint actions", nameof(payoffs));
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

    /// <summary>Creates the climbing game (Claus and Boutilier 1998): payoff 11 for (0, 0), but -30 if one agent deviates to action 1.</summary>
    public static MatrixGame Climbing(int steps = DefaultSteps)
        => new(WithSteps("climbing", steps), [3, 3], [[11, -30, 0, -30, 7, 0, 0, 6, 5]], steps);

    /// <summary>Creates the penalty game (Claus and Boutilier 1998): payoff 10 for (0, 2) and (2, 0), -<paramref name="k"/> for (0, 0) and (2, 2), and
    /// 2 for (1, 1).</summary>
    public static MatrixGame Penalty(double k, int steps = DefaultSteps)
        => new(WithSteps(string.Create(CultureInfo.InvariantCulture, $"penalty-{k}"), steps), [3, 3], [[0 - k, 0, 10, 0, 2, 0, 10, 0, 0 - k]], steps);

    /// <summary>Creates the game of QTRAN (Son et al. 2019, table 1a): payoff 8 for (0, 0), -12 if one agent deviates, 0 if both do. Terminated after one
    /// step.</summary>
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
            : throw id.Error($"'{id.Name[penalty.Length..]}' is not a penalty; example of an id: penalty-100");
    }

    /// <inheritdoc/>
    public void Reset(ref Rng rng) => step = 0;

    /// <inheritdoc/>
    public StepResult Step(JointAction actions, Span<double> rewards, ref Rng rng)
    {
        int cell = 0;
        for (int agent = 0; agent < agents.Length; agent++)
        {
            cell = cell * agents[agent].ActionCount + actions[agent];
        }

        for (int agent = 0; agent < agents.Length; agent++)
        {
            rewards[agent] = payoffs[agent][cell];
        }

        return ++step >= Spec.EpisodeLimit ? end : StepResult.Running;
    }

    /// <inheritdoc/>
    public void Observe(int agent, Span<float> observation) => observation.Clear();

    /// <inheritdoc/>
    public void Save(Span<double> snapshot) => snapshot[0] = step;

    /// <inheritdoc/>
    public void Restore(ReadOnlySpan<double> snapshot) => step = (int)snapshot[0];

    private static string WithSteps(string name, int steps) => steps == DefaultSteps ? name : $"{name}?steps={steps}";
}
