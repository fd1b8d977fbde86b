namespace Marl.Native.Rl;

/// <summary>One agent of a particle world.</summary>
/// <param name="Body">what it is in the physics.</param>
/// <param name="ObservationSize">length of its observation.</param>
internal sealed record ParticleAgent(ParticleBody Body, int ObservationSize)
{
    /// <summary>How many symbols it can say; 0 if it is silent.</summary>
    public int Symbols { get; init; }

    /// <summary>See <see cref="AgentSpec.Team"/>.</summary>
    public int Team { get; init; }

    /// <summary>How many discrete actions it has: 5 moves, its symbols, or every pair of both.</summary>
    public int ActionCount => Body.Movable ? ParticleActions.Moves * Math.Max(Symbols, 1) : Symbols;

    /// <summary>Length of an action vector: the weights of its moves, then those of its symbols.</summary>
    public int VectorSize => (Body.Movable ? ParticleActions.Moves : 0) + Symbols;
}

/// <summary>What a particle world consists of.</summary>
internal sealed record ParticleSetup
{
    /// <summary>The id.</summary>
    public required string Id { get; init; }

    /// <summary>All agents; those that learn come first.</summary>
    public required ParticleAgent[] Agents { get; init; }

    /// <summary>What they move among.</summary>
    public ParticleBody[] Landmarks { get; init; } = [];

    /// <summary>Landmarks start within this of the middle, in x and in y; agents start within 1.</summary>
    public double LandmarkRange { get; init; } = 1;

    /// <summary>How many things are drawn at the start of an episode that some agents know.</summary>
    public int Goals { get; init; }

    /// <summary>Each is one of so many.</summary>
    public int GoalChoices { get; init; }

    /// <summary>How many of the agents, the last ones, follow a script and are none of the environment's agents.</summary>
    public int Scripted { get; init; }

    /// <summary>See <see cref="EnvironmentSpec.Reward"/>.</summary>
    public RewardMode Reward { get; init; } = RewardMode.Sum;
}
