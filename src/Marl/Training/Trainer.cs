using System.Diagnostics;

namespace Marl.Native.Rl;

/// <summary>
/// Conducts a run and owns its clock: play a round of episodes, let the learner learn, evaluate, save, until the steps are done.
/// Everything that happens follows from the configuration; a run that was stopped and resumed ends with the same bits as one that was not.
/// </summary>
public sealed class Trainer : IDisposable
{
    private readonly RunConfiguration configuration;
    private readonly Func<IEnvironment> create;
    private readonly IEnvironment[] environments;
    private readonly RunFolder? folder;
    private readonly Workers workers;
    private readonly LearningContext context;
    private readonly Rollout rollout;
    private readonly Episode[] episodes;
    private readonly RunProgress progress = new();
    private readonly TrainingMeter meter;

    /// <summary>A run that has not begun.</summary>
    /// <param name="configuration">what to run.</param>
    /// <param name="create">makes the environments; by default those of the configuration's id.</param>
    /// <param name="folder">where the run is kept; none: nowhere.</param>
    /// <param name="device">where it learns, see <see cref="TrainingOptions.Device"/>; by default the CPU. It is the caller's to dispose of.</param>
    public Trainer(RunConfiguration configuration, Func<IEnvironment>? create = null, RunFolder? folder = null, Device? device = null)
    {
        configuration.Training.Validate();
        if (device is null && configuration.Training.Device != TrainingOptions.Cpu)
        {
            throw new UsageException($"option 'device' is {configuration.Training.Device}, and no such device was given to the trainer");
        }
        device ??= Device.Cpu;
        var training = configuration.Training with { Device = device.Id };
        (this.configuration, this.folder) = (configuration with { Training = training }, folder);
        meter = new(this.configuration);
        this.create = create ?? (() => Catalog.CreateEnvironment(configuration.Environment));
        // The first says what it is before the others are made: what is wrong with a program is then seen once.
        environments = [this.create()];
        workers = new Workers(training.Threads > 0 ? training.Threads : Environment.ProcessorCount);
        try
        {
            Spec = environments[0].Spec;
            environments = [.. environments, .. Make(training.Environments - 1, this.create)];
            if (environments.Distinct(ReferenceEqualityComparer.Instance).Count() < environments.Length)
            {
                throw new UsageException($"the function that makes environments of '{Spec.Id}' returned the same one twice; it must make a new one each time");
            }
            context = training.Context(Spec, workers, device);
            Learner = configuration.CreateLearner(context);
            rollout = new Rollout(environments, environments.Length, Learner.Actors, Learner.Exploration, workers, context.Rng, Learner.NeedsNextAction,
                training.RolloutLength, context.Rewards);
        }
        catch
        {
            Dispose();
            throw;
        }
        episodes = [.. environments.Select(_ => context.NewEpisode(Learner.Columns))];
    }

    /// <summary>Everything that decides the run.</summary>
    public RunConfiguration Configuration => configuration;

    /// <summary>The environment.</summary>
    public EnvironmentSpec Spec { get; }

    /// <summary>Environment steps so far, of whole rounds.</summary>
    public long Steps => progress.Steps;

    /// <summary>Where the run would go on if it were resumed: the steps of its last checkpoint; 0, its beginning, where there is none.</summary>
    public long SavedSteps { get; private set; }

    /// <summary>What learns.</summary>
    public ILearner Learner { get; }

    /// <summary>The trained agents, to act with or to save.</summary>
    public Policy Policy => new(Spec, Learner.Actors, Present, Learner.Exploration.IsStochastic);

    /// <summary>Trains in one call, for programs that embed the engine.</summary>
    /// <param name="options">The algorithm. What differs from its record's own defaults is kept; the rest is as published for the environment, where there is
    /// a preset (<see cref="RunConfiguration.Of(AlgorithmOptions, string, TrainingOptions?, bool)"/>).</param>
    /// <param name="create">Makes an environment; called once for each of <see cref="TrainingOptions.Environments"/>, and for evaluations.</param>
    /// <param name="training">How the run is conducted; presets fill in the rest likewise.</param>
    /// <param name="progress">Called after every evaluation.</param>
    /// <param name="cancellationToken">Ends the run soon, also in the middle of a round or an evaluation.</param>
    /// <returns>The trained agents, and how the run ended.</returns>
    /// <exception cref="UsageException">An option is out of range, or the environment has something that the algorithm cannot learn.</exception>
    /// <example><code>
    /// var (policy, summary) = Trainer.Train(new QmixOptions { Hidden = 64 }, () => Catalog.CreateEnvironment("two-step"), new() { Steps = 20_000 });
    /// policy.Save("two-step.safetensors");
    /// </code></example>
    public static (Policy Policy, TrainingSummary Summary) Train(AlgorithmOptions options, Func<IEnvironment> create, TrainingOptions? training = null,
        Action<TrainingProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        using var trainer = new Trainer(RunConfiguration.Of(options, IdOf(create), training), create);
        var summary = trainer.Run(progress, stop: cancellationToken);
        return (trainer.Policy, summary);
    }

    /// <summary>Takes up a run where its last checkpoint was written. The folder is not touched before <see cref="Run"/>.</summary>
    /// <param name="folder">the run.</param>
    /// <param name="create">makes the environments; by default those of the run.</param>
    /// <param name="threads">workers; by default as many as before.</param>
    /// <param name="device">where it goes on learning; by default the CPU. Give it the device of the run's configuration for the same bits.</param>
    /// <param name="steps">of the whole run; by default as many as before. More let a run that is finished go on, as if it had been asked for so many at first, but
    /// for what is a share of the training (Pareto actor-critic's entropy, fingerprints).</param>
    /// <exception cref="UsageException">there is no run in the folder, or it has gone further than <paramref name="steps"/>.</exception>
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
            folder.ReadCheckpoint(trainer.Archive);
            if (steps < trainer.Steps)
            {
                throw new UsageException($"'{folder.Path}' has {trainer.Steps} steps behind it already; --steps can only add to them");
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

    /// <summary>Trains to the last step, or until it is told to stop; then writes a checkpoint and says how it went. A run that was stopped and is resumed ends with
    /// the same bits as one that was not: a round or an evaluation that was under way is played again, and updates that were left are made first.</summary>
    /// <param name="progress">hears of every evaluation.</param>
    /// <param name="tick">hears of every round: steps so far, and the mean return of the round, NaN before the first episode has ended.</param>
    /// <param name="stop">ends the run soon, also in the middle of a round or an evaluation.</param>
    /// <exception cref="DivergedException">numbers stopped being numbers; the last checkpoint is left as it is.</exception>
    /// <exception cref="DeviceException">the device failed. If its memory can still be read, a checkpoint of what it learned up to the last finished update is
    /// written; else the last one is left as it is. <see cref="SavedSteps"/> says which: the round whose update failed is counted as played.</exception>
    /// <exception cref="EnvironmentException">the program of an environment failed. A checkpoint of the last whole round is written: resumed,
    /// the run ends with the same bits as one whose program did not fail.</exception>
    public TrainingSummary Run(Action<TrainingProgress>? progress = null, Action<long, double>? tick = null, CancellationToken stop = default)
    {
        this.progress.Start();
        folder?.Begin(configuration, Steps);
        EvaluationResult? last = null;
        try
        {
            try
            {
                TrainToEnd();
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                // What was under way is as if it had not begun.
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
            // What is left of a round whose learning or evaluation was stopped, when the run has been resumed.
            Learner.CompleteUpdates(Steps, stop);
            EvaluateIfDue();
            while (Steps < configuration.Training.Steps)
            {
                stop.ThrowIfCancellationRequested();
                long before = Steps;
                double roundReturn = PlayRound(stop);
                tick?.Invoke(Steps, roundReturn);
                EvaluateIfDue();
                if (this.progress.Passed(configuration.Training.CheckpointInterval, before) && Steps < configuration.Training.Steps && !stop.IsCancellationRequested)
                {
                    Save();
                }
            }
            // A run that had ended before has no row left to evaluate for.
            last ??= Evaluate(configuration.Training.EvaluationEpisodes, stop);
        }

        void EvaluateIfDue()
        {
            bool due = Steps >= configuration.Training.Steps || this.progress.Passed(configuration.Training.EvaluationInterval, Steps - this.progress.RowSteps);
            if (due && this.progress.RowSteps > 0)
            {
                last = Evaluate(configuration.Training.EvaluationEpisodes, stop);
                var row = this.progress.Row(Learner, last);
                folder?.WriteMetrics(row);
                progress?.Invoke(row);
            }
        }
    }

    /// <summary>Plays episodes in which nothing is explored (<see cref="Exploration"/>) in fresh environments; or in those of the training, one after the other, if they are such that one disposes
    /// of, like processes. Their chance is a stream apart, so evaluating changes nothing else.</summary>
    /// <param name="count">episodes.</param>
    /// <param name="stop">ends the evaluation.</param>
    /// <exception cref="OperationCanceledException">it was stopped.</exception>
    public EvaluationResult Evaluate(int count, CancellationToken stop = default)
    {
        Episode[] evaluated = Make(count, () => new Episode(Spec), stop);
        var result = environments[0] is IDisposable ? rollout.Lend(() => EvaluateIn(environments[..Math.Min(count, environments.Length)]))
            : EvaluateIn(Make(count, create, stop));
        meter.RecordEvaluation(result);
        return result;

        EvaluationResult EvaluateIn(IEnvironment[] environments)
        {
            new Rollout(environments, count, Learner.Actors, Learner.Exploration, workers, context.Rng.Split(RngPurpose.Evaluation))
                .Play(evaluated, exploration: 0f, Present, stop);
            return EvaluationResult.Of(evaluated);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        workers.Dispose();
        folder?.Dispose();
        foreach (var environment in environments)
        {
            (environment as IDisposable)?.Dispose();
        }
    }

    /// <summary>Where training stands. Evaluations have the same, although nothing is explored in them: what an agent does should be its answer to the others of today.</summary>
    private Fingerprint Present => new(Math.Min(1f, (float)Steps / configuration.Training.Steps), Learner.ExplorationRate(Steps));

    /// <summary>One episode in every environment, and what the learner makes of them; or none of both.</summary>
    private double PlayRound(CancellationToken stop)
    {
        long start = Stopwatch.GetTimestamp(), updates = Learner.Updates;
        rollout.Play(episodes, Learner.ExplorationRate(Steps), Present, stop);
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

    /// <summary>A checkpoint is read as a whole before it is written: a device that is lost leaves the last one whole.</summary>
    private void SaveWhatCanBeRead()
    {
        try
        {
            Save();
        }
        catch (Exception error) when (error is DeviceException or IOException)
        {
            // The device's own failure is what is reported.
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
        var environment = create() ?? throw new UsageException("the function that makes environments returned null");
        using (environment as IDisposable)
        {
            return environment.Spec.Id;
        }
    }
}
