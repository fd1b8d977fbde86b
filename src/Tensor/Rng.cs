namespace Marl.Native;

/// <summary>
/// A counter-based generator, Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3").
/// Its whole state is two words, <see cref="Key"/> and <see cref="Counter"/>; draw i of a key is a pure function of (key, i),
/// so a state is saved with two numbers and streams are split without any order of drawing between them.
/// </summary>
public struct Rng(ulong key, ulong counter = 0) : IEquatable<Rng>
{
    /// <summary>Which stream this is.</summary>
    public ulong Key { get; } = key;

    /// <summary>How many 64-bit draws were taken.</summary>
    public ulong Counter { get; private set; } = counter;

    /// <summary>An independent stream named by (<paramref name="purpose"/>, <paramref name="a"/>, <paramref name="b"/>) under
    /// this key. Splitting neither reads nor advances <see cref="Counter"/>.</summary>
    public readonly Rng Split(RngPurpose purpose, int a = 0, int b = 0)
    {
        // The child key is Philox itself, in a part of the counter space (highest word != 0) that draws never reach.
        var (x0, x1, _, _) = Philox((uint)a, (uint)b, (uint)purpose, 0x5EED_0001u, Key);
        return new Rng((ulong)x1 << 32 | x0);
    }

    /// <summary>Uniform over all 64-bit words.</summary>
    public ulong NextUInt64()
    {
        var (x0, x1, _, _) = Philox((uint)Counter, (uint)(Counter >> 32), 0, 0, Key);
        Counter++;
        return (ulong)x1 << 32 | x0;
    }

    /// <summary>Uniform over 0 .. <paramref name="count"/> - 1 (Lemire's multiply-shift; its bias is below 2^-32 count).</summary>
    public int NextInt(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        return (int)Math.BigMul(NextUInt64(), (ulong)count, out _);
    }

    /// <summary>Uniform over first .. last, both included.</summary>
    public int NextInt(int first, int last) => first + NextInt(last - first + 1);

    /// <summary>Uniform in [0, 1), 24 bits.</summary>
    public float NextSingle() => (NextUInt64() >> 40) * (1f / (1 << 24));

    /// <summary>Uniform in [0, 1), 53 bits.</summary>
    public double NextDouble() => (NextUInt64() >> 11) * (1.0 / (1L << 53));

    /// <summary>Uniform in [low, high).</summary>
    public float NextSingle(float low, float high) => low + (high - low) * NextSingle();

    /// <summary>Standard normal (Box-Muller, one value of the pair).</summary>
    public double NextNormal()
    {
        double u = 1.0 - NextDouble(), v = NextDouble();
        return Math.Sqrt(-2 * Math.Log(u)) * Math.Cos(2 * Math.PI * v);
    }

    /// <summary>The ten rounds: four counter words and a 64-bit key to four random words.</summary>
    internal static (uint, uint, uint, uint) Philox(uint c0, uint c1, uint c2, uint c3, ulong key)
    {
        uint k0 = (uint)key, k1 = (uint)(key >> 32);
        for (int round = 0; round < 10; round++)
        {
            ulong p0 = (ulong)c0 * 0xD2511F53u, p1 = (ulong)c2 * 0xCD9E8D57u;
            (c0, c1, c2, c3) = ((uint)(p1 >> 32) ^ c1 ^ k0, (uint)p1, (uint)(p0 >> 32) ^ c3 ^ k1, (uint)p0);
            k0 += 0x9E3779B9u;
            k1 += 0xBB67AE85u;
        }
        return (c0, c1, c2, c3);
    }

    /// <inheritdoc/>
    public readonly bool Equals(Rng other) => Key == other.Key && Counter == other.Counter;

    /// <inheritdoc/>
    public override readonly bool Equals(object? obj) => obj is Rng other && Equals(other);

    /// <inheritdoc/>
    public override readonly int GetHashCode() => HashCode.Combine(Key, Counter);
}

/// <summary>What a split stream is for, so that two users of one seed never share draws.</summary>
public enum RngPurpose
{
    /// <summary>Initial weights.</summary>
    Initialization = 1,
    /// <summary>Starts and chance moves of environments.</summary>
    Environment,
    /// <summary>Choice of actions.</summary>
    Exploration,
    /// <summary>Choice of what to learn from.</summary>
    Sampling,
    /// <summary>Evaluation, apart from training so that its frequency changes nothing else.</summary>
    Evaluation,
    /// <summary>Tests and data made up for them.</summary>
    Test,
    /// <summary>Chance within a loss.</summary>
    Loss,
}
