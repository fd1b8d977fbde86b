using System.Globalization;

namespace Marl.Native.Rl;

/// <summary>The exception for a failure of an environment: it threw an exception, an observation, the state or a reward is
/// NaN or infinite, an agent has no available action, or the program of an <see cref="ExternalEnvironment"/> ended, did not answer
/// within the timeout, or sent an invalid answer. The message is one line with the environment, the step and the problem.</summary>
public sealed class EnvironmentException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>Returns whether an exception of an environment has to be wrapped in an <see cref="EnvironmentException"/>.</summary>
    internal static bool IsForeign(Exception error)
        => error is not (EnvironmentException or UsageException or OperationCanceledException or OutOfMemoryException);

    /// <summary>Returns "during reset" or "at step 3 of an episode".</summary>
    internal static string At(int step) => step == 0 ? "during reset" : $"at step {step} of an episode";

    /// <summary>Creates an exception for a value that is NaN, infinite or too large for float32.</summary>
    /// <param name="spec">The environment.</param>
    /// <param name="what">The value: "element 2 of the observation of ", "the reward of ".</param>
    /// <param name="agent">The agent, whose name follows; null: none.</param>
    /// <param name="value">The value.</param>
    /// <param name="step">The step; 0: the reset.</param>
    internal static EnvironmentException NotFinite(EnvironmentSpec spec, string what, int? agent, double value, int step)
        => new($"environment '{spec.Id}' failed {At(step)}: {what}{(agent is int index ? spec.NameOf(index) : "")} is " +
            $"{value.ToString(CultureInfo.InvariantCulture)}; it must be a finite float32 number");

    /// <summary>Creates an exception with the message "environment 'id' failed at step 3: InvalidOperationException: ..".</summary>
    internal static EnvironmentException Of(Exception error, string id, string where)
        => new($"environment '{id}' failed {where}: {error.GetType().Name}: {error.Message}", error);
}
