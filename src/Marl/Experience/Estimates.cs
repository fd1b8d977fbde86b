namespace Marl.Native.Rl;

/// <summary>
/// What critics make of an episode, written once before a policy is updated and read in every epoch. Each [limit, N], or [limit, 1] where it is of all agents
/// together; a row follows that nobody reads.
/// </summary>
public sealed class Estimates(Episode episode)
{
    private readonly int rows = episode.Actions.Length / episode.Agents;

    /// <summary>v_t [limit, N]: what was expected.</summary>
    public float[] Values { get; } = new float[episode.Actions.Length];

    /// <summary>G_t [limit, N]: what the critic is fitted to.</summary>
    public float[] Returns { get; } = new float[episode.Actions.Length];

    /// <summary>A_t [limit, N]: how much better an action was than expected.</summary>
    public float[] Advantages { get; } = new float[episode.Actions.Length];

    /// <summary>G_t [limit, 1] of what the environment gave, where agents are rewarded with more than that.</summary>
    public float[] ExtrinsicReturns { get; } = new float[episode.Actions.Length / episode.Agents];

    /// <summary>A_t [limit, 1] likewise: how much better the joint action was than expected.</summary>
    public float[] ExtrinsicAdvantages { get; } = new float[episode.Actions.Length / episode.Agents];

    /// <summary>The part of a field that belongs to the steps that happened.</summary>
    public Span<float> Lived(float[] field) => field.AsSpan(0, field.Length / rows * episode.Length);

    /// <summary>x = (x - mean) / (standard deviation + 1e-8), over all steps of all episodes and all columns.</summary>
    /// <param name="episodes">whose.</param>
    /// <param name="field">x.</param>
    /// <param name="unbiased">whether the variance is that of a sample, its divisor one less.</param>
    public static void Normalise(ReadOnlySpan<Episode> episodes, Func<Estimates, float[]> field, bool unbiased = false)
    {
        double sum = 0, squares = 0;
        int count = 0;
        foreach (var episode in episodes)
        {
            foreach (float x in Of(episode))
            {
                (sum, squares, count) = (sum + x, squares + (double)x * x, count + 1);
            }
        }
        double mean = sum / count, variance = Math.Max(0, squares - count * mean * mean) / Math.Max(1, unbiased ? count - 1 : count);
        double deviation = Math.Sqrt(variance) + 1e-8;
        foreach (var episode in episodes)
        {
            foreach (ref float x in Of(episode))
            {
                x = (float)((x - mean) / deviation);
            }
        }

        Span<float> Of(Episode episode) => episode.Estimates!.Lived(field(episode.Estimates));
    }
}
