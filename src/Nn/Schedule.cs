using System.Globalization;

namespace Marl.Native.Nn;

/// <summary>A number that depends on the step: a learning rate, an exploration rate. It goes from one value to another over some
/// steps and stays there; a plain number converts to a schedule that never changes.</summary>
public readonly record struct Schedule
{
    private readonly bool exponential;

    private Schedule(float from, float to, long steps, bool exponential)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(steps);
        (From, To, Steps, this.exponential) = (from, to, steps, exponential);
    }

    /// <summary>Value at step 0.</summary>
    public float From { get; }

    /// <summary>Value at step <see cref="Steps"/> and later.</summary>
    public float To { get; }

    /// <summary>How long it changes.</summary>
    public long Steps { get; }

    /// <summary>Always the same.</summary>
    public static Schedule Constant(float value) => new(value, value, 0, exponential: false);

    /// <summary>from + (to - from) step / steps.</summary>
    /// <exception cref="ArgumentOutOfRangeException">steps are negative.</exception>
    public static Schedule Linear(float from, float to, long steps) => new(from, to, steps, exponential: false);

    /// <summary>from (to / from)^(step / steps): the same factor at every step.</summary>
    /// <exception cref="ArgumentOutOfRangeException">steps are negative, or a value is not positive.</exception>
    public static Schedule Exponential(float from, float to, long steps)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(from);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(to);
        return new(from, to, steps, exponential: true);
    }

    /// <summary><see cref="Constant"/></summary>
    public static implicit operator Schedule(float value) => Constant(value);

    /// <summary>The value at a step; before step 0 that of step 0.</summary>
    public float At(long step)
    {
        step = Math.Max(0, step);
        if (step >= Steps)
        {
            return To;
        }
        double progress = step / (double)Steps;
        return (float)(exponential ? From * Math.Pow((double)To / From, progress) : From + ((double)To - From) * progress);
    }

    /// <summary>"0.05", or "1 to 0.05 over 50000 steps".</summary>
    public override string ToString()
    {
        string way = exponential ? ", exponentially" : "";
        return Steps == 0 ? To.ToString(CultureInfo.InvariantCulture)
            : string.Create(CultureInfo.InvariantCulture, $"{From} to {To} over {Steps} steps{way}");
    }
}
