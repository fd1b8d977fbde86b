namespace Marl.Native.Rl;

/// <content>The memory of episodes in progress (previous actions and recurrent states), of one row or of all rows.</content>
internal sealed partial class Controller
{
    /// <summary>Begins an episode in a row of segments: resets the recurrent state and the previous actions.</summary>
    /// <param name="row">The row.</param>
    internal void BeginRow(int row)
    {
        foreach (var x in memory)
        {
            x[row].Span.Clear();
        }
        continueMask[row].Span.Clear();
    }

    /// <summary>Saves the previous actions and the recurrent state of a row of segments.</summary>
    /// <param name="row">The row.</param>
    /// <param name="target">Destination [<see cref="RowMemorySize"/>].</param>
    internal void SaveRow(int row, Span<float> target)
    {
        foreach (var x in memory)
        {
            x[row].Span.CopyTo(target);
            target = target[x[row].Count..];
        }
    }

    /// <summary>Resumes an episode in a row of segments from the memory that <see cref="SaveRow"/> wrote.</summary>
    /// <param name="row">The row.</param>
    /// <param name="source">Source [<see cref="RowMemorySize"/>].</param>
    internal void ResumeRow(int row, ReadOnlySpan<float> source)
    {
        foreach (var x in memory)
        {
            source[..x[row].Count].CopyTo(x[row].Span);
            source = source[x[row].Count..];
        }
        continueMask[row].Span.Fill(1f);
    }

    /// <summary>Records the recurrent state and the actions before the first row of a segment in the segment.</summary>
    internal void RecordStart(int row, Episode segment)
    {
        var actions = segment.Ints(Segment.ActionsBefore).All;
        for (int i = 0; i < actions.Length && !previous.Indices.IsNone; i++)
        {
            actions[i] = (int)previous.Indices[row].Span[i];
        }
        if (agent.StateColumn is { } column)
        {
            state[0][row].Span.CopyTo(segment.Floats(column).All);
        }
    }

    /// <summary>The number of elements that <see cref="SaveRow"/> writes.</summary>
    internal int RowMemorySize => memory.Sum(x => x[0].Count);

    /// <summary>Whether no step of the episode has been taken.</summary>
    public bool IsFirstStep => step == 0;

    /// <summary>The number of elements that <see cref="Save"/> writes.</summary>
    public int MemorySize => 1 + memory.Sum(x => x.Count);

    /// <summary>Saves the memory of all episodes: the number of steps, the previous actions and the recurrent states.</summary>
    public void Save(Span<double> target)
    {
        int end = 0;
        target[end++] = step;
        foreach (var x in memory)
        {
            foreach (float element in x.Span)
            {
                target[end++] = element;
            }
        }
    }

    /// <summary>Restores the memory that <see cref="Save"/> wrote.</summary>
    public void Restore(ReadOnlySpan<double> source)
    {
        int end = 0;
        step = (int)source[end++];
        foreach (var x in memory)
        {
            foreach (ref float element in x.Span)
            {
                element = (float)source[end++];
            }
        }
    }
}
