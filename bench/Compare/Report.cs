namespace Marl.Native.Bench.Compare;

/// <summary>The results of a group of cases, as a table.</summary>
internal sealed class Report
{
    private readonly Table table = new("case", "ours, 1 thread", "% of peak", "GB/s", "2 threads", "speed-up", "bytes allocated",
        "TensorPrimitives", "/ ours", "PyTorch", "at its best with", "/ ours 1", "/ ours 2");

    private readonly Table details = new("case", "side", "with", "time");

    /// <summary>Adds a case.</summary>
    /// <param name="one">The case.</param>
    /// <param name="outcomes">The results of all contestants.</param>
    /// <param name="allocated">Managed bytes that a call of our side allocates.</param>
    public void Add(Case one, Outcome[] outcomes, long allocated)
    {
        double? Of(Side side, int threads)
            => outcomes.FirstOrDefault(o => o.Contestant.Side == side && o.Contestant.Threads == threads)?.Seconds;
        var (single, pair, library) = (Of(Side.Ours, 1), Of(Side.Ours, 2), Of(Side.Library, 1));
        var peer = outcomes.Where(o => o.Contestant.Side == Side.Peer).MinBy(o => o.Seconds);
        table.Add(one.Name, Table.Time(single),
            one.Flop > 0 && single is double s ? $"{100 * one.Flop / s / (1e9 / Of(Side.Peak, 1)):F0}" : "",
            one.Bytes > 0 && single is double t ? Table.Digits(one.Bytes / t / 1e9) : "",
            Table.Time(pair), Table.Ratio(single, pair), $"{allocated}",
            Table.Time(library), Table.Ratio(library, single),
            Table.Time(peer?.Seconds), $"{peer?.Contestant}", Table.Ratio(peer?.Seconds, single), Table.Ratio(peer?.Seconds, pair));
        foreach (var outcome in outcomes.Where(o => o.Contestant.Side != Side.Peak))
        {
            string side = outcome.Contestant.Side switch { Side.Ours => "ours", Side.Library => "TensorPrimitives", _ => "PyTorch" };
            details.Add(one.Name, side, $"{outcome.Contestant}", Table.Time(outcome.Seconds));
        }
    }

    public void Write(TextWriter output, CompareOptions options)
    {
        table.Write(output, options.Markdown);
        if (options.Detail)
        {
            output.WriteLine();
            details.Write(output, options.Markdown);
        }
    }
}
