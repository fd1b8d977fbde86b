namespace Marl.Native.Rl;

/// <summary>From one number per action to the choice of one.</summary>
public interface IActionSelector
{
    /// <summary>Whether chance chooses even where nothing is explored: what is learnt is a policy to draw actions from, not the best of them.</summary>
    bool IsStochastic => false;

    /// <summary>Chooses among the available.</summary>
    /// <param name="values">[A] values or logits.</param>
    /// <param name="available">[A]</param>
    /// <param name="exploration">how much is added to find out more, 0 .. 1; 0 is what was learnt.</param>
    /// <param name="rng">chance.</param>
    /// <returns>an action, and the probability with which it was chosen.</returns>
    (int Action, float Probability) Select(ReadOnlySpan<float> values, ReadOnlySpan<bool> available, float exploration, ref Rng rng);

    /// <summary>What <see cref="Select"/> draws from.</summary>
    /// <param name="values">[A] values or logits.</param>
    /// <param name="available">[A]</param>
    /// <param name="exploration">how much is added to find out more.</param>
    /// <param name="probabilities">[A] receives the probability of every action, 0 for the unavailable.</param>
    void Probabilities(ReadOnlySpan<float> values, ReadOnlySpan<bool> available, float exploration, Span<float> probabilities);
}

/// <summary>The action of the greatest value, or with probability epsilon any available one, all alike.</summary>
public sealed class EpsilonGreedy : IActionSelector
{
    /// <inheritdoc/>
    public (int Action, float Probability) Select(ReadOnlySpan<float> values, ReadOnlySpan<bool> available, float exploration, ref Rng rng)
    {
        int greedy = Greedy(values, available);
        if (exploration <= 0)
        {
            return (greedy, 1f);
        }
        int action = rng.NextSingle() < exploration ? Any(available, ref rng) : greedy;
        return (action, exploration / available.Count(true) + (action == greedy ? 1f - exploration : 0f));
    }

    /// <summary>The first greatest among the available.</summary>
    public static int Greedy(ReadOnlySpan<float> values, ReadOnlySpan<bool> available)
    {
        int best = -1;
        for (int action = 0; action < values.Length; action++)
        {
            if (available[action] && (best < 0 || values[action] > values[best]))
            {
                best = action;
            }
        }
        return best >= 0 ? best : throw new InvalidOperationException("no action is available");
    }

    /// <summary>p(u) = epsilon / k + (1 - epsilon) [u greedy] over the k available actions, 0 for the others.</summary>
    public void Probabilities(ReadOnlySpan<float> values, ReadOnlySpan<bool> available, float exploration, Span<float> probabilities)
    {
        float share = exploration / available.Count(true);
        for (int action = 0; action < values.Length; action++)
        {
            probabilities[action] = available[action] ? share : 0f;
        }
        probabilities[Greedy(values, available)] += 1f - exploration;
    }

    private static int Any(ReadOnlySpan<bool> available, ref Rng rng)
    {
        int skip = rng.NextInt(available.Count(true));
        int action = available.IndexOf(true);
        for (; skip > 0; skip--)
        {
            action += 1 + available[(action + 1)..].IndexOf(true);
        }
        return action;
    }
}

/// <summary>
/// Actions drawn from a policy pi(u) = (1 - floor) softmax(logits)(u) + floor / k. What is explored is the floor, the share of the uniform policy (COMA's bounded
/// softmax, Foerster et al. 2018, section 5). Acting reads it number by number, losses differentiate it (<see cref="LogPolicy"/>).
/// </summary>
public sealed class PolicySampler : IActionSelector
{
    /// <summary>Whether softmax and floor are over the k available actions. Otherwise both are over all actions, and what is available is scaled up to 1
    /// (PyMARL, Samvelyan et al. 2019); without a floor this is the same.</summary>
    public bool MaskBeforeSoftmax { get; init; } = true;

    /// <inheritdoc/>
    public bool IsStochastic => true;

    /// <inheritdoc/>
    public (int Action, float Probability) Select(ReadOnlySpan<float> values, ReadOnlySpan<bool> available, float exploration, ref Rng rng)
    {
        var policy = PolicyOf(values, available, exploration);
        // The first action whose share of the cumulated probability is passed; rounding may leave the last available one.
        float left = rng.NextSingle();
        int chosen = -1;
        float probability = 0;
        for (int action = 0; action < values.Length && left >= 0; action++)
        {
            if (available[action])
            {
                (chosen, probability) = (action, policy.Of(values[action]));
                left -= probability;
            }
        }
        return chosen >= 0 ? (chosen, probability) : throw new InvalidOperationException("no action is available");
    }

    /// <inheritdoc/>
    public void Probabilities(ReadOnlySpan<float> values, ReadOnlySpan<bool> available, float exploration, Span<float> probabilities)
    {
        var policy = PolicyOf(values, available, exploration);
        for (int action = 0; action < values.Length; action++)
        {
            probabilities[action] = available[action] ? policy.Of(values[action]) : 0f;
        }
    }

    /// <summary>log pi along the last axis, of the same shape; 0 for what is unavailable. Gradients flow through the floor.</summary>
    /// <param name="logits">[.., A]</param>
    /// <param name="available">[.., A], 1 where available; rows of padding are 0.</param>
    /// <param name="floor">the share of the uniform policy.</param>
    public Var LogPolicy(Var logits, Tensor available, float floor = 0f)
    {
        if (floor == 0)
        {
            return logits.LogSoftmax(available);
        }
        int actions = logits.Shape[-1];
        var can = logits.Tape.Constant(available);
        var k = can.Sum(-1).Reshape(logits.Shape.With(-1, 1));
        Var policy;
        if (MaskBeforeSoftmax)
        {
            policy = (1f - floor) * logits.Softmax(available) + floor * k.Clamp(1f, actions).Reciprocal();
        }
        else
        {
            policy = (1f - floor) * logits.Softmax() + floor / actions;
            policy /= (policy * can).Sum(-1).Reshape(k.Shape).MaskedFill(k.Value, 1f);
        }
        return policy.MaskedFill(available, 1f).Log();
    }

    /// <summary>pi for some logits.</summary>
    private Distribution PolicyOf(ReadOnlySpan<float> values, ReadOnlySpan<bool> available, float floor)
    {
        bool all = !MaskBeforeSoftmax && floor > 0;
        float greatest = float.NegativeInfinity, sum = 0;
        for (int action = 0; action < values.Length; action++)
        {
            greatest = all || available[action] ? MathF.Max(greatest, values[action]) : greatest;
        }
        for (int action = 0; action < values.Length; action++)
        {
            sum += all || available[action] ? Exp(values[action] - greatest) : 0f;
        }
        var policy = new Distribution(greatest, sum, floor, floor / (all ? values.Length : available.Count(true)), 1f);
        if (!all)
        {
            return policy;
        }
        float total = 0;
        for (int action = 0; action < values.Length; action++)
        {
            total += available[action] ? policy.Of(values[action]) : 0f;
        }
        return policy with { Total = total };
    }

    private static float Exp(float x) => F1.Exp(new F1(x)).Value;

    private readonly record struct Distribution(float Greatest, float Sum, float Floor, float Share, float Total)
    {
        public float Of(float value) => (Share + (1f - Floor) * Exp(value - Greatest) / Sum) / Total;
    }
}

/// <summary>The likeliest action; while something is left to explore, one drawn from softmax(logits): the Gumbel-max trick of policies that learn by the gradient of
/// a critic (MADDPG, Lowe et al. 2017, section 4.1).</summary>
public sealed class SoftmaxExploration : IActionSelector
{
    private static readonly PolicySampler Softmax = new();

    /// <inheritdoc/>
    public (int Action, float Probability) Select(ReadOnlySpan<float> values, ReadOnlySpan<bool> available, float exploration, ref Rng rng)
        => exploration > 0 ? Softmax.Select(values, available, 0f, ref rng) : (EpsilonGreedy.Greedy(values, available), 1f);

    /// <inheritdoc/>
    public void Probabilities(ReadOnlySpan<float> values, ReadOnlySpan<bool> available, float exploration, Span<float> probabilities)
    {
        if (exploration > 0)
        {
            Softmax.Probabilities(values, available, 0f, probabilities);
            return;
        }
        probabilities.Clear();
        probabilities[EpsilonGreedy.Greedy(values, available)] = 1f;
    }
}
