using System.Text.Json.Serialization;
using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>
/// Selects actions from the outputs of the agents' networks during training: the schedule of the exploration rate, sampling, and the probabilities of
/// actions. It is a part of an algorithm's options. Derive a record from it for an exploration of your own. The branches of an action are selected one by one and
/// independently, each with the exploration rate.
/// </summary>
/// <example>
/// Uniformly random actions for some steps, and greedy ones afterwards:
/// <code>
/// public sealed record WarmUp : Exploration
/// {
///     private static readonly EpsilonGreedy Greedy = new();
///     public long RandomSteps { get; init; } = 10_000;
///     public override float RateAt(long steps) => steps &lt; RandomSteps ? 1f : 0f;
///     public override (int Action, float Probability) Select(
///         ReadOnlySpan&lt;float&gt; values, ReadOnlySpan&lt;bool&gt; available, float rate, ref Rng rng)
///         => Greedy.Select(values, available, rate, ref rng);
///     public override void Probabilities(
///         ReadOnlySpan&lt;float&gt; values, ReadOnlySpan&lt;bool&gt; available, float rate, Span&lt;float&gt; probabilities)
///         => Greedy.Probabilities(values, available, rate, probabilities);
/// }
/// </code></example>
[JsonPolymorphic(TypeDiscriminatorPropertyName = Parts.Discriminator)]
[JsonDerivedType(typeof(EpsilonGreedy), "epsilon-greedy")]
[JsonDerivedType(typeof(SoftmaxPolicy), "softmax")]
[JsonDerivedType(typeof(PolicyNoise), "noise")]
public abstract record Exploration
{
    /// <summary>Whether actions are sampled at rate 0 too: the network's outputs are logits of a stochastic policy, not action values.</summary>
    public virtual bool IsStochastic => false;

    /// <summary>The exploration rate of a run's evaluations. At rate 0 nothing is explored.</summary>
    public virtual float EvaluationRate => 0f;

    /// <summary>Returns the exploration rate after <paramref name="steps"/> environment steps.</summary>
    public abstract float RateAt(long steps);

    /// <summary>Returns the exploration to use in an environment, if it depends on the kind of actions.</summary>
    public virtual Exploration For(EnvironmentSpec spec) => this;

    /// <summary>Selects an available action.</summary>
    /// <param name="values">Action values or logits [A].</param>
    /// <param name="available">Mask of available actions [A].</param>
    /// <param name="rate">The exploration rate.</param>
    /// <param name="rng">The random number generator.</param>
    /// <returns>The index of the action, and the probability with which it was selected.</returns>
    public abstract (int Action, float Probability) Select(ReadOnlySpan<float> values, ReadOnlySpan<bool> available, float rate, ref Rng rng);

    /// <summary>Computes the distribution that <see cref="Select"/> samples from.</summary>
    /// <param name="values">Action values or logits [A].</param>
    /// <param name="available">Mask of available actions [A].</param>
    /// <param name="rate">The exploration rate.</param>
    /// <param name="probabilities">Receives the probability of every action [A]; 0 for unavailable actions.</param>
    public abstract void Probabilities(ReadOnlySpan<float> values, ReadOnlySpan<bool> available, float rate, Span<float> probabilities);

    /// <summary>Computes log pi [.., A] along the last axis; 0 for unavailable actions. Differentiable.</summary>
    /// <param name="logits">Outputs of the network [.., A].</param>
    /// <param name="available">Mask of available actions [.., A]; padding rows are 0.</param>
    /// <param name="rate">The exploration rate.</param>
    /// <exception cref="UsageException">The exploration has no differentiable policy.</exception>
    public virtual Var LogPolicy(Var logits, Tensor available, float rate = 0f)
        => throw new UsageException($"exploration {GetType().Name} has no differentiable policy; policy gradients need exploration=softmax");

    /// <summary>Checks that all options are in range.</summary>
    /// <exception cref="UsageException">An option is out of range; the message names it and the range.</exception>
    public virtual void Validate()
    {
    }
}

/// <summary>Epsilon-greedy exploration: with probability epsilon a uniformly random available action, otherwise the one with the largest value. Epsilon is
/// annealed linearly.</summary>
public sealed record EpsilonGreedy : Exploration
{
    /// <summary>Epsilon at the start of training, in [0, 1].</summary>
    public float EpsilonStart { get; init; } = 1f;

    /// <summary>Epsilon after <see cref="EpsilonAnneal"/> steps, in [0, 1].</summary>
    public float EpsilonFinish { get; init; } = 0.05f;

    /// <summary>Environment steps over which epsilon is annealed linearly.</summary>
    public long EpsilonAnneal { get; init; } = 200_000;

    /// <summary>Epsilon of the run's evaluations, in [0, 1]. The saved policy is greedy.</summary>
    public float EvaluationEpsilon { get; init; }

    /// <inheritdoc/>
    public override float EvaluationRate => EvaluationEpsilon;

    /// <inheritdoc/>
    public override float RateAt(long steps) => Schedule.Linear(EpsilonStart, EpsilonFinish, EpsilonAnneal).At(steps);

    /// <inheritdoc/>
    public override void Validate()
    {
        UsageException.Require(EpsilonStart is >= 0 and <= 1, EpsilonStart, "in 0 .. 1");
        UsageException.Require(EpsilonFinish is >= 0 and <= 1, EpsilonFinish, "in 0 .. 1");
        UsageException.Require(EpsilonAnneal >= 0, EpsilonAnneal, "at least 0");
        UsageException.Require(EvaluationEpsilon is >= 0 and <= 1, EvaluationEpsilon, "in 0 .. 1");
    }

    /// <inheritdoc/>
    public override (int Action, float Probability) Select(ReadOnlySpan<float> values, ReadOnlySpan<bool> available, float rate, ref Rng rng)
    {
        int greedy = Greedy(values, available);
        if (rate <= 0)
        {
            return (greedy, 1f);
        }
        int action = rng.NextSingle() < rate ? RandomAvailable(available, ref rng) : greedy;
        return (action, rate / available.Count(true) + (action == greedy ? 1f - rate : 0f));
    }

    /// <summary>Returns the available action with the largest value; the first of equal ones.</summary>
    /// <param name="values">Action values [A].</param>
    /// <param name="available">Mask of available actions [A].</param>
    /// <exception cref="InvalidOperationException">No action is available.</exception>
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

    /// <summary>Computes p(u) = epsilon / k + (1 - epsilon) [u greedy] for the k available actions; 0 for the others.</summary>
    public override void Probabilities(ReadOnlySpan<float> values, ReadOnlySpan<bool> available, float rate, Span<float> probabilities)
    {
        float share = rate / available.Count(true);
        for (int action = 0; action < values.Length; action++)
        {
            probabilities[action] = available[action] ? share : 0f;
        }
        probabilities[Greedy(values, available)] += 1f - rate;
    }

    private static int RandomAvailable(ReadOnlySpan<bool> available, ref Rng rng)
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
/// The stochastic policy pi(u) = (1 - floor) softmax(logits)(u) + floor / k over the k available actions. The exploration rate is the floor, the probability
/// of a uniformly random action (bounded softmax of COMA, Foerster et al. 2018, section 5). 0: the softmax alone.
/// </summary>
public sealed record SoftmaxPolicy : Exploration
{
    /// <summary>Floor at the start of training, in [0, 1]: the probability of a uniformly random action.</summary>
    public float EpsilonFloorStart { get; init; }

    /// <summary>Floor after <see cref="EpsilonFloorAnneal"/> steps, in [0, 1].</summary>
    public float EpsilonFloorFinish { get; init; }

    /// <summary>Environment steps over which the floor is annealed linearly.</summary>
    public long EpsilonFloorAnneal { get; init; }

    /// <summary>Whether softmax and floor are computed over the available actions. false: over all actions, and the probabilities of the available ones are
    /// rescaled to sum to 1 (PyMARL, Samvelyan et al. 2019). Both are the same without a floor.</summary>
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
        var logits = new SpanLogits(values, available);
        var (action, probability) = SoftmaxDistribution.Of(logits, rate, !MaskBeforeSoftmax).Sample(logits, rng.NextSingle());
        return action >= 0 ? (action, probability) : throw new InvalidOperationException("no action is available");
    }

    /// <inheritdoc/>
    public override void Probabilities(ReadOnlySpan<float> values, ReadOnlySpan<bool> available, float rate, Span<float> probabilities)
    {
        var policy = SoftmaxDistribution.Of(new SpanLogits(values, available), rate, !MaskBeforeSoftmax);
        for (int action = 0; action < values.Length; action++)
        {
            probabilities[action] = available[action] ? policy.Of(values[action]) : 0f;
        }
    }

    /// <summary>Computes log pi [.., A] along the last axis, floor included; 0 for unavailable actions. Differentiable.</summary>
    /// <param name="logits">Outputs of the network [.., A].</param>
    /// <param name="available">Mask of available actions [.., A]; padding rows are 0.</param>
    /// <param name="rate">The floor, in [0, 1].</param>
    public override Var LogPolicy(Var logits, Tensor available, float rate = 0f)
    {
        if (rate == 0)
        {
            return logits.LogSoftmax(available);
        }
        int actions = logits.Shape[-1];
        var mask = logits.Tape.Constant(available);
        var k = mask.Sum(-1).Reshape(logits.Shape.With(-1, 1));
        Var policy;
        if (MaskBeforeSoftmax)
        {
            policy = (1f - rate) * logits.Softmax(available) + rate * k.Clamp(1f, actions).Reciprocal();
        }
        else
        {
            policy = (1f - rate) * logits.Softmax() + rate / actions;
            policy /= (policy * mask).Sum(-1).Reshape(k.Shape).MaskedFill(k.Value, 1f);
        }
        return policy.MaskedFill(available, 1f).Log();
    }
}

/// <summary>
/// Exploration of deterministic policies (MADDPG, Lowe et al. 2017, section 4.1). Continuous actions: Gaussian noise whose standard deviation is the rate, as a
/// fraction of half the action range, annealed linearly. Discrete actions: samples of softmax(logits), as <see cref="SoftmaxPolicy"/>.
/// </summary>
public sealed record PolicyNoise : Exploration
{
    private static readonly SoftmaxPolicy Softmax = new();

    /// <summary>Standard deviation of the noise on continuous actions at the start of training, as a fraction of half the action range.</summary>
    public float NoiseStart { get; init; } = 0.3f;

    /// <summary>Standard deviation after <see cref="NoiseAnneal"/> steps.</summary>
    public float NoiseFinish { get; init; } = 0.1f;

    /// <summary>Environment steps over which the standard deviation is annealed linearly.</summary>
    public long NoiseAnneal { get; init; } = 200_000;

    /// <inheritdoc/>
    public override float RateAt(long steps) => Schedule.Linear(NoiseStart, NoiseFinish, NoiseAnneal).At(steps);

    /// <inheritdoc/>
    public override Exploration For(EnvironmentSpec spec) => spec.ActionLayout.VectorSize > 0 ? this : Softmax;

    /// <inheritdoc/>
    public override void Validate()
    {
        UsageException.Require(NoiseStart >= 0, NoiseStart, "at least 0");
        UsageException.Require(NoiseFinish >= 0, NoiseFinish, "at least 0");
        UsageException.Require(NoiseAnneal >= 0, NoiseAnneal, "at least 0");
    }

    /// <inheritdoc/>
    public override (int Action, float Probability) Select(ReadOnlySpan<float> values, ReadOnlySpan<bool> available, float rate, ref Rng rng)
        => Softmax.Select(values, available, 0f, ref rng);

    /// <inheritdoc/>
    public override void Probabilities(ReadOnlySpan<float> values, ReadOnlySpan<bool> available, float rate, Span<float> probabilities)
        => Softmax.Probabilities(values, available, 0f, probabilities);
}
