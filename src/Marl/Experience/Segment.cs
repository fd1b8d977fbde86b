namespace Marl.Native.Rl;

/// <summary>
/// Columns of segments: a fixed number of steps of one environment, in which episodes end and begin. Rows are time. Where an episode ends, its last observation
/// has a row without a transition, and the next episode begins in the row after it; so row t + 1 is always what step t led to. The first row may be in the
/// middle of an episode: the recurrent state and the actions before it are kept with the segment.
/// </summary>
internal static class Segment
{
    /// <summary>[1] the last row of an episode: no transition begins in it.</summary>
    public static Column Ends { get; } = new("ends") { HasFinalRow = true, Kind = ColumnKind.Bool, Lifetime = ColumnLifetime.Update };

    /// <summary>[1] the step of this row terminated its episode.</summary>
    public static Column Terminates { get; } = new("terminates") { Kind = ColumnKind.Bool, Lifetime = ColumnLifetime.Update };

    /// <summary>[1] the first row of an episode.</summary>
    public static Column Begins { get; } = new("begins") { HasFinalRow = true, Kind = ColumnKind.Bool, Lifetime = ColumnLifetime.Update };

    /// <summary>[N] per segment: the actions before the first row.</summary>
    public static Column ActionsBefore { get; } = new("actionsBefore") { PerAgent = true, PerEpisode = true, Kind = ColumnKind.Int, Lifetime = ColumnLifetime.Update };

    /// <summary>[N] in batches: 0 where an episode begins, 1 elsewhere.</summary>
    public static Column ContinueMask { get; } = new("continueMask") { PerAgent = true, HasFinalRow = true, Padding = 1f, Lifetime = ColumnLifetime.Update };

    /// <summary>[N] in batches: the actions of the row before.</summary>
    public static Column PreviousActions { get; } = new("previousActions") { PerAgent = true, HasFinalRow = true, Lifetime = ColumnLifetime.Update };

    /// <summary>What segments store, but for the recurrent state.</summary>
    public static IReadOnlyList<Column> Columns { get; } = [Ends, Terminates, Begins, ActionsBefore];

    /// <summary>Writes what follows from where episodes end and begin into a segment's part of a time-major batch.</summary>
    /// <param name="segment">which.</param>
    /// <param name="continueMask">[T+1, B, N], see <see cref="ContinueMask"/>.</param>
    /// <param name="previousActions">[T+1, B, N], see <see cref="PreviousActions"/>.</param>
    /// <param name="terminated">[T+1, B]: 1 where an episode terminated.</param>
    /// <param name="mask">[T+1, B]: 1 for transitions.</param>
    /// <param name="b">the segment's place in the batch.</param>
    /// <param name="count">B</param>
    /// <param name="steps">T</param>
    public static void Write(Episode segment, Span<float> continueMask, Span<float> previousActions, Span<float> terminated, Span<float> mask, int b, int count, int steps)
    {
        Span<bool> terminates = segment.Bools(Terminates).All, begins = segment.Bools(Begins).All;
        var before = segment.Ints(ActionsBefore).All;
        int agents = segment.Agents;
        for (int t = 0; t <= steps; t++)
        {
            bool isTransition = !segment.IsEnd(t);
            terminated[t * count + b] = isTransition && terminates[t] ? 1f : 0f;
            mask[t * count + b] = isTransition ? 1f : 0f;
            int start = (t * count + b) * agents;
            continueMask.Slice(start, agents).Fill(t <= segment.Length && begins[t] ? 0f : 1f);
            var actions = t == 0 ? before : t <= segment.Length ? segment.ActionsAt(t - 1) : default;
            for (int agent = 0; agent < agents; agent++)
            {
                previousActions[start + agent] = actions.IsEmpty ? 0f : actions[agent];
            }
        }
    }
}
