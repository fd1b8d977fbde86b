using System.Text.Json.Serialization;
using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>
/// How actions are chosen from the outputs of the agents' networks: sampling, probabilities and log-probabilities, and how the exploration rate changes over
/// training. It is a part of an algorithm's options; derive a record from it to bring your own.
/// </summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = Parts.Discriminator)]
[JsonDerivedType(typeof(EpsilonGreedy), "epsilon-greedy")]
[JsonDerivedType(typeof(SoftmaxPolicy), "softmax")]
[JsonDerivedType(typeof(PolicyNoise), "noise")]
public abstract record Exploration
{
    /// <summary>Whether actions are sampled also at rate 0: the network's output is a policy to draw from, not values to maximize.</summary>
    public virtual bool IsStochastic => false;

    /// <summary>The exploration rate after <paramref name="steps"/> environment steps; 0 plays what was learned.</summary>
    public abstract float RateAt(long steps);

    /// <summary>The same for a given environment, where it depends on the kind of its actions.</summary>
    public virtual Exploration For(EnvironmentSpec spec) => this;

    /// <summary>Chooses among the available actions.</summary>
    /// <param name="values">[A] values or logits.</param>
    /// <param name="available">[A]</param>
    /// <param name="rate">The exploration rate.</param>
    /// <param name="rng">The stream of random numbers.</param>
    /// <returns>An action, and the probability with which it was chosen.</returns>
    public abstract (int Action, float Probability) Select(ReadOnlySpan<float> values, ReadOnlySpan<bool> available, float rate, ref Rng rng);

    /// <summary>The distribution that <see cref="Select"/> draws from.</summary>
    /// <param name="values">[A] values or logits.</param>
    /// <param name="available">[A]</param>
    /// <param name="rate">The exploration rate.</param>
    /// <param name="probabilities">[A] receives the probability of every action, 0 for the unavailable.</param>
    public abstract void Probabilities(ReadOnlySpan<float> values, ReadOnlySpan<bool> available, float rate, Span<float> probabilities);

    /// <summary>log pi along the last axis, of the same shape; 0 where unavailable. Differentiable.</summary>
    /// <param name="logits">[.., A]</param>
    /// <param name="available">[.., A], 1 where available; rows of padding are 0.</param>
    /// <param name="rate">The exploration rate.</param>
    /// <exception cref="UsageException">It has no differentiable policy.</exception>
    public virtual Var LogPolicy(Var logits, Tensor available, float rate = 0f)
        => throw new UsageException($"exploration {GetType().Name} has no policy that can be differentiated; policy gradients need exploration=softmax");

    /// <summary>Refuses values out of range.</summary>
    /// <exception cref="UsageException">Names the option and its range.</exception>
    public virtual void Validate()
    {
    }
}

/// <summary>The action of the greatest value, or with probability epsilon a uniformly random available one. Epsilon is annealed linearly.</summary>
public sealed record EpsilonGreedy : Exploration
{
    /// <summary>Epsilon at the beginning of training.</summary>
    public float EpsilonStart { get; init; } = 1f;

    /// <summary>Epsilon after <see cref="EpsilonAnneal"/> steps.</summary>
    public float EpsilonFinish { get; init; } = 0.05f;

    /// <summary>Environment steps over which epsilon is annealed.</summary>
    public long EpsilonAnneal { get; init; } = 200_000;

    /// <inheritdoc/>
    public override float RateAt(long steps) => Schedule.Linear(EpsilonStart, EpsilonFinish, EpsilonAnneal).At(steps);

    /// <inheritdoc/>
    public override void Validate()
    {
        UsageException.Require(EpsilonStart is >= 0 and <= 1, EpsilonStart, "in 0 .. 1");
        UsageException.Require(EpsilonFinish is >= 0 and <= 1, EpsilonFinish, "in 0 .. 1");
        UsageException.Require(EpsilonAnneal >= 0, EpsilonAnneal, "at least 0");
    }

    /// <inheritdoc/>
    public override (int Action, float Probability) Select(ReadOnlySpan<float> values, ReadOnlySpan<bool> available, float rate, ref Rng rng)
    {
        int greedy = Greedy(values, available);
        if (rate <= 0)
        {
            return (greedy, 1f);
        }
        int action = rng.NextSingle() < rate ? Any(available, ref rng) : greedy;
        return (action, rate / available.Count(true) + (action == greedy ? 1f - rate : 0f));
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
    public override void Probabilities(ReadOnlySpan<float> values, ReadOnlySpan<bool> available, float rate, Span<float> probabilities)
    {
        float share = rate / available.Count(true);
        for (int action = 0; action < values.Length; action++)
        {
            probabilities[action] = available[action] ? share : 0f;
        }
        probabilities[Greedy(values, available)] += 1f - rate;
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
public sealed record SoftmaxPolicy : Exploration
{
    /// <summary>The floor at the beginning of training.</summary>
    public float EpsilonFloorStart { get; init; }

    /// <summary>The floor after <see cref="EpsilonFloorAnneal"/> steps.</summary>
    public float EpsilonFloorFinish { get; init; }

    /// <summary>Environment steps over which the floor is annealed linearly.</summary>
    public long EpsilonFloorAnneal { get; init; }

    /// <summary>Whether softmax and floor are over the k available actions. Otherwise both are over all actions, and what is available is scaled up to 1
    /// (PyMARL, Samvelyan et al. 2019); without a floor this is the same.</summary>
    public bool MaskBeforeSoftmax { get; init; } = true;

    /// <inheritdoc/>
    public override bool IsStochastic => true;

    /// <inheritdoc/>
    public override float RateAt(long steps) => Schedule.Linear(EpsilonFloorStart, EpsilonFloorFinish, EpsilonFloorAnneal).At(steps);

    /// <inheritdoc/>
    public override void Validate()
    {
        UsageException.Require(EpsilonFloorStart is >= 0 and <= 1, EpsilonFloorStart, "in 0 .. 1");
        UsageException.Require(EpsilonFloorFinish is >= 0 and <= 1, EpsilonFloorFinish, "in 0 .. 1");
        UsageException.Require(EpsilonFloorAnneal >= 0, EpsilonFloorAnneal, "at least 0");
    }

    /// <inheritdoc/>
    public override (int Action, float Probability) Select(ReadOnlySpan<float> values, ReadOnlySpan<bool> available, float rate, ref Rng rng)
    {
        var policy = PolicyOf(values, available, rate);
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
    public override void Probabilities(ReadOnlySpan<float> values, ReadOnlySpan<bool> available, float rate, Span<float> probabilities)
    {
        var policy = PolicyOf(values, available, rate);
        for (int action = 0; action < values.Length; action++)
        {
            probabilities[action] = available[action] ? policy.Of(values[action]) : 0f;
        }
    }

    /// <summary>log pi along the last axis, of the same shape; 0 for what is unavailable. Gradients flow through the floor.</summary>
    /// <param name="logits">[.., A]</param>
    /// <param name="available">[.., A], 1 where available; rows of padding are 0.</param>
    /// <param name="rate">The floor, the share of the uniform policy.</param>
    public override Var LogPolicy(Var logits, Tensor available, float rate = 0f)
    {
        if (rate == 0)
        {
            return logits.LogSoftmax(available);
        }
        int actions = logits.Shape[-1];
        var can = logits.Tape.Constant(available);
        var k = can.Sum(-1).Reshape(logits.Shape.With(-1, 1));
        Var policy;
        if (MaskBeforeSoftmax)
        {
            policy = (1f - rate) * logits.Softmax(available) + rate * k.Clamp(1f, actions).Reciprocal();
        }
        else
        {
            policy = (1f - rate) * logits.Softmax() + rate / actions;
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

/// <summary>
/// Exploration of deterministic policies (MADDPG, Lowe et al. 2017, section 4.1). Discrete actions: a sample of softmax(logits) at any rate above 0, else the
/// likeliest action. Continuous actions: Gaussian noise whose standard deviation is the rate, as a share of half the range, annealed linearly.
/// </summary>
public sealed record PolicyNoise : Exploration
{
    private static readonly SoftmaxPolicy Softmax = new();

    /// <summary>The standard deviation at the beginning of training.</summary>
    public float NoiseStart { get; init; } = 0.3f;

    /// <summary>The standard deviation after <see cref="NoiseAnneal"/> steps.</summary>
    public float NoiseFinish { get; init; } = 0.1f;

    /// <summary>Environment steps over which the standard deviation is annealed.</summary>
    public long NoiseAnneal { get; init; } = 200_000;

    /// <inheritdoc/>
    public override float RateAt(long steps) => Schedule.Linear(NoiseStart, NoiseFinish, NoiseAnneal).At(steps);

    /// <inheritdoc/>
    public override Exploration For(EnvironmentSpec spec) => spec.IsContinuous ? this : this with { NoiseStart = 1f, NoiseFinish = 1f };

    /// <inheritdoc/>
    public override void Validate()
    {
        UsageException.Require(NoiseStart >= 0, NoiseStart, "at least 0");
        UsageException.Require(NoiseFinish >= 0, NoiseFinish, "at least 0");
        UsageException.Require(NoiseAnneal >= 0, NoiseAnneal, "at least 0");
    }

    /// <inheritdoc/>
    public override (int Action, float Probability) Select(ReadOnlySpan<float> values, ReadOnlySpan<bool> available, float rate, ref Rng rng)
        => rate > 0 ? Softmax.Select(values, available, 0f, ref rng) : (EpsilonGreedy.Greedy(values, available), 1f);

    /// <inheritdoc/>
    public override void Probabilities(ReadOnlySpan<float> values, ReadOnlySpan<bool> available, float rate, Span<float> probabilities)
    {
        if (rate > 0)
        {
            Softmax.Probabilities(values, available, 0f, probabilities);
            return;
        }
        probabilities.Clear();
        probabilities[EpsilonGreedy.Greedy(values, available)] = 1f;
    }
}
