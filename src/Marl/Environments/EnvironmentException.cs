namespace Marl.Native.Rl;

/// <summary>The exception for a failure of an environment: it threw an exception, or the program of an <see cref="ExternalEnvironment"/> ended, did not answer
/// within the timeout, or sent an invalid answer. The message is one line with the environment, the step and the problem.</summary>
public sealed class EnvironmentException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>Returns whether an exception of an environment has to be wrapped in an <see cref="EnvironmentException"/>.</summary>
    internal static bool IsForeign(Exception error)
        => error is not (EnvironmentException or UsageException or OperationCanceledException or OutOfMemoryException);

    /// <summary>Creates an exception with the message "environment 'id' failed at step 3: InvalidOperationException: ..".</summary>
    internal static EnvironmentException Of(Exception error, string id, string where)
        => new($"environment '{id}' failed {where}: {error.GetType().Name}: {error.Message}", error);
}
