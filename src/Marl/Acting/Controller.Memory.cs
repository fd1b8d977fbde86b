namespace Marl.Native.Rl;

/// <content>What is remembered of episodes under way: of a row of segments, or of all rows.</content>
internal sealed partial class Controller
{
    /// <summary>An episode begins in a row of segments: the state is reset, and there is no previous action.</summary>
    internal void BeginRow(int row)
    {
        foreach (var h in state)
        {
            h[row].Span.Clear();
        }
        previous[row].Span.Clear();
        continueMask[row].Span.Clear();
    }

    /// <summary>Saves the state and the previous actions of a row of segments.</summary>
    /// <param name="row">which.</param>
    /// <param name="memory">[<see cref="RowSize"/>]</param>
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

    /// <summary>Resumes an episode in a row of segments, as <see cref="SaveRow"/> left it.</summary>
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

    /// <summary>Writes the state and the actions before the first row of a segment into it.</summary>
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

    /// <summary>Length of what <see cref="SaveRow"/> writes.</summary>
    internal int RowSize => previous[0].Count + state.Sum(h => h[0].Count);

    /// <summary>Whether no step of the episode has been taken.</summary>
    public bool IsFirstStep => step == 0;

    /// <summary>Length of what <see cref="Save"/> writes.</summary>
    public int MemorySize => 1 + previous.Span.Length + state.Sum(h => h.Span.Length);

    /// <summary>Writes the memory of all episodes: the steps taken, the last actions and the recurrent state.</summary>
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

    /// <summary>Puts back what <see cref="Save"/> wrote.</summary>
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
