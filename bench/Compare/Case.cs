using System.Text.Json.Nodes;

namespace Marl.Native.Bench.Compare;

/// <summary>A piece of work that both sides can do.</summary>
/// <param name="Group">the table that it stands in.</param>
/// <param name="Name">its row.</param>
/// <param name="Ours">prepares our side with a number of threads.</param>
internal sealed record Case(string Group, string Name, Func<int, Work> Ours)
{
    /// <summary>Floating-point operations of a call, a multiply-add counting as two; 0: not what it is about.</summary>
    public double Flop { get; init; }

    /// <summary>Bytes read and written by a call, at least; 0: not what it is about.</summary>
    public double Bytes { get; init; }

    /// <summary>The numbers of threads of ours.</summary>
    public int[] Threads { get; init; } = [1, 2];

    /// <summary>What the peer calls it.</summary>
    public required string PeerCase { get; init; }

    /// <summary>What the peer needs to know of it.</summary>
    public required JsonObject Size { get; init; }

    /// <summary>The peer's ways of doing it.</summary>
    public required string[] Variants { get; init; }

    /// <summary>The same by System.Numerics.Tensors, where it has it.</summary>
    public Func<Work>? TensorPrimitives { get; init; }

    /// <summary>Whether it takes long, and a quick comparison goes without it.</summary>
    public bool Long { get; init; }

    /// <summary>How long a round lets each contestant go on.</summary>
    public double Seconds { get; init; } = 0.2;
}

/// <summary>Something that can be run over and over, and what has to be given back afterwards.</summary>
internal sealed class Work(Action run, params IDisposable[] owned) : IDisposable
{
    /// <summary>One call.</summary>
    public Action Run { get; } = run;

    /// <summary>As many workers as threads; each runs one part.</summary>
    public static Work OfParts(Action[] parts)
    {
        if (parts.Length == 1)
        {
            return new(parts[0]);
        }
        var workers = new Rl.Workers(parts.Length);
        Action<int, int> body = (part, _) => parts[part]();
        return new(() => workers.Run(parts.Length, body), workers);
    }

    public void Dispose()
    {
        foreach (var one in owned)
        {
            one.Dispose();
        }
    }
}
