namespace Marl.Native.Rl;

/// <summary>From one number per action to the choice of one.</summary>
public interface IActionSelector
{
    /// <summary>Chooses among the available.</summary>
    /// <param name="values">[A] values or logits.</param>
    /// <param name="available">[A]</param>
    /// <param name="exploration">how much is left to chance; 0 chooses greedily.</param>
    /// <param name="rng">chance.</param>
    /// <returns>an action, and the probability with which it was chosen.</returns>
    (int Action, float Probability) Select(ReadOnlySpan<float> values, ReadOnlySpan<bool> available, float exploration, ref Rng rng);
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

    /// <summary>What <see cref="Select"/> draws from: p(u) = epsilon / k + (1 - epsilon) [u greedy] over the k available actions, 0 for the others.</summary>
    public static void Probabilities(ReadOnlySpan<float> values, ReadOnlySpan<bool> available, float exploration, Span<float> probabilities)
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

/// <summary>Actions drawn from a policy pi(u) = (1 - floor) softmax(logits)(u) + floor / k over the k available actions; the likeliest where nothing is left
/// to chance.</summary>
public sealed class PolicySampler : IActionSelector
{
    /// <summary>The share of the uniform policy in it (COMA's bounded softmax, Foerster et al. 2018, section 5).</summary>
    public float Floor { get; set; }

    /// <inheritdoc/>
    public (int Action, float Probability) Select(ReadOnlySpan<float> values, ReadOnlySpan<bool> available, float exploration, ref Rng rng)
    {
        int likeliest = EpsilonGreedy.Greedy(values, available);
        if (exploration <= 0)
        {
            return (likeliest, 1f);
        }
        float sum = 0, share = Floor / available.Count(true), greatest = values[likeliest];
        for (int action = 0; action < values.Length; action++)
        {
            sum += available[action] ? Exp(values[action] - greatest) : 0f;
        }
        // The first action whose share of the cumulated probability is passed; rounding may leave the last available one.
        float left = rng.NextSingle();
        int chosen = likeliest;
        float probability = 0;
        for (int action = 0; action < values.Length && left >= 0; action++)
        {
            if (available[action])
            {
                (chosen, probability) = (action, share + (1f - Floor) * Exp(values[action] - greatest) / sum);
                left -= probability;
            }
        }
        return (chosen, probability);
    }

    private static float Exp(float x) => F1.Exp(new F1(x)).Value;
}
