using System.Diagnostics;

namespace Marl.Native.Rl;

/// <summary>
/// Trains an algorithm in an environment: plays rounds of episodes, updates the learner, evaluates, and writes checkpoints. <see cref="Train"/> does it in
/// one call. A run is determined by its configuration: a run that was stopped and resumed ends with the same weights, bit for bit, as one that was not.
/// </summary>
/// <example>
/// A run in a folder, which <c>marl play</c> shows and <c>marl resume</c> continues:
/// <code>
/// var configuration = RunConfiguration.Of("vdn", "lbf:8x8-2p-2f-coop");
/// using var trainer = new Trainer(configuration, folder: RunFolder.New("runs/vdn"));
/// TrainingSummary summary = trainer.Run(progress => Console.WriteLine($"{progress.Steps}: {progress.Evaluation.Mean:0.00}"));
/// Policy policy = trainer.Policy;
/// </code></example>
public sealed class Trainer : IDisposable
{
    private readonly RunConfiguration configuration;
    private readonly Func<IEnvironment> create;
    private readonly IEnvironment[] environments;
    private readonly RunFolder? folder;
    private readonly Workers workers;
    private readonly LearningContext context;
    private readonly IRollout rollout;
    private readonly Episode[] episodes;
    private readonly RunProgress progress = new();
    private readonly TrainingMeter meter;

    /// <summary>Creates a trainer: its environments, threads and learner.</summary>
    /// <param name="configuration">The configuration of the run.</param>
    /// <param name="create">Creates an environment; by default from the configuration's id.</param>
    /// <param name="folder">The folder of the run; null: nothing is written.</param>
    /// <param name="device">The device of <see cref="TrainingOptions.Device"/>, which the caller disposes; by default the CPU.</param>
    /// <exception cref="UsageException">An option is out of range, or the algorithm does not support the environment.</exception>
    public Trainer(RunConfiguration configuration, Func<IEnvironment>? create = null, RunFolder? folder = null, Device? device = null)
    {
        configuration.Training.Validate();
        if (device is null && configuration.Training.Device != TrainingOptions.Cpu)
        {
            throw new UsageException($"option 'device' is {configuration.Training.Device}, but no such device was passed to the trainer");
        }
        device ??= Device.Cpu;
        var training = configuration.Training with { Device = device.Id };
        (this.configuration, this.folder) = (configuration with { Training = training }, folder);
        meter = new(this.configuration);
        this.create = create ?? (() => Catalog.CreateEnvironment(configuration.Environment));
        // The first one is created and checked before the others, so that an error of an external program is reported once.
        environments = [this.create()];
        workers = new Workers(training.Threads > 0 ? training.Threads : Environment.ProcessorCount);
        try
        {
            Spec = environments[0].Spec;
            environments = [.. environments, .. Make(training.Environments - 1, this.create)];
            if (environments.Distinct(ReferenceEqualityComparer.Instance).Count() < environments.Length)
            {
                throw new UsageException($"the function that creates environments of '{Spec.Id}' returned the same object twice; it must create a new one");
            }
            context = training.Context(Spec, workers, device);
            Learner = configuration.CreateLearner(context);
            var options = new RolloutOptions(Learner.NeedsBootstrapAction, training.RolloutLength, context.Rewards);
            rollout = (IRollout?)DeviceRollout.TryCreate(environments[0], environments.Length, Learner.Actors, Learner.Exploration, Learner.RoundMemory,
                context.Rng, options)
                ?? new Rollout(environments, environments.Length, Learner.Actors, Learner.Exploration, workers, context.Rng, options.BootstrapAction,
                    options.Length, options.Rewards);
        }
        catch
        {
            Dispose();
            throw;
        }
        episodes = [.. environments.Select(_ => context.NewEpisode(Learner.Columns))];
    }

    /// <summary>The configuration of the run.</summary>
    public RunConfiguration Configuration => configuration;

    /// <summary>The specification of the environment.</summary>
    public EnvironmentSpec Spec { get; }

    /// <summary>The environment steps of all rounds so far.</summary>
    public long Steps => progress.Steps;

    /// <summary>The environment steps at the last checkpoint, from which the run can be resumed; 0 without a checkpoint.</summary>
    public long SavedSteps { get; private set; }

    /// <summary>Of a resumed run: why its last checkpoint was not read, and the one before it was; null if the last one was read.</summary>
    public string? CheckpointProblem { get; private set; }

    /// <summary>The learner.</summary>
    public ILearner Learner { get; }

    /// <summary>A copy of the current policy.</summary>
    public Policy Policy => new(Spec, Learner.Actors, CurrentFingerprint, EvaluationPolicy.IsStochastic);

    /// <summary>What evaluations select actions with.</summary>
    private Exploration EvaluationPolicy => configuration.Training.GreedyEvaluation ? new EpsilonGreedy() : Learner.Exploration;

    /// <summary>Trains an algorithm in one call.</summary>
    /// <param name="options">The algorithm and its options. Options that differ from the record's defaults are kept; the others are set to published values,
    /// if there are any for the environment (<see cref="RunConfiguration.Of(AlgorithmOptions, string, TrainingOptions?, bool)"/>).</param>
    /// <param name="create">Creates an environment. Called for each of the <see cref="TrainingOptions.Environments"/> and for evaluations.</param>
    /// <param name="training">The options of the run; published values are filled in likewise.</param>
    /// <param name="progress">Called after every evaluation.</param>
    /// <param name="cancellationToken">Ends the run early, within a round or an evaluation too.</param>
    /// <returns>The trained policy and the summary of the run.</returns>
    /// <exception cref="UsageException">An option is out of range, or the algorithm does not support the environment.</exception>
    /// <example><code>
    /// var (policy, summary) = Trainer.Train(new QmixOptions { Hidden = 64 }, () => Catalog.CreateEnvironment("two-step"), new() { Steps = 20_000 });
    /// policy.Save("two-step.safetensors");
    /// </code></example>
    public static (Policy Policy, TrainingSummary Summary) Train(AlgorithmOptions options, Func<IEnvironment> create, TrainingOptions? training = null,
        Action<TrainingProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        using var trainer = new Trainer(RunConfiguration.Of(options, IdOf(create), training), create);
        var summary = trainer.Run(progress, cancellationToken: cancellationToken);
        return (trainer.Policy, summary);
    }

    /// <summary>Creates a trainer that resumes a run from its last checkpoint. The folder is not changed before <see cref="Run"/>.</summary>
    /// <param name="folder">The folder of the run.</param>
    /// <param name="create">Creates an environment; by default from the configuration's id.</param>
    /// <param name="threads">The number of threads; by default that of the configuration.</param>
    /// <param name="device">The device; by default the CPU. With the device of the configuration the result is the same, bit for bit.</param>
    /// <param name="steps">Environment steps of the whole run; by default those of the configuration. With more steps a finished run continues as if it had
    /// been started with them, except for schedules over a fraction of the training (entropy of Pareto actor-critic, fingerprints).</param>
    /// <exception cref="UsageException">The folder contains no run, or <paramref name="steps"/> are fewer than the run has.</exception>
    public static Trainer Resume(RunFolder folder, Func<IEnvironment>? create = null, int? threads = null, Device? device = null, long? steps = null)
    {
        var configuration = folder.ReadConfiguration();
        var training = configuration.Training;
        training = training with
        {
            Device = device is null ? TrainingOptions.Cpu : training.Device,
            Threads = threads ?? training.Threads,
            Steps = steps ?? training.Steps,
        };
        var trainer = new Trainer(configuration with { Training = training }, create, folder, device);
        try
        {
            trainer.CheckpointProblem = folder.ReadCheckpoint(trainer.Archive);
            // The last round may have gone beyond the steps of the configuration.
            if (steps < trainer.Steps && steps < configuration.Training.Steps)
            {
                throw new UsageException($"'{folder.Path}' has {trainer.Steps} steps already; --steps must not be less");
            }
            trainer.SavedSteps = trainer.Steps;
            return trainer;
        }
        catch
        {
            trainer.Dispose();
            throw;
        }
    }

    /// <summary>Trains to the last step or until canceled, and writes a checkpoint and the summary. When a canceled run is resumed, the interrupted round or
    /// evaluation is played again and pending updates are performed first, so that the result is the same, bit for bit, as without the interruption.</summary>
    /// <param name="progress">Called after every evaluation.</param>
    /// <param name="onRound">Called after every round with the environment steps so far and the mean return of the round; NaN before the first episode has
    /// ended.</param>
    /// <param name="cancellationToken">Ends the run early, within a round or an evaluation too.</param>
    /// <returns>The summary of the run.</returns>
    /// <exception cref="DivergedException">A loss or a gradient was not finite. The last checkpoint is unchanged.</exception>
    /// <exception cref="DeviceException">The device failed. A checkpoint up to the last completed update is written if the device's memory can be read;
    /// otherwise the last checkpoint is unchanged, see <see cref="SavedSteps"/>.</exception>
    /// <exception cref="EnvironmentException">An environment failed. A checkpoint of the last complete round is written, from which the run can be resumed
    /// exactly.</exception>
    public TrainingSummary Run(Action<TrainingProgress>? progress = null, Action<long, double>? onRound = null, CancellationToken cancellationToken = default)
    {
        this.progress.Start();
        folder?.Begin(configuration, Steps);
        if (Steps == 0)
        {
            Save();
        }
        EvaluationResult? last = null;
        try
        {
            try
            {
                TrainToEnd();
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                // The interrupted round or evaluation has been rolled back.
            }
            Learner.Synchronize();
            Save();
            var summary = this.progress.Summarize(configuration, Learner, last);
            folder?.WriteSummary(summary);
            this.progress.Stop();
            return summary;
        }
        catch (EnvironmentException)
        {
            Save();
            throw;
        }
        catch (DeviceException)
        {
            SaveWhatCanBeRead();
            throw;
        }

        void TrainToEnd()
        {
            // After a resume: pending updates, and an evaluation that was interrupted.
            Learner.CompleteUpdates(Steps, cancellationToken);
            EvaluateIfDue();
            while (Steps < configuration.Training.Steps)
            {
                cancellationToken.ThrowIfCancellationRequested();
                long before = Steps;
                double roundReturn = PlayRound(cancellationToken);
                onRound?.Invoke(Steps, roundReturn);
                EvaluateIfDue();
                bool due = this.progress.Passed(configuration.Training.CheckpointInterval, before) && Steps < configuration.Training.Steps;
                if (due && !cancellationToken.IsCancellationRequested)
                {
                    Save();
                }
            }
            // A finished run that was resumed has no new row: its last evaluation is repeated.
            last ??= Evaluate(configuration.Training.EvaluationEpisodes, cancellationToken);
        }

        void EvaluateIfDue()
        {
            long interval = configuration.Training.EvaluationInterval;
            bool isFirst = interval > 0 && this.progress.Evaluations == 0;
            bool due = Steps >= configuration.Training.Steps || isFirst || this.progress.Passed(interval, Steps - this.progress.RowSteps);
            if (due && this.progress.RowSteps > 0)
            {
                last = Evaluate(configuration.Training.EvaluationEpisodes, this.progress.Evaluations + 1, cancellationToken);
                var row = this.progress.NextRow(Learner, last);
                folder?.WriteMetrics(row);
                progress?.Invoke(row);
            }
        }
    }

    /// <summary>Evaluates the current policy in new environments; environments that are <see cref="IDisposable"/> (processes) are reused. Every evaluation of
    /// a run has random streams, and so episodes, of its own; this method plays those of the last one. It does not affect training.</summary>
    /// <param name="count">The number of episodes.</param>
    /// <param name="cancellationToken">Cancels the evaluation.</param>
    /// <exception cref="OperationCanceledException">The evaluation was canceled.</exception>
    public EvaluationResult Evaluate(int count, CancellationToken cancellationToken = default)
        => Evaluate(count, progress.Evaluations, cancellationToken);

    /// <summary>Plays the episodes of an evaluation: of the first one of the run (1), the second, ..</summary>
    private EvaluationResult Evaluate(int count, int number, CancellationToken cancellationToken)
    {
        Episode[] evaluated = Make(count, () => new Episode(Spec), cancellationToken);
        var result = environments[0] is IDisposable ? rollout.RunSuspended(() => EvaluateIn(environments[..Math.Min(count, environments.Length)]))
            : EvaluateIn(Make(count, create, cancellationToken));
        meter.RecordEvaluation(result);
        return result;

        EvaluationResult EvaluateIn(IEnvironment[] environments)
        {
            var policy = EvaluationPolicy;
            new Rollout(environments, count, Learner.Actors, policy, workers, context.Rng.Split(RngPurpose.Evaluation, number))
                .Play(evaluated, policy.EvaluationRate, CurrentFingerprint, cancellationToken);
            return EvaluationResult.Of(evaluated);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        workers.Dispose();
        folder?.Dispose();
        // Programs end at the same time: each may take a while.
        IDisposable[] held = [.. environments.OfType<IDisposable>()];
        Parallel.ForEach(held, new ParallelOptions { MaxDegreeOfParallelism = Math.Max(1, held.Length) }, environment => environment.Dispose());
    }

    /// <summary>The training progress and exploration rate, the agents' input if they have fingerprints. Evaluations use the same, because it identifies the
    /// other agents' current policies.</summary>
    private Fingerprint CurrentFingerprint => Fingerprint.Of(Steps, configuration.Training.Steps, Learner.ExplorationRate(Steps));

    /// <summary>Plays a round and learns from it; if canceled, both are rolled back.</summary>
    private double PlayRound(CancellationToken stop)
    {
        long start = Stopwatch.GetTimestamp(), updates = Learner.Updates;
        rollout.Play(episodes, Learner.ExplorationRate(Steps), CurrentFingerprint, stop);
        meter.RecordRollout(episodes, start);
        double roundReturn = progress.Add(episodes);
        start = Stopwatch.GetTimestamp();
        try
        {
            Learner.Learn(episodes, Steps, stop);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            progress.Rewind();
            rollout.Rewind();
            throw;
        }
        meter.RecordUpdates(Learner.Updates - updates, start);
        return roundReturn;
    }

    private void Save()
    {
        if (folder is not null)
        {
            folder.WriteCheckpoint(Archive, Policy);
            SavedSteps = Steps;
        }
    }

    /// <summary>Saves a checkpoint if the device can be read. A checkpoint is read completely before it is written, so a failure leaves the last one
    /// intact.</summary>
    private void SaveWhatCanBeRead()
    {
        try
        {
            Save();
        }
        catch (Exception error) when (error is DeviceException or IOException)
        {
            // The caller throws the original exception.
        }
    }

    private void Archive(IArchive archive)
    {
        progress.Archive(archive);
        rollout.Archive(archive.Scope("rollout"));
        Learner.Archive(archive.Scope("learner"));
    }

    private static T[] Make<T>(int count, Func<T> make, CancellationToken stop = default)
    {
        var made = new T[count];
        for (int i = 0; i < count; i++)
        {
            stop.ThrowIfCancellationRequested();
            made[i] = make();
        }
        return made;
    }

    private static string IdOf(Func<IEnvironment> create)
    {
        var environment = create() ?? throw new UsageException("the function that creates environments returned null");
        using (environment as IDisposable)
        {
            return environment.Spec.Id;
        }
    }
}
