namespace Marl.Native.Rl;

/// <summary>An environment failed: it threw an exception, or the program of an <see cref="ExternalEnvironment"/> ended, gave no answer in time, or gave one that
/// cannot be used. The message is one line that names the environment, the step and what was wrong.</summary>
public sealed class EnvironmentException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>Whether an exception that came out of an environment does not name the environment yet.</summary>
    internal static bool IsForeign(Exception error)
        => error is not (EnvironmentException or UsageException or OperationCanceledException or OutOfMemoryException);

    /// <summary>«environment 'id' failed at step 3: InvalidOperationException: the door is stuck».</summary>
    internal static EnvironmentException Of(Exception error, string id, string where)
        => new($"environment '{id}' failed {where}: {error.GetType().Name}: {error.Message}", error);
}
