namespace Marl.Native.Rl;

/// <summary>
/// A learner from difference rewards that a <see cref="RewardModel"/> predicts: the model of the previous rounds replaces the rewards of a round before the
/// learner reads them, and is fitted to the round afterwards.
/// </summary>
internal sealed class DifferenceLearner(ILearner learner, RewardModel model) : ILearner
{
    /// <summary>The learner from the difference rewards.</summary>
    public ILearner Learner => learner;

    /// <inheritdoc/>
    public Agent Agent => learner.Agent;

    /// <inheritdoc/>
    public Parameters Parameters => learner.Parameters;

    /// <inheritdoc/>
    public IReadOnlyList<Actor> Actors => learner.Actors;

    /// <inheritdoc/>
    public Exploration Exploration => learner.Exploration;

    /// <inheritdoc/>
    public bool NeedsBootstrapAction => learner.NeedsBootstrapAction;

    /// <inheritdoc/>
    public IReadOnlyList<Column> Columns => learner.Columns;

    /// <inheritdoc/>
    public long Updates => learner.Updates;

    /// <inheritdoc/>
    public UpdateStatistics Statistics
    {
        get
        {
            var statistics = learner.Statistics;
            return statistics with { Metrics = [.. statistics.Metrics, ("rewardModelLoss", model.Loss)] };
        }
    }

    /// <inheritdoc/>
    public void Synchronize() => learner.Synchronize();

    /// <inheritdoc/>
    public float ExplorationRate(long steps) => learner.ExplorationRate(steps);

    /// <inheritdoc/>
    public void Learn(Span<Episode> episodes, long steps, CancellationToken cancellationToken = default)
    {
        model.Subtract(episodes);
        // A call that is canceled and undone leaves the model unchanged as well.
        learner.Learn(episodes, steps, cancellationToken);
        model.Fit();
    }

    /// <inheritdoc/>
    public void CompleteUpdates(long steps, CancellationToken cancellationToken = default) => learner.CompleteUpdates(steps, cancellationToken);

    /// <inheritdoc/>
    public void Archive(IArchive archive)
    {
        learner.Archive(archive);
        model.Archive(archive.Scope("rewardModel"));
    }
}
