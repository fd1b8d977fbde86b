using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>Statistics and normalization of columns over the transitions of episodes.</summary>
internal static class ColumnStatistics
{
    /// <summary>Merges the values of an episode's column.</summary>
    public static void Update(this RunningStatistics statistics, Episode episode, Column column)
    {
        int first = 0;
        while (episode.NextTransitions(ref first, out var rows))
        {
            statistics.Update(episode.Transitions(column, rows));
        }
    }

    /// <summary>Normalizes a column in place: x = (x - mean) / sqrt(var + epsilon).</summary>
    public static void Normalize(this RunningStatistics statistics, Episode episode, Column column, double epsilon = 0)
    {
        int first = 0;
        while (episode.NextTransitions(ref first, out var rows))
        {
            statistics.Normalize(episode.Transitions(column, rows), epsilon);
        }
    }

    /// <summary>Normalizes a column in place, over all elements of all transitions of all episodes: x = (x - mean) / (standard deviation + 1e-8).</summary>
    /// <param name="episodes">The episodes.</param>
    /// <param name="column">The column x.</param>
    /// <param name="unbiased">Whether the variance has the divisor n - 1 instead of n.</param>
    public static void Normalize(ReadOnlySpan<Episode> episodes, Column column, bool unbiased = false)
    {
        double sum = 0, squares = 0;
        long count = 0;
        foreach (var episode in episodes)
        {
            int first = 0;
            while (episode.NextTransitions(ref first, out var rows))
            {
                foreach (float x in episode.Transitions(column, rows))
                {
                    (sum, squares, count) = (sum + x, squares + (double)x * x, count + 1);
                }
            }
        }
        double mean = sum / count, variance = Math.Max(0, squares - count * mean * mean) / Math.Max(1, unbiased ? count - 1 : count);
        double deviation = Math.Sqrt(variance) + 1e-8;
        foreach (var episode in episodes)
        {
            int first = 0;
            while (episode.NextTransitions(ref first, out var rows))
            {
                foreach (ref float x in episode.Transitions(column, rows))
                {
                    x = (float)((x - mean) / deviation);
                }
            }
        }
    }

    /// <summary>Returns the elements of a range of rows.</summary>
    internal static Span<float> Transitions(this Episode episode, Column column, Range rows)
    {
        var data = episode.Floats(column);
        var (start, count) = rows.GetOffsetAndLength(int.MaxValue);
        return data.All.Slice(start * data.Width, count * data.Width);
    }
}
