using Marl.Native.Rl;

namespace Marl.Native.Cli.Playing;

/// <summary>One moment of an episode.</summary>
/// <param name="Episode">which, from 0.</param>
/// <param name="Step">steps taken so far.</param>
/// <param name="Scene">what there is to see; null where the environment has no picture.</param>
internal sealed record Frame(int Episode, int Step, Scene? Scene)
{
    /// <summary>[N] what the agents did to come here, in words; nothing at the start.</summary>
    public string[] Actions { get; init; } = [];

    /// <summary>[N] what each earned by it; nothing at the start.</summary>
    public double[] Rewards { get; init; } = [];

    /// <summary>[N] what each earned so far.</summary>
    public required double[] Earned { get; init; }

    /// <summary>What each team returned so far, see <see cref="Episode.TeamReturns"/>.</summary>
    public required double[] TeamReturns { get; init; }

    /// <summary>The same of all teams together.</summary>
    public double Return => TeamReturns.Sum();

    /// <summary>Whether the episode ended here, and how.</summary>
    public StepResult Result { get; init; }
}
