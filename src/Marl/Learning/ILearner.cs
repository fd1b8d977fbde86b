namespace Marl.Native.Rl;

/// <summary>
/// Trains the networks of an algorithm on the episodes that the <see cref="Trainer"/> plays. It owns the networks, the replay buffer and the optimizers.
/// </summary>
public interface ILearner
{
    /// <summary>The agents' network.</summary>
    Agent Agent { get; }

    /// <summary>The parameters of the first network, which contains the agents' weights.</summary>
    Parameters Parameters { get; }

    /// <summary>The agents' network with its weights, or the members of an ensemble, of which each agent plays one per episode.</summary>
    IReadOnlyList<Actor> Actors { get; }

    /// <summary>Selects actions from the network's outputs.</summary>
    Exploration Exploration { get; }

    /// <summary>Whether episodes must contain the action after their last step if they were truncated: an action-value critic bootstraps from it.</summary>
    bool NeedsBootstrapAction => false;

    /// <summary>The columns of its episodes besides the common ones.</summary>
    IReadOnlyList<Column> Columns => [];

    /// <summary>The device memory of a round's episodes, in which they may be recorded; null: they are recorded in host memory.</summary>
    internal RoundMemory? RoundMemory => null;

    /// <summary>The number of updates so far.</summary>
    long Updates { get; }

    /// <summary>The loss, the gradient norm and the metrics of the last update. Reads them from the device, as <see cref="Synchronize"/> does.</summary>
    /// <exception cref="DivergedException">A loss or a gradient was not finite.</exception>
    UpdateStatistics Statistics { get; }

    /// <summary>Waits for the device and checks the updates since the last call. Call it before saving.</summary>
    /// <exception cref="DivergedException">A loss or a gradient was not finite.</exception>
    void Synchronize()
    {
    }

    /// <summary>Returns the exploration rate after <paramref name="steps"/> environment steps.</summary>
    float ExplorationRate(long steps);

    /// <summary>Learns from the episodes of a round.</summary>
    /// <param name="episodes">The episodes. Those that the learner keeps are replaced by others, for the next round.</param>
    /// <param name="steps">Environment steps so far.</param>
    /// <param name="cancellationToken">Ends the call early: remaining updates stay pending, see <see cref="CompleteUpdates"/>, or the call is undone.</param>
    /// <exception cref="OperationCanceledException">The call was canceled and undone.</exception>
    void Learn(Span<Episode> episodes, long steps, CancellationToken cancellationToken = default);

    /// <summary>Performs the updates that were pending when <see cref="Learn"/> was canceled.</summary>
    /// <param name="steps">Environment steps so far.</param>
    /// <param name="cancellationToken">Ends the call early; the remaining updates stay pending.</param>
    void CompleteUpdates(long steps, CancellationToken cancellationToken = default)
    {
    }

    /// <summary>Saves or restores the complete state.</summary>
    void Archive(IArchive archive);
}

/// <summary>The loss, the gradient norm and the metrics of an update.</summary>
/// <param name="Loss">The loss.</param>
/// <param name="GradientNorm">The global L2 norm of the gradient before clipping.</param>
/// <param name="Metrics">The algorithm's metrics by name.</param>
public sealed record UpdateStatistics(float Loss, float GradientNorm, IReadOnlyList<(string Name, float Value)> Metrics);

/// <summary>Training diverged: a loss or a gradient became NaN or infinite. The message names the update and the tensor; the last checkpoint is
/// valid.</summary>
public sealed class DivergedException(string message) : Exception(message);
