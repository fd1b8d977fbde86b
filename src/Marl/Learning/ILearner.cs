namespace Marl.Native.Rl;

/// <summary>
/// An algorithm at work: what acts, and how it learns from the episodes that were played. The trainer owns the clock; a learner owns its
/// networks, its memory of the past and its updates.
/// </summary>
public interface ILearner
{
    /// <summary>The network that acts.</summary>
    Agent Agent { get; }

    /// <summary>All parameters, the agent's among them; of the first network where there are several.</summary>
    Parameters Parameters { get; }

    /// <summary>What acts: one, or the members of an ensemble, of which each agent plays one in an episode.</summary>
    IReadOnlyList<Actor> Actors { get; }

    /// <summary>How actions are chosen from the network's outputs.</summary>
    Exploration Exploration { get; }

    /// <summary>Whether it asks what would have been done where an episode was cut off: a critic that values actions goes on from there.</summary>
    bool NeedsNextAction => false;

    /// <summary>Columns that its episodes have besides the common ones.</summary>
    IReadOnlyList<Column> Columns => [];

    /// <summary>Updates so far.</summary>
    long Updates { get; }

    /// <summary>Numbers of the last update, for the metrics. Where it learns on a device, that is asked for them, as by <see cref="Synchronize"/>.</summary>
    /// <exception cref="DivergedException">numbers are no numbers any more.</exception>
    UpdateStatistics Statistics { get; }

    /// <summary>Asks a device how the last updates went, if it was not asked yet. Nothing that a learner saves is worth saving before.</summary>
    /// <exception cref="DivergedException">in one of them numbers stopped being numbers.</exception>
    void Synchronize()
    {
    }

    /// <summary>The exploration rate after <paramref name="steps"/> environment steps.</summary>
    float ExplorationRate(long steps);

    /// <summary>Learns from episodes just played.</summary>
    /// <param name="episodes">those that the learner keeps are replaced by others to be written over.</param>
    /// <param name="steps">environment steps so far.</param>
    /// <param name="stop">ends it early: updates are left pending, see <see cref="CompleteUpdates"/>, or the call is undone.</param>
    /// <exception cref="OperationCanceledException">it was stopped, and the learner is as it was before.</exception>
    void Learn(Span<Episode> episodes, long steps, CancellationToken stop = default);

    /// <summary>Makes the updates that were pending when <see cref="Learn"/> was stopped.</summary>
    /// <param name="steps">environment steps so far.</param>
    /// <param name="stop">ends it early; the rest stays pending.</param>
    void CompleteUpdates(long steps, CancellationToken stop = default)
    {
    }

    /// <summary>Saves or restores everything that the future depends on.</summary>
    void Archive(IArchive archive);
}

/// <summary>Numbers of one update.</summary>
/// <param name="Loss">the loss.</param>
/// <param name="GradientNorm">global norm before clipping.</param>
/// <param name="Metrics">what else the algorithm reports, by name.</param>
public sealed record UpdateStatistics(float Loss, float GradientNorm, IReadOnlyList<(string Name, float Value)> Metrics);

/// <summary>Numbers stopped being numbers. The message names the update and the tensor; the last checkpoint is good.</summary>
public sealed class DivergedException(string message) : Exception(message);
