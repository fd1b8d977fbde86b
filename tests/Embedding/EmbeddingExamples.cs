using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Marl.Native;
using Marl.Native.Rl;

namespace Example;

/// <summary>The code of README.md.</summary>
public static class ReadmeExample
{
    public static double Run()
    {
        var options = new Ia2cOptions { Agent = new MlpNetwork(), Hidden = 64, LearningRate = 1e-3f };
        var training = new TrainingOptions { Steps = 500_000, EvaluationInterval = 50_000 };
        (Policy policy, TrainingSummary summary) = Trainer.Train(options, () => Catalog.CreateEnvironment("lbf:8x8-2p-2f-coop"), training,
            progress => Console.WriteLine($"step {progress.Steps}: return {progress.Evaluation.Mean:0.00}"));
        policy.Save("agents.safetensors");

        // Elsewhere: load the agents and let them act, in an environment or on plain observations.
        Policy agents = Policy.Load("agents.safetensors");
        IEnvironment world = Catalog.CreateEnvironment(agents.Description.Environment);
        double[] rewards = new double[agents.Description.Agents.Length];
        var rng = new Rng(7);
        world.Reset(ref rng);
        agents.Begin(ref rng);
        StepResult result;
        do
        {
            JointAction actions = agents.Act(world, ref rng);
            result = world.Step(actions, rewards, ref rng);
        }
        while (result == StepResult.Running);
        return summary.ReturnMean;
    }
}

/// <summary>The code of docs/embedding.md, in its order.</summary>
public static class EmbeddingExamples
{
    public static TrainingSummary TrainInAProgram(string file, CancellationToken stop)
    {
        var options = new QmixOptions { Hidden = 32, Exploration = new EpsilonGreedy { EpsilonAnneal = 10_000 } };
        var training = new TrainingOptions { Steps = 20_000, Seed = 3, Threads = 2, EvaluationInterval = 5_000 };
        var (policy, summary) = Trainer.Train(options, () => new Rendezvous(), training,
            progress => Console.WriteLine($"{progress.Steps} steps: return {progress.Evaluation.Mean:0.00}"), stop);
        policy.Save(file);
        return summary;
    }

    public static (long First, long Then) KeepARun(string folder)
    {
        var configuration = RunConfiguration.Of("vdn", "two-step", null, ["steps=1000", "hidden=16"]);
        using (var trainer = new Trainer(configuration, folder: RunFolder.New(folder)))
        {
            trainer.Run();
        }
        using var resumed = Trainer.Resume(new RunFolder(folder), steps: 2_000);
        long saved = resumed.Steps;
        return (saved, resumed.Run().Steps);
    }

    public static double Evaluate(string file)
    {
        var policy = Policy.Load(file);
        var rng = new Rng(1);
        return Enumerable.Range(0, 100).Average(_ => policy.Play(new Rendezvous(), ref rng).Return);
    }

    public static long CountSteps(Action train)
    {
        long steps = 0;
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument is { Meter.Name: "Marl.Native", Name: "marl.env.steps" })
            {
                self.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<long>((instrument, measurement, tags, state) => steps += measurement);
        listener.Start();
        train();
        return steps;
    }
}

/// <summary>Answers requests of many sessions with one trained policy. Clones share the weights; each has the memory of its own episode.</summary>
public sealed class ActingService(string file)
{
    private readonly Policy trained = Policy.Load(file);
    private readonly ConcurrentDictionary<string, Session> sessions = new();

    /// <summary>The actions [N] for the observations [N, O] of a session.</summary>
    public int[] Act(string session, float[] observations)
    {
        var own = sessions.GetOrAdd(session, name => new Session(trained.Clone(), new Rng((ulong)name.Length)));
        lock (own)
        {
            own.Policy.Act(observations, available: [], own.Actions, ref own.Rng);
            return [.. own.Actions];
        }
    }

    /// <summary>The episode of a session is over.</summary>
    public void End(string session) => sessions.TryRemove(session, out _);

    private sealed class Session(Policy policy, Rng rng)
    {
        public readonly Policy Policy = policy;
        public readonly int[] Actions = new int[policy.Description.Agents.Length];
        public Rng Rng = rng;
    }
}
