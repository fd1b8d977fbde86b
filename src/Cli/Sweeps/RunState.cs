using System.Diagnostics;

namespace Marl.Native.Cli.Sweeps;

/// <summary>How far a run of a sweep is.</summary>
/// <param name="run">The run.</param>
internal sealed class RunState(SweepRun run)
{
    private Stopwatch? watch;
    private long first = -1;

    /// <summary>The run.</summary>
    public SweepRun Run => run;

    /// <summary>Whether it is finished.</summary>
    public bool IsFinished { get; set; }

    /// <summary>Whether its process runs.</summary>
    public bool IsRunning { get; private set; }

    /// <summary>The exit code of a run that failed; null if it did not.</summary>
    public int? Failure { get; set; }

    /// <summary>The last line of the standard error of a run that failed.</summary>
    public string Error { get; set; } = "";

    /// <summary>The environment steps so far.</summary>
    public long Steps { get; private set; }

    /// <summary>The mean return of the last evaluation; NaN before the first.</summary>
    public double Return { get; set; } = double.NaN;

    /// <summary>Environment steps per second of this process; NaN if unknown.</summary>
    public double Speed { get; private set; } = double.NaN;

    /// <summary>The process was started.</summary>
    public void Begin() => (IsRunning, watch, first) = (true, null, -1);

    /// <summary>The process has ended.</summary>
    public void End() => IsRunning = false;

    /// <summary>The process is at a step.</summary>
    public void Reach(long steps)
    {
        Steps = steps;
        watch ??= Stopwatch.StartNew();
        first = first < 0 ? steps : first;
        double seconds = watch.Elapsed.TotalSeconds;
        Speed = steps > first && seconds > 0 ? (steps - first) / seconds : Speed;
    }
}
