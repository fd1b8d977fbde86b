using System.Runtime.CompilerServices;
using System.Text.Json.Serialization;

namespace Marl.Native.Nn;

/// <summary>
/// An optimizer's formula and hyperparameters, without any state: <c>new Adam { Epsilon = 1e-5 }</c>. An <see cref="Optimizer"/> applies it to parameters and keeps
/// its memories. Hyperparameters are double because 1 - 0.999f is off by 5e-5.
/// </summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(Adam), "adam"), JsonDerivedType(typeof(AdamW), "adamw")]
[JsonDerivedType(typeof(RmsProp), "rmsprop"), JsonDerivedType(typeof(Sgd), "sgd")]
public abstract record UpdateRule
{
    /// <summary>The learning rate of steps that are not given another.</summary>
    /// <exception cref="ArgumentOutOfRangeException">negative or not a number.</exception>
    public double LearningRate { get; init => field = NotNegative(value); } = 1e-3;

    /// <summary>The names of what it remembers from step to step, each as large as the parameters and 0 at first.</summary>
    protected internal abstract string[] Memories { get; }

    /// <summary>One step: changes p and the memories.</summary>
    /// <param name="p">[P] parameters.</param>
    /// <param name="g">[P] their gradient.</param>
    /// <param name="memories">[P] each, in the order of <see cref="Memories"/>.</param>
    /// <param name="step">t, counted from 1.</param>
    /// <param name="learningRate">of this step.</param>
    /// <param name="scale">how many times the gradient counts, as <see cref="Device.Update"/> takes it.</param>
    protected internal abstract void Apply(Tensor p, Tensor g, ReadOnlySpan<Tensor> memories, long step, double learningRate, Tensor scale);

    /// <summary>Checks a hyper-parameter that is set.</summary>
    protected static double NotNegative(double value, [CallerMemberName] string name = "")
        => value >= 0 && double.IsFinite(value) ? value
        : throw new ArgumentOutOfRangeException(name, value, $"{name} must not be negative");

    /// <summary>Checks a factor of decay that is set.</summary>
    protected static double Decay(double value, [CallerMemberName] string name = "")
        => value is >= 0 and < 1 ? value
        : throw new ArgumentOutOfRangeException(name, value, $"{name} must lie in [0, 1)");
}
