namespace Marl.Native.Rl;

/// <summary>
/// Weights w of squared errors: against the nonstationarity of other learning agents, and for monotonic values that cannot represent all joint actions. With
/// delta = y - Q(u) the loss is mean(w delta^2), so a weight is the ratio of two learning rates. Weights are constants without gradients.
/// </summary>
public static class Weighting
{
    /// <summary>Computes the weights of hysteretic Q-learning, w = 1 where delta >= 0, else <paramref name="beta"/> (Matignon et al. 2007, equation 6;
    /// Omidshafiei et al. 2017). Negative errors may be caused by other agents, so they are learned more slowly.</summary>
    /// <param name="tape">Allocates the result.</param>
    /// <param name="delta">y - Q [T, B, M].</param>
    /// <param name="beta">beta / alpha, in [0, 1].</param>
    /// <returns>w [T, B, M].</returns>
    public static Tensor Hysteretic(Tape tape, Tensor delta, float beta)
    {
        using var detached = tape.NoGrad();
        return detached.Keep(1f - (1f - beta) * tape.Constant(delta).Map(default(IsNegative)));
    }

    /// <summary>Computes optimistic weights, w = 1 where Q_tot &lt; y, else <paramref name="alpha"/> (OW-QMIX, Rashid et al. 2020, section 5).</summary>
    /// <param name="tape">Allocates the result.</param>
    /// <param name="y">Targets of Q_tot [T, B, M].</param>
    /// <param name="qTot">Q_tot [T, B, M].</param>
    /// <param name="alpha">In [0, 1].</param>
    /// <returns>w [T, B, M].</returns>
    public static Tensor Optimistic(Tape tape, Tensor y, Tensor qTot, float alpha)
    {
        using var detached = tape.NoGrad();
        return detached.Keep((1f - alpha) * (tape.Constant(qTot) - y).Map(default(IsNegative)) + alpha);
    }

    /// <summary>Computes central weights, w = 1 where the joint action is greedy or y exceeds the greedy joint action's value, else <paramref name="alpha"/>
    /// (CW-QMIX, Rashid et al. 2020, section 5).</summary>
    /// <param name="tape">Allocates the result.</param>
    /// <param name="y">Targets of Q_tot [T, B, 1].</param>
    /// <param name="best">Q*(s, u^) [T, B, 1], the central value of the greedy joint action.</param>
    /// <param name="actions">The joint action u [T, B, N], or [T, B, N K] with K branches.</param>
    /// <param name="greedy">The greedy joint action u^ [T, B, N], or [T, B, N K].</param>
    /// <param name="alpha">In [0, 1].</param>
    /// <returns>w [T, B, 1].</returns>
    public static Tensor Central(Tape tape, Tensor y, Tensor best, Tensor actions, Tensor greedy, float alpha)
    {
        using var detached = tape.NoGrad();
        var isAbove = (tape.Constant(best) - y).Map(default(IsNegative));
        var isGreedy = 1f - (tape.Constant(greedy) - actions).Abs().Sum(-1).Reshape(y.Shape).Clamp(0f, 1f);
        return detached.Keep((1f - alpha) * isAbove.Maximum(isGreedy) + alpha);
    }

    /// <summary>Computes the weights of lenient Q-learning, w = 0 where delta is negative and x &lt;= leniency, else 1 (Panait et al. 2006; Palmer et al. 2018,
    /// equation 4).</summary>
    /// <param name="tape">Allocates the result.</param>
    /// <param name="delta">y - Q [T, B, M].</param>
    /// <param name="x">Uniform samples in [0, 1) [T, B, M].</param>
    /// <param name="leniency">The probability of ignoring a negative error, [T, B, M] or [1], see <see cref="Leniency"/>.</param>
    /// <returns>w [T, B, M].</returns>
    public static Tensor Lenient(Tape tape, Tensor delta, Tensor x, Tensor leniency)
    {
        using var detached = tape.NoGrad();
        var ignored = 1f - (tape.Constant(leniency) - x).Map(default(IsNegative));
        return detached.Keep(1f - ignored * tape.Constant(delta).Map(default(IsNegative)));
    }

    /// <summary>Computes the leniency, 1 - exp(-K temperature), with the moderation factor K (Palmer et al. 2018, equation 3).</summary>
    public static float Leniency(float moderation, float temperature) => 1f - F1.Exp(new F1(-moderation * temperature)).Value;

    /// <summary>Computes the probabilities of the chosen actions under epsilon-greedy policies, pi_a(u_a) = epsilon / k + (1 - epsilon) [u_a greedy] with k
    /// available actions.</summary>
    /// <param name="tape">Allocates the result.</param>
    /// <param name="q">The agents' values and chosen actions. Padding rows may have no available action.</param>
    /// <param name="epsilon">In [0, 1].</param>
    /// <returns>pi_a(u_a) [T, B, N].</returns>
    public static Tensor Probability(Tape tape, in ActionValues q, float epsilon)
    {
        using var detached = tape.NoGrad();
        var greedy = tape.ArgMax(q.All.Value, q.Available).Reshape(q.Actions.Shape);
        var isGreedy = 1f - (tape.Constant(greedy) - q.Actions).Abs().Clamp(0f, 1f);
        var count = tape.Constant(q.Available).Sum(-1).Clamp(1f, float.MaxValue);
        return detached.Keep(epsilon * count.Reciprocal() + (1f - epsilon) * isGreedy);
    }

    /// <summary>
    /// Computes multi-agent importance weights (Foerster et al. 2017, equations 5 and 8): w_a = prod_(b != a) pi_b(u_b) now / pi_b(u_b) then, the product
    /// over the other agents. The weights are exact if policies are functions of the state, and approximate if they are functions of action-observation
    /// histories (section 4.1). Computed with logarithms, so that products of many ratios neither overflow nor underflow.
    /// </summary>
    /// <param name="tape">Allocates the result.</param>
    /// <param name="now">Probabilities of the actions under the current policies [T, B, N].</param>
    /// <param name="then">Probabilities of the actions when they were taken [T, B, N]; positive, also in the padding.</param>
    /// <param name="mask">[T, B, 1]: 1 for transitions; the weight of padding is 1.</param>
    /// <param name="kind">Whether the product is over the step, or over all steps of the episode up to it.</param>
    /// <param name="ceiling">Upper bound of the weights; infinite: none.</param>
    /// <returns>w_a [T, B, N].</returns>
    public static Tensor Importance(Tape tape, Tensor now, Tensor then, Tensor mask, ImportanceKind kind, float ceiling = float.PositiveInfinity)
    {
        // A probability of 0 gives a weight of 0; its logarithm must be finite, because an agent's own is subtracted again.
        const float LeastProbability = 1e-30f;
        using var detached = tape.NoGrad();
        var logRatio = (tape.Constant(now).Clamp(LeastProbability, 1f).Log() - tape.Constant(then).Log()) * mask;
        var others = logRatio.Sum(-1).Reshape(mask.Shape) - logRatio;
        if (kind == ImportanceKind.Episode)
        {
            for (int t = 1; t < now.Shape[0]; t++)
            {
                var sum = others.Value[t];
                tape.Device.Zip(default(Add), others.Value[t - 1], sum, sum);
            }
        }
        // The mask resets the cumulative sum in the padding.
        return detached.Keep((others * mask).Exp().Clamp(0f, ceiling));
    }
}

/// <summary>The steps that an importance weight is the product over.</summary>
[System.Text.Json.Serialization.JsonConverter(typeof(CamelCaseEnumConverter<ImportanceKind>))]
public enum ImportanceKind
{
    /// <summary>No importance weights.</summary>
    None,
    /// <summary>The step of the error.</summary>
    Step,
    /// <summary>All steps of the episode up to that of the error.</summary>
    Episode,
}
