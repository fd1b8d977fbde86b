namespace Marl.Native.Rl;

/// <summary>An agent of a particle environment.</summary>
/// <param name="Body">Its physical properties.</param>
/// <param name="ObservationSize">The length of its observation.</param>
internal sealed record ParticleAgent(ParticleBody Body, int ObservationSize)
{
    /// <summary>The number of symbols that it can send; 0 if it cannot communicate.</summary>
    public int Symbols { get; init; }

    /// <summary>The <see cref="AgentSpec.Team"/>.</summary>
    public int Team { get; init; }

    /// <summary>The number of discrete actions: 5 moves, its symbols, or all pairs of both.</summary>
    public int ActionCount => Body.Movable ? ParticleActions.Moves * Math.Max(Symbols, 1) : Symbols;

    /// <summary>The length of an action vector: the weights of its moves, then those of its symbols.</summary>
    public int VectorSize => (Body.Movable ? ParticleActions.Moves : 0) + Symbols;
}

/// <summary>The agents, landmarks and goals of a particle environment.</summary>
internal sealed record ParticleSetup
{
    /// <summary>The id.</summary>
    public required string Id { get; init; }

    /// <summary>All agents; scripted agents come last.</summary>
    public required ParticleAgent[] Agents { get; init; }

    /// <summary>The landmarks.</summary>
    public ParticleBody[] Landmarks { get; init; } = [];

    /// <summary>The range of the initial x and y of landmarks around the origin; that of agents is 1.</summary>
    public double LandmarkRange { get; init; } = 1;

    /// <summary>The number of goals, which are sampled at the start of an episode and observed by some agents.</summary>
    public int Goals { get; init; }

    /// <summary>The number of values of a goal.</summary>
    public int GoalChoices { get; init; }

    /// <summary>The number of scripted agents, which are not agents of the <see cref="EnvironmentSpec"/>.</summary>
    public int Scripted { get; init; }

    /// <summary>The <see cref="EnvironmentSpec.Reward"/>.</summary>
    public RewardMode Reward { get; init; } = RewardMode.Sum;
}
