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
public sealed partial class MatrixGame : BatchEnvironment<MatrixGameRules>
{
    /// <summary>The default number of steps.</summary>
    public const int DefaultSteps = 25;

    /// <summary>Creates a game.</summary>
    /// <param name="id">The <see cref="EnvironmentSpec.Id"/>.</param>
    /// <param name="actions">[N] The number of actions of each agent.</param>
    /// <param name="payoffs">A row-major tensor [actions of agent 0, actions of agent 1, ..] for each agent, or one for all agents.</param>
    /// <param name="steps">The length of an episode.</param>
    /// <param name="end">The result of the last step: truncated or terminated.</param>
    /// <exception cref="ArgumentException">The numbers of agents, actions and payoffs do not match.</exception>
    public MatrixGame(string id, ReadOnlySpan<int> actions, double[][] payoffs, int steps = DefaultSteps, StepResult end = StepResult.Truncated)
        : base(new MatrixGameRules(actions.Length, payoffs.Length, CellsOf(actions, payoffs), steps, end), SpecOf(id, actions, payoffs, steps),
            [.. Counts(actions), .. payoffs.SelectMany(payoff => payoff)])
    {
    }

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

    /// <summary>Returns the payoff of an agent for a joint action.</summary>
    private double PayoffOf(int agent, int joint) => Constants[Rules.Payoff(agent, joint)];

    /// <summary>Checks the payoffs and returns the number of joint actions.</summary>
    private static int CellsOf(ReadOnlySpan<int> actions, double[][] payoffs)
    {
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
        if (Array.Find(payoffs, payoff => payoff.Length != cells) is { } wrong)
        {
            throw new ArgumentException($"a payoff tensor has {wrong.Length} elements, but there are {cells} joint actions", nameof(payoffs));
        }
        return cells;
    }

    private static EnvironmentSpec SpecOf(string id, ReadOnlySpan<int> actions, double[][] payoffs, int steps)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(steps);
        int agents = actions.Length;
        return new()
        {
            Id = id,
            Agents = [.. Counts(actions).Select(count => new AgentSpec(agents, (int)count))],
            StateSize = agents * agents,
            EpisodeLimit = steps,
            Reward = payoffs.Length == 1 ? RewardMode.Mean : RewardMode.Sum,
            SnapshotSize = 1,
        };
    }

    private static double[] Counts(ReadOnlySpan<int> actions)
    {
        double[] counts = new double[actions.Length];
        for (int agent = 0; agent < counts.Length; agent++)
        {
            counts[agent] = actions[agent];
        }
        return counts;
    }

    private static string WithSteps(string name, int steps) => steps == DefaultSteps ? name : $"{name}?steps={steps}";
}

/// <summary>The rules of a <see cref="MatrixGame"/>. Constants: the number of actions of each agent, then the payoff tensors.</summary>
public readonly struct MatrixGameRules : IBatchEnvironment
{
    // Elements of the state.
    internal const int StepElement = 0, ChosenElement = 1;

    private readonly int agents, tensors, cells, steps, end;

    internal MatrixGameRules(int agents, int tensors, int cells, int steps, StepResult end)
        => (this.agents, this.tensors, this.cells, this.steps, this.end) = (agents, tensors, cells, steps, (int)end);

    /// <summary>The step, and 1 + the joint action of the last step, row-major over the agents; 0 if there is none.</summary>
    public int StateSize => 2;

    /// <inheritdoc/>
    public void Reset<TWorld>(TWorld world, ref Rng rng) where TWorld : struct, IWorld, allows ref struct
        => world[StepElement] = world[ChosenElement] = 0;

    /// <inheritdoc/>
    public StepResult Step<TWorld>(TWorld world, ref Rng rng) where TWorld : struct, IWorld, allows ref struct
    {
        int joint = 0;
        for (int agent = 0; agent < agents; agent++)
        {
            joint = joint * (int)world.Constant(agent) + world.Action(agent);
        }
        for (int agent = 0; agent < agents; agent++)
        {
            world.SetReward(agent, world.Constant(Payoff(agent, joint)));
        }
        world[ChosenElement] = 1 + joint;
        return ++world[StepElement] >= steps ? (StepResult)end : StepResult.Running;
    }

    /// <inheritdoc/>
    public void Observe<TWorld>(TWorld world, int agent) where TWorld : struct, IWorld, allows ref struct
    {
        for (int i = 0; i < agents; i++)
        {
            world.SetObservation(i, 0);
        }
    }

    /// <summary>The constant that is the payoff of an agent for a joint action.</summary>
    internal int Payoff(int agent, int joint) => agents + (tensors == 1 ? 0 : agent * cells) + joint;
}
