namespace Marl.Native.Rl;

/// <summary>The outputs of an agent's network for its actions, and which of them are available.</summary>
internal interface ILogits
{
    /// <summary>The number of actions.</summary>
    int Count { get; }

    /// <summary>The output of an action.</summary>
    float this[int action] { get; }

    /// <summary>Returns whether an action is available.</summary>
    bool IsAvailable(int action);
}

/// <summary>Logits in host memory.</summary>
internal readonly ref struct SpanLogits(ReadOnlySpan<float> values, ReadOnlySpan<bool> available) : ILogits
{
    private readonly ReadOnlySpan<float> values = values;
    private readonly ReadOnlySpan<bool> available = available;

    public int Count => values.Length;

    public float this[int action] => values[action];

    public bool IsAvailable(int action) => available[action];
}

/// <summary>Logits in the memory of a device, of which the first <paramref name="available"/> are available.</summary>
internal readonly ref struct MemoryLogits<TMemory>(TMemory memory, int count, int available) : ILogits
    where TMemory : struct, IMemory<TMemory>, allows ref struct
{
    private readonly TMemory memory = memory;

    public int Count => count;

    public float this[int action] => memory.ReadFloat(action);

    public bool IsAvailable(int action) => action < available;
}

/// <summary>The distribution of <see cref="SoftmaxPolicy"/> in host memory and in kernels.</summary>
/// <param name="max">The largest logit.</param>
/// <param name="sum">The sum of e^(logit - max).</param>
/// <param name="floor">The probability of a uniformly random action.</param>
/// <param name="share">The floor of each action.</param>
/// <param name="total">The sum of the probabilities of available actions before they are rescaled.</param>
internal readonly struct SoftmaxDistribution(float max, float sum, float floor, float share, float total)
{
    /// <summary>Computes the distribution of logits.</summary>
    /// <param name="logits">The logits.</param>
    /// <param name="floor">The floor.</param>
    /// <param name="overAll">Whether softmax and floor are computed over all actions, see <see cref="SoftmaxPolicy.MaskBeforeSoftmax"/>.</param>
    public static SoftmaxDistribution Of<TLogits>(TLogits logits, float floor, bool overAll) where TLogits : struct, ILogits, allows ref struct
    {
        bool all = overAll && floor > 0;
        float max = float.NegativeInfinity, sum = 0;
        int count = 0;
        for (int action = 0; action < logits.Count; action++)
        {
            if (all || logits.IsAvailable(action))
            {
                max = MathF.Max(max, logits[action]);
                count++;
            }
        }
        for (int action = 0; action < logits.Count; action++)
        {
            if (all || logits.IsAvailable(action))
            {
                sum += Exp(logits[action] - max);
            }
        }
        var policy = new SoftmaxDistribution(max, sum, floor, floor / count, 1f);
        if (!all)
        {
            return policy;
        }
        float total = 0;
        for (int action = 0; action < logits.Count; action++)
        {
            if (logits.IsAvailable(action))
            {
                total += policy.Of(logits[action]);
            }
        }
        return new(max, sum, floor, floor / count, total);
    }

    /// <summary>Samples an action: the first at which the cumulative probability exceeds u; because of rounding it may be the last one whose probability is not
    /// 0.</summary>
    /// <returns>The action and its probability; -1 if no action is available.</returns>
    public (int Action, float Probability) Sample<TLogits>(TLogits logits, float u) where TLogits : struct, ILogits, allows ref struct
    {
        int chosen = -1;
        float probability = 0;
        for (int action = 0; action < logits.Count && u >= 0; action++)
        {
            float p = logits.IsAvailable(action) ? Of(logits[action]) : 0f;
            if (p != 0f)
            {
                (chosen, probability) = (action, p);
                u -= p;
            }
        }
        return (chosen, probability);
    }

    /// <summary>Returns the probability of an available action by its logit.</summary>
    public float Of(float logit) => (share + (1f - floor) * Exp(logit - max) / sum) / total;

    private static float Exp(float x) => F1.Exp(new F1(x)).Value;
}
