namespace Marl.Native.Rl;

/// <summary>
/// What a squared error counts, for agents that learn while the others change, and for a monotone value that cannot be right about all joint actions.
/// Functions from tensors to tensors: weights are constants to the gradient. With delta = y - Q(u) the loss is mean(w delta^2), so a weight is the ratio of two learning rates.
/// </summary>
public static class Weighting
{
    /// <summary>Hysteretic Q-learning: w = 1 where delta >= 0, else <paramref name="beta"/> (Matignon et al. 2007, equation 6; Omidshafiei et al. 2017).
    /// What went wrong may have been another's doing, so it is learned more slowly.</summary>
    /// <param name="tape">memory.</param>
    /// <param name="delta">[T, B, M] y - Q.</param>
    /// <param name="beta">beta / alpha, in [0, 1].</param>
    /// <returns>[T, B, M]</returns>
    public static Tensor Hysteretic(Tape tape, Tensor delta, float beta)
    {
        using var detached = tape.NoGrad();
        return detached.Keep(1f - (1f - beta) * tape.Constant(delta).Map(default(IsNegative)));
    }

    /// <summary>Optimistic weighting: w = 1 where Q_tot &lt; y, else <paramref name="alpha"/> (OW-QMIX, Rashid et al. 2020, section 5).</summary>
    /// <param name="tape">memory.</param>
    /// <param name="y">[T, B, M] what Q_tot should have been.</param>
    /// <param name="qTot">[T, B, M]</param>
    /// <param name="alpha">in [0, 1].</param>
    /// <returns>[T, B, M]</returns>
    public static Tensor Optimistic(Tape tape, Tensor y, Tensor qTot, float alpha)
    {
        using var detached = tape.NoGrad();
        return detached.Keep((1f - alpha) * (tape.Constant(qTot) - y).Map(default(IsNegative)) + alpha);
    }

    /// <summary>Central weighting: w = 1 where all did the greedy or y is above the greedy joint action's value, else <paramref name="alpha"/> (CW-QMIX,
    /// Rashid et al. 2020, section 5).</summary>
    /// <param name="tape">memory.</param>
    /// <param name="y">[T, B, 1] what Q_tot should have been.</param>
    /// <param name="best">[T, B, 1] Q*(s, u^), the central value of the greedy joint action.</param>
    /// <param name="actions">[T, B, N] u.</param>
    /// <param name="greedy">[T, B, N] u^.</param>
    /// <param name="alpha">in [0, 1].</param>
    /// <returns>[T, B, 1]</returns>
    public static Tensor Central(Tape tape, Tensor y, Tensor best, Tensor actions, Tensor greedy, float alpha)
    {
        using var detached = tape.NoGrad();
        var isAbove = (tape.Constant(best) - y).Map(default(IsNegative));
        var isGreedy = 1f - (tape.Constant(greedy) - actions).Abs().Sum(-1).Reshape(y.Shape).Clamp(0f, 1f);
        return detached.Keep((1f - alpha) * isAbove.Maximum(isGreedy) + alpha);
    }

    /// <summary>Lenient Q-learning: w = 0 where delta is negative and forgiven, x &lt;= leniency, else 1 (Panait et al. 2006; Palmer et al. 2018, equation 4).</summary>
    /// <param name="tape">memory.</param>
    /// <param name="delta">[T, B, M] y - Q.</param>
    /// <param name="x">[T, B, M] uniform in [0, 1).</param>
    /// <param name="leniency">[T, B, M] or one number: the probability of forgiving, see <see cref="Leniency"/>.</param>
    /// <returns>[T, B, M]</returns>
    public static Tensor Lenient(Tape tape, Tensor delta, Tensor x, Tensor leniency)
    {
        using var detached = tape.NoGrad();
        var forgiven = 1f - (tape.Constant(leniency) - x).Map(default(IsNegative));
        return detached.Keep(1f - forgiven * tape.Constant(delta).Map(default(IsNegative)));
    }

    /// <summary>1 - exp(-K temperature): the probability of forgiving (Palmer et al. 2018, equation 3).</summary>
    public static float Leniency(float moderation, float temperature) => 1f - F1.Exp(new F1(-moderation * temperature)).Value;

    /// <summary>pi_a(u_a): the probability with which an epsilon-greedy agent takes an action, epsilon / k + (1 - epsilon) [u_a greedy] over its k available
    /// actions.</summary>
    /// <param name="tape">memory.</param>
    /// <param name="q">the agents' values, and what they did. Rows without any available action (padding) are harmless.</param>
    /// <param name="epsilon">in [0, 1].</param>
    /// <returns>[T, B, N]</returns>
    public static Tensor Probability(Tape tape, in ActionValues q, float epsilon)
    {
        using var detached = tape.NoGrad();
        var greedy = tape.ArgMax(q.All.Value, q.Available).Reshape(q.Actions.Shape);
        var isGreedy = 1f - (tape.Constant(greedy) - q.Actions).Abs().Clamp(0f, 1f);
        var count = tape.Constant(q.Available).Sum(-1).Clamp(1f, float.MaxValue);
        return detached.Keep(epsilon * count.Reciprocal() + (1f - epsilon) * isGreedy);
    }

    /// <summary>
    /// Multi-agent importance sampling (Foerster et al. 2017, equations 5 and 8): w_a = prod_(b != a) pi_b(u_b) now / pi_b(u_b) then, the product over the
    /// others, whose present policies agent a's environment is made of. If policies are functions of the state that everyone sees, the
    /// weight is exact. If they are functions of action-observation histories it is an approximation: what the others had observed also depends on what
    /// was done before (section 4.1). Computed with logarithms, so that products of many ratios neither overflow nor vanish.
    /// </summary>
    /// <param name="tape">memory.</param>
    /// <param name="now">[T, B, N] probabilities of what was done by the policies of today.</param>
    /// <param name="then">[T, B, N] and by those that did it; positive, also in padding.</param>
    /// <param name="mask">[T, B, 1]: 1 for transitions; the weight of padding is 1.</param>
    /// <param name="kind">the product of a step, or of all steps of the episode up to it.</param>
    /// <param name="ceiling">cuts weights; infinite: none.</param>
    /// <returns>[T, B, N]</returns>
    public static Tensor Importance(Tape tape, Tensor now, Tensor then, Tensor mask, ImportanceKind kind, float ceiling = float.PositiveInfinity)
    {
        // A probability of 0 is a weight of 0; its logarithm has to stay a number, since an agent's own is taken away again.
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
        // In padding the sum of an episode would stand still.
        return detached.Keep((others * mask).Exp().Clamp(0f, ceiling));
    }
}

/// <summary>Whose steps an importance weight is the product over.</summary>
[System.Text.Json.Serialization.JsonConverter(typeof(WordConverter<ImportanceKind>))]
public enum ImportanceKind
{
    /// <summary>There is no weight.</summary>
    None,
    /// <summary>The step of the error.</summary>
    Step,
    /// <summary>All steps of the episode up to it.</summary>
    Episode,
}
