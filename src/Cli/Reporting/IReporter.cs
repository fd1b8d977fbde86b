using Marl.Native.Rl;

namespace Marl.Native.Cli.Reporting;

/// <summary>Reports the progress of a run: in a terminal, as text or as JSON.</summary>
internal interface IReporter
{
    /// <summary>Runs a trainer and reports its progress and its summary.</summary>
    /// <param name="trainer">A new or resumed run.</param>
    /// <param name="folder">The folder of the run.</param>
    /// <param name="stop">Stops the run.</param>
    /// <returns>The summary.</returns>
    TrainingSummary Run(Trainer trainer, string folder, CancellationToken stop);
}
