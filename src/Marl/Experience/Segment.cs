namespace Marl.Native.Rl;

/// <summary>
/// The columns of segments. A segment is a fixed number of steps of an environment, in which episodes end and begin. The last observation of an episode has a
/// row without a transition, and the next episode begins in the following row; so row t + 1 is always the result of step t. The first row may continue an
/// episode; the segment stores the recurrent state and the actions before it.
/// </summary>
internal static class Segment
{
    /// <summary>[1] Whether the row is the last one of an episode, in which no transition begins.</summary>
    public static Column Ends { get; } = new("ends") { HasFinalRow = true, Kind = ColumnKind.Bool, Lifetime = ColumnLifetime.Update };

    /// <summary>[1] Whether the step from this row terminated the episode.</summary>
    public static Column Terminates { get; } = new("terminates") { Kind = ColumnKind.Bool, Lifetime = ColumnLifetime.Update };

    /// <summary>[1] Whether the row is the first one of an episode.</summary>
    public static Column Begins { get; } = new("begins") { HasFinalRow = true, Kind = ColumnKind.Bool, Lifetime = ColumnLifetime.Update };

    /// <summary>[N] or [N, K] per segment: the actions before the first row.</summary>
    public static Column ActionsBefore { get; } = new("actionsBefore", Column.PerBranch)
    {
        PerAgent = true,
        PerEpisode = true,
        Kind = ColumnKind.Int,
        Lifetime = ColumnLifetime.Update,
    };

    /// <summary>[N] in batches: 0 in the first row of an episode, else 1.</summary>
    public static Column ContinueMask { get; } = new("continueMask") { PerAgent = true, HasFinalRow = true, Padding = 1f, Lifetime = ColumnLifetime.Update };

    /// <summary>[N] or [N, K] in batches: the actions of the previous row.</summary>
    public static Column PreviousActions { get; } = new("previousActions", Column.PerBranch) { PerAgent = true, HasFinalRow = true, Lifetime = ColumnLifetime.Update };

    /// <summary>The stored columns of segments, except for the recurrent state.</summary>
    public static IReadOnlyList<Column> Columns { get; } = [Ends, Terminates, Begins, ActionsBefore];

    /// <summary>Writes the derived columns into a segment's slice of a time-major batch.</summary>
    /// <param name="segment">The segment.</param>
    /// <param name="continueMask">[T+1, B, N] Receives <see cref="ContinueMask"/>.</param>
    /// <param name="previousActions">[T+1, B, N] or [T+1, B, N, K] Receives <see cref="PreviousActions"/>.</param>
    /// <param name="terminated">[T+1, B] Receives 1 for steps that terminated an episode, else 0.</param>
    /// <param name="mask">[T+1, B] Receives 1 for transitions, else 0.</param>
    /// <param name="b">The index of the segment in the batch.</param>
    /// <param name="count">B, the number of segments in the batch.</param>
    /// <param name="steps">T, the number of steps of the longest segment.</param>
    public static void Write(
        Episode segment, Span<float> continueMask, Span<float> previousActions, Span<float> terminated, Span<float> mask, int b, int count, int steps)
    {
        Span<bool> terminates = segment.Bools(Terminates).All, begins = segment.Bools(Begins).All;
        var before = segment.Ints(ActionsBefore).All;
        int agents = segment.Agents;
        for (int t = 0; t <= steps; t++)
        {
            bool isTransition = !segment.IsEnd(t);
            terminated[t * count + b] = isTransition && terminates[t] ? 1f : 0f;
            mask[t * count + b] = isTransition ? 1f : 0f;
            continueMask.Slice((t * count + b) * agents, agents).Fill(t <= segment.Length && begins[t] ? 0f : 1f);
            var actions = t == 0 ? before : t <= segment.Length ? segment.ActionsAt(t - 1) : default;
            var previous = previousActions.Slice((t * count + b) * before.Length, before.Length);
            for (int i = 0; i < previous.Length; i++)
            {
                previous[i] = actions.IsEmpty ? 0f : actions[i];
            }
        }
    }
}
