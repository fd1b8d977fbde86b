using System.Globalization;

namespace Marl.Native.Nn;

/// <summary>
/// A value that depends on the step, such as a learning rate or an exploration rate. It changes from one value to another over a number of steps and then stays
/// constant. A float converts to a constant schedule.
/// </summary>
public readonly record struct Schedule
{
    private readonly bool exponential;

    private Schedule(float from, float to, long steps, bool exponential)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(steps);
        (From, To, Steps, this.exponential) = (from, to, steps, exponential);
    }

    /// <summary>The value at step 0.</summary>
    public float From { get; }

    /// <summary>The value from step <see cref="Steps"/> on.</summary>
    public float To { get; }

    /// <summary>The number of steps of the change.</summary>
    public long Steps { get; }

    /// <summary>A constant value.</summary>
    public static Schedule Constant(float value) => new(value, value, 0, exponential: false);

    /// <summary>Linear interpolation: from + (to - from) step / steps.</summary>
    /// <exception cref="ArgumentOutOfRangeException">steps is negative.</exception>
    public static Schedule Linear(float from, float to, long steps) => new(from, to, steps, exponential: false);

    /// <summary>Exponential interpolation: from (to / from)^(step / steps).</summary>
    /// <exception cref="ArgumentOutOfRangeException">steps is negative, or a value is not positive.</exception>
    public static Schedule Exponential(float from, float to, long steps)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(from);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(to);
        return new(from, to, steps, exponential: true);
    }

    /// <summary>Converts a value to a constant schedule.</summary>
    public static implicit operator Schedule(float value) => Constant(value);

    /// <summary>The value at a step; for a negative step the value at step 0.</summary>
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

    /// <summary>Formats the schedule as "0.05" or "1 to 0.05 over 50000 steps".</summary>
    public override string ToString()
    {
        string suffix = exponential ? ", exponentially" : "";
        return Steps == 0 ? To.ToString(CultureInfo.InvariantCulture)
            : string.Create(CultureInfo.InvariantCulture, $"{From} to {To} over {Steps} steps{suffix}");
    }
}
