namespace Marl.Native.Rl;

/// <summary>A failure of a program; <see cref="ExternalEnvironment"/> adds the environment and the step.</summary>
internal sealed class ExternalProgramException(string problem) : Exception(problem);
