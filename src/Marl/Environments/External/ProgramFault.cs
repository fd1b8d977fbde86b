namespace Marl.Native.Rl;

/// <summary>What was wrong, as whoever noticed it can say it; <see cref="ExternalEnvironment"/> adds where it was.</summary>
internal sealed class ProgramFault(string problem) : Exception(problem);
