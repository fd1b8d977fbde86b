namespace Marl.Native.Rl;

/// <summary>The program of an <see cref="ExternalEnvironment"/> did not do its part: it ended, gave no answer in time, or gave one that cannot be
/// used. The message is one line that names the environment, the step, the seed of the episode and what was wrong.</summary>
public sealed class ExternalEnvironmentException(string message) : Exception(message);

/// <summary>What was wrong, as whoever noticed it can say it; <see cref="ExternalEnvironment"/> adds where it was.</summary>
internal sealed class ExternalProgramException(string problem) : Exception(problem);
