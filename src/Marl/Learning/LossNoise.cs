namespace Marl.Native.Rl;

/// <summary>Draws the random numbers of a loss. Tests override it to replay recorded numbers.</summary>
internal class LossNoise
{
    /// <summary>Draws standard Gumbel noise, -log(-log u), u uniform in (0, 1): the argmax of logits + noise is a sample of their softmax (Gumbel
    /// 1954).</summary>
    /// <param name="context">The shard, whose generator is split.</param>
    /// <param name="stream">The index of the random stream; one for each use in a loss.</param>
    /// <param name="noise">Receives the noise [T, B, N, A].</param>
    public virtual void Gumbel(LossContext context, int stream, Tensor noise)
    {
        var rng = context.Rng.Split(RngPurpose.Loss, stream);
        using var view = new HostView(noise, writeOnly: true);
        foreach (ref float x in view.Span)
        {
            // The midpoint of one of 2^23 intervals: never 0 or 1.
            float u = ((rng.NextUInt64() >> 41) + 0.5f) * (1f / (1 << 23));
            x = -F1.Log(-F1.Log(new F1(u))).Value;
        }
    }

    /// <summary>Draws standard normal noise.</summary>
    /// <inheritdoc cref="Gumbel"/>
    public virtual void Normal(LossContext context, int stream, Tensor noise)
    {
        var rng = context.Rng.Split(RngPurpose.Loss, stream);
        using var view = new HostView(noise, writeOnly: true);
        foreach (ref float x in view.Span)
        {
            x = (float)rng.NextNormal();
        }
    }
}
