namespace Marl.Native.Rl;

/// <summary>The program of an <see cref="ExternalEnvironment"/> failed: it ended, did not answer within the timeout, or sent an invalid answer. The message
/// is one line with the environment, the step, the seed of the episode and the problem.</summary>
public sealed class ExternalEnvironmentException(string message) : Exception(message);

/// <summary>A failure of a program; <see cref="ExternalEnvironment"/> adds the environment and the step.</summary>
internal sealed class ExternalProgramException(string problem) : Exception(problem);
