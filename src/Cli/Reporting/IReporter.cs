using Marl.Native.Rl;

namespace Marl.Native.Cli.Reporting;

/// <summary>Shows a run to whoever watches: a person at a terminal, a log, a program.</summary>
internal interface IReporter
{
    /// <summary>Runs the trainer, shows what it tells, and at the end what came of it.</summary>
    /// <param name="trainer">the run, new or resumed.</param>
    /// <param name="folder">where it is kept.</param>
    /// <param name="stop">ends it early.</param>
    TrainingSummary Watch(Trainer trainer, string folder, CancellationToken stop);
}
