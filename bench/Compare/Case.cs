using System.Text.Json.Nodes;

namespace Marl.Native.Bench.Compare;

/// <summary>A computation that both sides can run.</summary>
/// <param name="Group">The title of its table.</param>
/// <param name="Name">The name of its row.</param>
/// <param name="Ours">Prepares our side for a number of threads.</param>
internal sealed record Case(string Group, string Name, Func<int, Work> Ours)
{
    /// <summary>Floating-point operations per call, a multiply-add counted as two; 0: not reported.</summary>
    public double Flop { get; init; }

    /// <summary>The minimum of bytes read and written per call; 0: not reported.</summary>
    public double Bytes { get; init; }

    /// <summary>The numbers of threads to measure our side with.</summary>
    public int[] Threads { get; init; } = [1, 2];

    /// <summary>The name of the case in the peer.</summary>
    public required string PeerCase { get; init; }

    /// <summary>The sizes that the peer needs.</summary>
    public required JsonObject Size { get; init; }

    /// <summary>The peer's implementations.</summary>
    public required string[] Variants { get; init; }

    /// <summary>The same computation with System.Numerics.Tensors, if it has it.</summary>
    public Func<Work>? TensorPrimitives { get; init; }

    /// <summary>Whether it takes long and is left out of a quick comparison.</summary>
    public bool Long { get; init; }

    /// <summary>Seconds per contestant and round.</summary>
    public double Seconds { get; init; } = 0.2;
}

/// <summary>A prepared computation that can be run repeatedly, and disposed.</summary>
internal sealed class Work(Action run, params IDisposable[] owned) : IDisposable
{
    /// <summary>Runs it once.</summary>
    public Action Run { get; } = run;

    /// <summary>Creates a computation whose parts run on one thread each.</summary>
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
