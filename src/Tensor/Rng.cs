namespace Marl.Native;

/// <summary>
/// A counter-based random number generator, Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"). The state is <see cref="Key"/>
/// and <see cref="Counter"/>: draw i is a pure function of (key, i), so that a state is saved as two integers, and streams can be split in any order.
/// </summary>
/// <param name="key">The stream: a seed, or the key of a split stream.</param>
/// <param name="counter">The number of draws taken before.</param>
/// <example>
/// <code>
/// var rng = new Rng(7);                                    // seed 7
/// float uniform = rng.NextSingle();                        // in [0, 1)
/// int die = rng.NextInt(1, 6);
/// double normal = rng.NextNormal();
/// Rng weights = rng.Split(RngPurpose.Initialization, 3);   // an independent stream
/// </code>
/// </example>
public struct Rng(ulong key, ulong counter = 0) : IEquatable<Rng>
{
    /// <summary>The key of the stream.</summary>
    public ulong Key { get; } = key;

    /// <summary>The number of 64-bit draws taken.</summary>
    public ulong Counter { get; private set; } = counter;

    /// <summary>
    /// Returns an independent stream identified by (<paramref name="purpose"/>, <paramref name="a"/>, <paramref name="b"/>) under this key.
    /// <see cref="Counter"/> is neither read nor changed.
    /// </summary>
    public readonly Rng Split(RngPurpose purpose, int a = 0, int b = 0)
    {
        // The key of the new stream is a Philox output in a part of the counter space (highest word != 0) that draws never use.
        var (x0, x1, _, _) = Philox((uint)a, (uint)b, (uint)purpose, 0x5EED_0001u, Key);
        return new Rng((ulong)x1 << 32 | x0);
    }

    /// <summary>Returns a uniform 64-bit integer.</summary>
    public ulong NextUInt64()
    {
        var (x0, x1, _, _) = Philox((uint)Counter, (uint)(Counter >> 32), 0, 0, Key);
        Counter++;
        return (ulong)x1 << 32 | x0;
    }

    /// <summary>Returns a uniform integer in 0 .. <paramref name="count"/> - 1 (Lemire's multiply-shift; the bias is below 2^-32 count).</summary>
    /// <exception cref="ArgumentOutOfRangeException">count is not positive.</exception>
    public int NextInt(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        // The upper 64 bits of the product, by halves of the draw: on a GPU there is no product of 128 bits.
        ulong draw = NextUInt64();
        return (int)((draw >> 32) * (ulong)count + ((draw & uint.MaxValue) * (ulong)count >> 32) >> 32);
    }

    /// <summary>Returns a uniform integer in first .. last, both inclusive.</summary>
    public int NextInt(int first, int last) => first + NextInt(last - first + 1);

    /// <summary>Returns a uniform float in [0, 1), with 24 random bits.</summary>
    public float NextSingle() => (NextUInt64() >> 40) * (1f / (1 << 24));

    /// <summary>Returns a uniform double in [0, 1), with 53 random bits.</summary>
    public double NextDouble() => (NextUInt64() >> 11) * (1.0 / (1L << 53));

    /// <summary>Returns a uniform float in [low, high).</summary>
    public float NextSingle(float low, float high) => low + (high - low) * NextSingle();

    /// <summary>Returns a standard normal sample (Box-Muller; one value of each pair).</summary>
    public double NextNormal()
    {
        double u = 1.0 - NextDouble(), v = NextDouble();
        return Math.Sqrt(-2 * Math.Log(u)) * Math.Cos(2 * Math.PI * v);
    }

    /// <summary>Ten rounds of Philox: maps a counter of four words and a 64-bit key to four random words.</summary>
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

/// <summary>The purpose of a split stream. Streams of different purposes are independent.</summary>
public enum RngPurpose
{
    /// <summary>Initial weights.</summary>
    Initialization = 1,
    /// <summary>Initial states and transitions of environments.</summary>
    Environment,
    /// <summary>Sampling of actions.</summary>
    Exploration,
    /// <summary>Sampling of training data.</summary>
    Sampling,
    /// <summary>Evaluation; separate from training, so that its frequency does not affect training.</summary>
    Evaluation,
    /// <summary>Tests and their data.</summary>
    Test,
    /// <summary>Random draws within a loss.</summary>
    Loss,
}
