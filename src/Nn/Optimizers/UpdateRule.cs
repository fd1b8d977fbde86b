using System.Runtime.CompilerServices;
using System.Text.Json.Serialization;

namespace Marl.Native.Nn;

/// <summary>
/// The formula and hyperparameters of an optimizer, without state: <c>new Adam { Epsilon = 1e-5 }</c>. An <see cref="Optimizer"/> applies it to parameters and
/// keeps its state. Hyperparameters are double because 1 - 0.999f has an error of 5e-5.
/// </summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(Adam), "adam"), JsonDerivedType(typeof(AdamW), "adamw")]
[JsonDerivedType(typeof(RmsProp), "rmsprop"), JsonDerivedType(typeof(Sgd), "sgd")]
public abstract record UpdateRule
{
    /// <summary>The default learning rate.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative or not finite.</exception>
    public double LearningRate { get; init => field = NonNegative(value); } = 1e-3;

    /// <summary>The names of the state tensors, each of the size of the parameters and initially 0.</summary>
    protected internal abstract string[] StateNames { get; }

    /// <summary>Applies one step: updates p and the state.</summary>
    /// <param name="p">[P] the parameters.</param>
    /// <param name="g">[P] their gradient.</param>
    /// <param name="state">[P] each, in the order of <see cref="StateNames"/>.</param>
    /// <param name="step">The number t of the step, from 1.</param>
    /// <param name="learningRate">The learning rate of this step.</param>
    /// <param name="scale">[1] a factor on the gradient, or none, see <see cref="Device.Update"/>.</param>
    protected internal abstract void Apply(Tensor p, Tensor g, ReadOnlySpan<Tensor> state, long step, double learningRate, Tensor scale);

    /// <summary>Validates a hyperparameter: finite and at least 0.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative or not finite.</exception>
    protected static double NonNegative(double value, [CallerMemberName] string name = "")
        => value >= 0 && double.IsFinite(value) ? value
        : throw new ArgumentOutOfRangeException(name, value, $"{name} must be finite and at least 0");

    /// <summary>Validates a decay factor: in [0, 1).</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not in [0, 1).</exception>
    protected static double Decay(double value, [CallerMemberName] string name = "")
        => value is >= 0 and < 1 ? value
        : throw new ArgumentOutOfRangeException(name, value, $"{name} must be in [0, 1)");
}
