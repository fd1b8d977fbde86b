using System.Text.Json.Serialization;

namespace Marl.Native.Rl;

/// <summary>
/// The options of lenient learning (Panait et al. 2006): with probability l = 1 - exp(-K temperature) a negative error is ignored, because the other agents,
/// who explore as well, may have caused it. Temperatures fall from 1.
/// </summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = Parts.Discriminator)]
[JsonDerivedType(typeof(AnnealedLeniency), "annealed")]
[JsonDerivedType(typeof(VisitLeniency), "visits")]
public abstract record LeniencyOptions
{
    private protected LeniencyOptions()
    {
    }

    /// <summary>K, the moderation factor, at least 0. 0: off.</summary>
    public float Moderation { get; init; }

    /// <summary>Checks the ranges of the options.</summary>
    /// <exception cref="UsageException">An option is out of range; the message names it and its range.</exception>
    public virtual void Validate() => UsageException.Require(Moderation >= 0, Moderation, "at least 0");
}

/// <summary>Leniency with one temperature for all states and actions, annealed over the steps of training.</summary>
public sealed record AnnealedLeniency : LeniencyOptions
{
    /// <summary>Environment steps over which the temperature is annealed linearly from 1 to 0.</summary>
    public long Anneal { get; init; } = 200_000;

    /// <inheritdoc/>
    public override void Validate()
    {
        base.Validate();
        UsageException.Require(Anneal >= 0, Anneal, "at least 0");
    }
}

/// <summary>
/// Leniency with a temperature for every agent, observation and action, which falls with visits (lenient DQN, Palmer et al. 2018). When an episode of T steps
/// has ended, the temperatures of its observations and actions decay from the last step to the first:
/// <code>
/// n     = T - 1 - t
/// T(o_t, u_t) = min(nu, exp(rho d^n) ((1 - eta) T(o_t, u_t) + eta mean_u T(o_{t+1}, u)))        eta = 0 if t terminates
/// nu    = mu nu                                                                                 once per episode, from 1
/// </code>
/// A transition is stored with the leniency that it had when it was played. rho, d are the temperature decay schedule, with which temperatures near the end of
/// episodes fall first; eta is average temperature folding (Wei and Luke 2016); nu is the greatest temperature. The defaults are those of the authors' code.
/// Observations are looked up by a hash of their elements, which are rounded to multiples of <see cref="Cell"/>; observations with the same hash share
/// temperatures.
/// </summary>
public sealed record VisitLeniency : LeniencyOptions
{
    /// <summary>Initializes the defaults: K = 1.</summary>
    public VisitLeniency() => Moderation = 1f;

    /// <summary>rho, the exponent of the decay of the last step of an episode, at most 0.</summary>
    public float DecayExponent { get; init; } = -0.01f;

    /// <summary>d, the ratio of the exponents of a step and of the one after it, in [0, 1].</summary>
    public float DecayRate { get; init; } = 0.9f;

    /// <summary>mu, the decay of the greatest temperature per episode, in [0, 1].</summary>
    public float MaxTemperatureDecay { get; init; } = 0.9998f;

    /// <summary>eta, the weight of the mean temperature of the next observation, in [0, 1]. 0: off.</summary>
    public float Folding { get; init; }

    /// <summary>The multiple to which elements of observations are rounded before they are hashed, above 0.</summary>
    public float Cell { get; init; } = 1f;

    /// <summary>Bits of the hash, 1 to 24: an agent has 2^bits temperatures per action.</summary>
    public int HashBits { get; init; } = 14;

    /// <inheritdoc/>
    public override void Validate()
    {
        base.Validate();
        UsageException.Require(DecayExponent <= 0, DecayExponent, "at most 0");
        UsageException.Require(DecayRate is >= 0 and <= 1, DecayRate, "in 0 .. 1");
        UsageException.Require(MaxTemperatureDecay is >= 0 and <= 1, MaxTemperatureDecay, "in 0 .. 1");
        UsageException.Require(Folding is >= 0 and <= 1, Folding, "in 0 .. 1");
        UsageException.Require(Cell > 0, Cell, "above 0");
        UsageException.Require(HashBits is >= 1 and <= 24, HashBits, "in 1 .. 24");
    }
}
