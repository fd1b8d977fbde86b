namespace Marl.Native.Rl;

/// <summary>The chance that a loss takes. A test that knows what was drawn elsewhere gives it in place of this.</summary>
internal class LossNoise
{
    /// <summary>-log(-log u), u uniform in (0, 1): the greatest of logits + such noise is a draw from their softmax (Gumbel 1954).</summary>
    /// <param name="shard">whose chance.</param>
    /// <param name="stream">a number for each use in a loss.</param>
    /// <param name="noise">[T, B, N, A] receives it.</param>
    public virtual void Gumbel(LossContext shard, int stream, Tensor noise)
    {
        var rng = shard.Rng.Split(RngPurpose.Loss, stream);
        using var numbers = new HostView(noise, writeOnly: true);
        foreach (ref float x in numbers.Span)
        {
            // In the middle of 2^24 intervals, so neither 0 nor 1.
            float u = ((rng.NextUInt64() >> 41) + 0.5f) * (1f / (1 << 23));
            x = -F1.Log(-F1.Log(new F1(u))).Value;
        }
    }

    /// <summary>Standard normal.</summary>
    /// <inheritdoc cref="Gumbel"/>
    public virtual void Normal(LossContext shard, int stream, Tensor noise)
    {
        var rng = shard.Rng.Split(RngPurpose.Loss, stream);
        using var numbers = new HostView(noise, writeOnly: true);
        foreach (ref float x in numbers.Span)
        {
            x = (float)rng.NextNormal();
        }
    }
}
