namespace Marl.Native.Rl;

/// <content>The memory of episodes in progress (previous actions and recurrent states), of one row or of all rows.</content>
internal sealed partial class Controller
{
    /// <summary>Begins an episode in a row of segments: resets the recurrent state and the previous actions.</summary>
    /// <param name="row">The row.</param>
    internal void BeginRow(int row)
    {
        foreach (var h in state)
        {
            h[row].Span.Clear();
        }
        previous[row].Span.Clear();
        continueMask[row].Span.Clear();
    }

    /// <summary>Saves the recurrent state and the previous actions of a row of segments.</summary>
    /// <param name="row">The row.</param>
    /// <param name="memory">Destination [<see cref="RowMemorySize"/>].</param>
    internal void SaveRow(int row, Span<float> memory)
    {
        previous[row].Span.CopyTo(memory);
        int end = previous[row].Count;
        foreach (var h in state)
        {
            h[row].Span.CopyTo(memory[end..]);
            end += h[row].Count;
        }
    }

    /// <summary>Resumes an episode in a row of segments from the memory that <see cref="SaveRow"/> wrote.</summary>
    /// <param name="row">The row.</param>
    /// <param name="memory">Source [<see cref="RowMemorySize"/>].</param>
    internal void ResumeRow(int row, ReadOnlySpan<float> memory)
    {
        var last = previous[row].Span;
        memory[..last.Length].CopyTo(last);
        memory = memory[last.Length..];
        foreach (var h in state)
        {
            memory[..h[row].Count].CopyTo(h[row].Span);
            memory = memory[h[row].Count..];
        }
        continueMask[row].Span.Fill(1f);
    }

    /// <summary>Records the recurrent state and the actions before the first row of a segment in the segment.</summary>
    internal void RecordStart(int row, Episode segment)
    {
        var actions = segment.Ints(Segment.ActionsBefore).All;
        for (int n = 0; n < actions.Length; n++)
        {
            actions[n] = (int)previous[row].Span[n];
        }
        if (agent.StateColumn is { } column)
        {
            state[0][row].Span.CopyTo(segment.Floats(column).All);
        }
    }

    /// <summary>The number of elements that <see cref="SaveRow"/> writes.</summary>
    internal int RowMemorySize => previous[0].Count + state.Sum(h => h[0].Count);

    /// <summary>Whether no step of the episode has been taken.</summary>
    public bool IsFirstStep => step == 0;

    /// <summary>The number of elements that <see cref="Save"/> writes.</summary>
    public int MemorySize => 1 + previous.Span.Length + state.Sum(h => h.Span.Length);

    /// <summary>Saves the memory of all episodes: the number of steps, the previous actions and the recurrent states.</summary>
    public void Save(Span<double> memory)
    {
        int end = 0;
        memory[end++] = step;
        foreach (float action in previous.Span)
        {
            memory[end++] = action;
        }
        foreach (var h in state)
        {
            foreach (float x in h.Span)
            {
                memory[end++] = x;
            }
        }
    }

    /// <summary>Restores the memory that <see cref="Save"/> wrote.</summary>
    public void Restore(ReadOnlySpan<double> memory)
    {
        int end = 0;
        step = (int)memory[end++];
        foreach (ref float action in previous.Span)
        {
            action = (float)memory[end++];
        }
        foreach (var h in state)
        {
            foreach (ref float x in h.Span)
            {
                x = (float)memory[end++];
            }
        }
    }
}
