namespace Marl.Native.Rl;

/// <summary>What a critic makes of an episode, written once before a policy is updated and read in every epoch. Each [limit, N]; a row follows that nobody reads.</summary>
public sealed class Estimates(Episode episode)
{
    /// <summary>v_t: what was expected.</summary>
    public float[] Values { get; } = new float[episode.Actions.Length];

    /// <summary>G_t: what the critic is fitted to.</summary>
    public float[] Returns { get; } = new float[episode.Actions.Length];

    /// <summary>A_t: how much better an action was than expected.</summary>
    public float[] Advantages { get; } = new float[episode.Actions.Length];
}
