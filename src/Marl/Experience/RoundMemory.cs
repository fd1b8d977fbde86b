namespace Marl.Native.Rl;

/// <summary>
/// The episodes of a round in the memory of a device, side by side as a batch has them: what was lived goes there once, and once what critics made of it. Every
/// batch of some of them has no more rows than all of them, so each finds its padding behind its own last row.
/// </summary>
internal sealed class RoundMemory : EpisodeMemory
{
    private readonly EpisodeBatch round;
    private bool estimated;

    private RoundMemory(EpisodeBatch round) => this.round = round;

    /// <summary>Room for <paramref name="capacity"/> episodes; none where they are in reach anyway, or do not fit.</summary>
    public static RoundMemory? Of(EnvironmentSpec spec, int capacity, int rewardStreams, Device device)
    {
        if (!Fits((spec.EpisodeLimit + 1L) * capacity, EpisodeBatch.Widths(spec), device))
        {
            return null;
        }
        try
        {
            return new(new EpisodeBatch(spec, capacity, rewardStreams, device));
        }
        catch (DeviceException)
        {
            return null;
        }
    }

    /// <inheritdoc/>
    protected override int Fields => estimated ? EpisodeBatch.Estimated : EpisodeBatch.Recorded;

    /// <inheritdoc/>
    protected override Tensor Field(int field) => round.Kept(field);

    /// <summary>Takes in the episodes of a round, in one transfer. They must not change before they are forgotten.</summary>
    public void Keep(ReadOnlySpan<Episode> episodes)
    {
        round.LoadRecord(episodes);
        estimated = false;
        for (int place = 0; place < episodes.Length; place++)
        {
            (episodes[place].Memory, episodes[place].Place) = (this, place);
        }
    }

    /// <summary>Takes in their <see cref="Estimates"/>, in one transfer.</summary>
    /// <param name="episodes">those of <see cref="Keep"/>, in the same order.</param>
    public void KeepEstimates(ReadOnlySpan<Episode> episodes)
    {
        round.LoadEstimates(episodes);
        estimated = true;
    }

    /// <summary>The round is over: its episodes are here only until they are written over.</summary>
    public void Forget(ReadOnlySpan<Episode> episodes)
    {
        foreach (var episode in episodes)
        {
            episode.Memory = null;
        }
    }

    /// <inheritdoc/>
    public override int Row(Episode episode, int t) => t * round.Count + episode.Place;
}
