using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Marl.Native.Cli.Reporting;
using Marl.Native.Rl;
using Spectre.Console;

namespace Marl.Native.Cli.Sweeps;

/// <summary>
/// Trains runs, each in a process of its own, several at a time. Finished runs are left as they are, interrupted ones go on from their checkpoints, and a run
/// that fails does not keep the others from being trained. Each run is locked by the process that trains it, so that two sweeps share their runs.
/// </summary>
internal static class Sweep
{
    /// <summary>Trains runs and prints the results.</summary>
    /// <param name="runs">The runs, in order.</param>
    /// <param name="program">The command of an external program that may be started; null if none.</param>
    /// <param name="jobs">How many runs are trained at a time.</param>
    /// <param name="json">Whether progress and results are written as JSON.</param>
    /// <returns>The exit code.</returns>
    /// <exception cref="UsageException">A run in its folder has other settings, or cannot be trained.</exception>
    public static int Train(IReadOnlyList<SweepRun> runs, string? program, int jobs, bool json)
    {
        RunState[] states = [.. runs.Select(run => new RunState(run) { IsFinished = run.IsFinished })];
        foreach (var run in runs)
        {
            run.RequireSame();
        }
        Check(states.Where(state => !state.IsFinished).Select(state => state.Run), program);
        using StopSignal signal = new("terminated without saving");
        using GuardedOutput output = new(() => Console.Out);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(signal.Token, output.Failed);
        bool live = !json && Terminal.CanDraw(LiveReporter.MinWidth, LiveReporter.MinHeight);
        SweepReporter reporter = new(states, output, jobs, json, live);
        if (live)
        {
            LiveScreen screen = new(AnsiConsole.Console);
            signal.BeforeTermination = screen.Restore;
            screen.Run(() =>
            {
                using Timer timer = new(_ => screen.Draw(reporter.Frame(screen.Width, screen.Height)), null, TimeSpan.Zero, TimeSpan.FromSeconds(0.5));
                TrainAll(states, program, jobs, reporter, stop.Token);
            });
        }
        else
        {
            TrainAll(states, program, jobs, reporter, stop.Token);
        }
        int finished = states.Count(state => state.IsFinished);
        if (stop.IsCancellationRequested && finished < states.Length)
        {
            Terminal.WriteError($"{(output.Problem is { } problem ? $"the standard output cannot be written to: {problem}" : "stopped and saved")}; " +
                $"{finished} of {states.Length} runs are finished; continue with: the same command");
            return output.Problem is null ? signal.ExitCode : ExitCode.Failed;
        }
        foreach (var state in states.Where(state => state.Failure is not null))
        {
            Terminal.WriteError($"'{state.Run.Folder}' failed with exit code {state.Failure}: {state.Error}; see {state.Run.Log}");
        }
        SweepResults.Write(states.Where(state => state.IsFinished).Select(state => state.Run), output, json);
        int[] failures = [.. states.Select(state => state.Failure).OfType<int>()];
        return failures.Length == 0 ? ExitCode.Success : failures.All(code => code == ExitCode.Diverged) ? ExitCode.Diverged : ExitCode.Failed;
    }

    /// <summary>Requires that every algorithm can be trained in its environment with its options; the first run of each is created for it.</summary>
    private static void Check(IEnumerable<SweepRun> runs, string? program)
    {
        foreach (var run in runs.DistinctBy(run => (run.Task, run.Label)))
        {
            try
            {
                var training = run.Configuration.Training;
                // The process of the run opens the device.
                using Trainer trainer = new(run.Configuration with { Training = training with { Threads = 1, Device = TrainingOptions.Cpu } },
                    () => Catalog.CreateEnvironment(run.Configuration.Environment, program));
            }
            catch (UsageException e)
            {
                throw new UsageException($"{run.Label} in {run.Task}: {e.Message}");
            }
        }
    }

    private static void TrainAll(RunState[] states, string? program, int jobs, SweepReporter reporter, CancellationToken stop)
    {
        ConcurrentQueue<RunState> queue = new(states.Where(state => !state.IsFinished));
        Task.WaitAll(Enumerable.Range(0, jobs).Select(_ => Task.Run(Work, CancellationToken.None)).ToArray(), CancellationToken.None);

        async Task Work()
        {
            while (!stop.IsCancellationRequested && queue.TryDequeue(out var state))
            {
                if (!await Train(state))
                {
                    // Another sweep trains it: look again after the others.
                    await Task.Delay(TimeSpan.FromSeconds(1), stop).ContinueWith(_ => { }, TaskScheduler.Default);
                    queue.Enqueue(state);
                }
            }
        }

        async Task<bool> Train(RunState state)
        {
            if (state.Run.IsFinished)
            {
                state.IsFinished = true;
                return true;
            }
            using (RunFolder probe = new(state.Run.Folder))
            {
                if (!probe.TryLock())
                {
                    return false;
                }
            }
            bool busy = false;
            state.Begin();
            try
            {
                var (code, error) = await RunProcess.Train(state.Run, program, row =>
                {
                    busy |= (string?)row["type"] == "busy";
                    reporter.Receive(state, row);
                }, stop);
                state.IsFinished = state.Run.IsFinished;
                if (!busy && !state.IsFinished && !stop.IsCancellationRequested)
                {
                    (state.Failure, state.Error) = (code, error.StartsWith("marl: ", StringComparison.Ordinal) ? error["marl: ".Length..] : error);
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or System.ComponentModel.Win32Exception)
            {
                (state.Failure, state.Error) = (ExitCode.Failed, e.Message);
            }
            state.End();
            if (!busy)
            {
                reporter.Ended(state);
            }
            return !busy;
        }
    }
}
