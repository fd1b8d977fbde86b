using System.Diagnostics;
using System.Globalization;
using Marl.Native.Rl;

namespace Marl.Native.Bench;

/// <summary>
/// Measures steps per second of environments on one thread: random available actions, all observations and masks written in every step, and a reset after every
/// episode. Environments with a batch form are also measured as a batch.
/// </summary>
public sealed class EnvironmentSteps
{
    /// <summary>The number of worlds of a batch.</summary>
    private const int BatchSize = 256;

    private readonly IEnvironment environment;
    private readonly float[][] observations;
    private readonly bool[][] available;
    private readonly double[] rewards;
    private readonly RandomActions actions;
    private Rng rng = new(1), policy = new(2);

    /// <summary>Begins an episode.</summary>
    /// <exception cref="UsageException">There is no such environment.</exception>
    public EnvironmentSteps(string id)
    {
        environment = Catalog.CreateEnvironment(id);
        var agents = environment.Spec.Agents;
        observations = [.. agents.Select(agent => new float[agent.ObservationSize])];
        available = [.. agents.Select(agent => new bool[agent.ActionCount])];
        rewards = new double[agents.Length];
        actions = new RandomActions(environment.Spec);
        environment.Reset(ref rng);
    }

    /// <summary>Measures the environments of the given ids, by default all of the catalog, and prints a line for each.</summary>
    public static int Run(string[] ids)
    {
        foreach (string id in ids.Length > 0 ? ids : Catalog.EnvironmentIds)
        {
            var one = new EnvironmentSteps(id);
            var (stepsPerSecond, bytesPerStep) = one.Measure();
            string batch = one.environment is IBatched batched ? string.Create(CultureInfo.InvariantCulture,
                $" {Median(BatchOf(batched)).Rate,12:N0} steps/s in a batch of {BatchSize}") : "";
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{id,-56} {stepsPerSecond,12:N0} steps/s {bytesPerStep,6:0.##} B/step{batch}"));
        }
        return 0;
    }

    /// <summary>Returns the median of several runs of a quarter of a second after a warm-up, and the managed bytes allocated per step.</summary>
    public (double StepsPerSecond, double BytesPerStep) Measure() => Median(Time);

    /// <summary>Returns a function that measures the rate of a number of steps of all worlds together: random actions, all observations.</summary>
    private static Func<int, double> BatchOf(IBatched environment)
    {
        var worlds = environment.CreateWorlds(BatchSize, Device.Cpu);
        worlds.SetGenerators(Streams(RngPurpose.Environment), Streams(RngPurpose.Exploration));
        worlds.Reset(all: true);
        return steps =>
        {
            int rounds = Math.Max(1, steps / BatchSize);
            long start = Stopwatch.GetTimestamp();
            for (int round = 0; round < rounds; round++)
            {
                worlds.Observe();
                worlds.ActRandomly();
                worlds.Step();
                worlds.Reset(all: false);
            }
            return rounds * BatchSize / Stopwatch.GetElapsedTime(start).TotalSeconds;
        };

        Rng[] Streams(RngPurpose purpose) => [.. Enumerable.Range(0, BatchSize).Select(i => new Rng(1).Split(purpose, i))];
    }

    private static (double Rate, double BytesPerStep) Median(Func<int, double> time)
    {
        const int runs = 9;
        const double seconds = 0.25;
        double rate = 0;
        for (int warmUp = 0; warmUp < 3; warmUp++)
        {
            rate = time(Math.Max(1000, (int)(seconds * rate)));
        }

        int steps = Math.Max(1000, (int)(seconds * rate));
        double[] rates = new double[runs];
        long before = GC.GetAllocatedBytesForCurrentThread();
        foreach (ref double measured in rates.AsSpan())
        {
            measured = time(steps);
        }

        double bytes = GC.GetAllocatedBytesForCurrentThread() - before;
        Array.Sort(rates);
        return (rates[runs / 2], bytes / ((double)runs * steps));
    }

    private double Time(int steps)
    {
        long start = Stopwatch.GetTimestamp();
        for (int step = 0; step < steps; step++)
        {
            Step();
        }

        return steps / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private void Step()
    {
        for (int agent = 0; agent < available.Length; agent++)
        {
            environment.Observe(agent, observations[agent]);
            environment.ReadAvailable(agent, available[agent]);
            actions.Sample(agent, available[agent], ref policy);
        }
        if (environment.Step(actions.Joint, rewards, ref rng) != StepResult.Running)
        {
            environment.Reset(ref rng);
        }
    }
}
