namespace Marl.Native.Rl;

/// <summary>
/// The recurrent states of critics between the segments of an environment: a segment begins with the state in which the critic was after the last row of the
/// segment before it, by the weights of that round. The target critic begins with the same state.
/// </summary>
internal sealed class CriticMemory
{
    private readonly Critic[] critics;
    private readonly float[][][] states;
    private readonly int network;

    /// <summary>Creates the states of episodes that have not begun, zeros.</summary>
    /// <param name="critics">The critics; those without a recurrent state are left out.</param>
    /// <param name="network">The index of their network.</param>
    /// <param name="segments">The number of segments in a round; segment i of every round is of the same environment.</param>
    public CriticMemory(IEnumerable<Critic> critics, int network, int segments)
    {
        (this.critics, this.network) = ([.. critics.Where(critic => critic.IsRecurrent)], network);
        states = [.. this.critics.Select(critic => Enumerable.Range(0, segments).Select(_ => new float[critic.Input.Agents * critic.StateSize]).ToArray())];
    }

    /// <summary>Per critic the state before a segment, which it begins with, and the state after it.</summary>
    public IEnumerable<Column> Columns => critics.SelectMany(critic => (Column[])[critic.StateBefore!, critic.StateAfter!]);

    /// <summary>Writes the states before the segments of a round.</summary>
    public void Begin(ReadOnlySpan<Episode> segments)
    {
        for (int c = 0; c < critics.Length; c++)
        {
            for (int i = 0; i < segments.Length; i++)
            {
                states[c][i].CopyTo(segments[i].Floats(critics[c].StateBefore!).All);
            }
        }
    }

    /// <summary>Computes the states after the segments of a shard, row by row, because segments differ in length.</summary>
    public void Advance(LossContext context)
    {
        var batch = context.Batch;
        var segments = context.Episodes;
        foreach (var critic in critics)
        {
            var w = context.OnlineOf(network);
            var state = critic.InitialState(w.Tape, batch);
            for (int row = 0; row < batch.Steps; row++)
            {
                state = critic.Features(w, critic.Input.Build(w.Tape, batch, row, 1), state, batch.ContinueMask.Slice(row, 1)).State;
                var values = state.Value.Device == Device.Cpu ? state.Value.Span : state.Value.ToArray();
                int size = critic.Input.Agents * critic.StateSize;
                for (int i = 0; i < segments.Length; i++)
                {
                    if (segments[i].Length == row + 1)
                    {
                        values.Slice(i * size, size).CopyTo(segments[i].Floats(critic.StateAfter!).All);
                    }
                }
            }
        }
    }

    /// <summary>Keeps the states after the segments of a round.</summary>
    public void End(ReadOnlySpan<Episode> segments)
    {
        for (int c = 0; c < critics.Length; c++)
        {
            for (int i = 0; i < segments.Length; i++)
            {
                segments[i].Floats(critics[c].StateAfter!).All.CopyTo(states[c][i]);
            }
        }
    }

    /// <summary>Saves or restores the states.</summary>
    public void Archive(IArchive archive)
    {
        for (int c = 0; c < critics.Length; c++)
        {
            for (int i = 0; i < states[c].Length; i++)
            {
                archive.Array<float>($"{critics[c].StateBefore!.Name}.{i}", states[c][i]);
            }
        }
    }
}
