using Marl.Native.Rl;

namespace Marl.Native.Cli.Playing;

/// <summary>One time step of an episode.</summary>
/// <param name="Episode">The index of the episode, from 0.</param>
/// <param name="Step">The number of steps taken.</param>
/// <param name="Scene">The scene; null if the environment has none.</param>
internal sealed record Frame(int Episode, int Step, Scene? Scene)
{
    /// <summary>[N] The names of the agents' last actions; empty at the start.</summary>
    public string[] Actions { get; init; } = [];

    /// <summary>[N] The agents' last rewards; empty at the start.</summary>
    public double[] Rewards { get; init; } = [];

    /// <summary>[N] The agents' returns so far.</summary>
    public required double[] AgentReturns { get; init; }

    /// <summary>The teams' returns so far, see <see cref="Episode.TeamReturns"/>.</summary>
    public required double[] TeamReturns { get; init; }

    /// <summary>The sum of the teams' returns.</summary>
    public double Return => TeamReturns.Sum();

    /// <summary>Whether the episode goes on, terminated or was truncated at this step.</summary>
    public StepResult Result { get; init; }
}
