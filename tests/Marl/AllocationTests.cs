using Marl.Native.Rl;

namespace Marl.Native.Tests;

/// <summary>Tests that measure the whole process run alone.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;

/// <summary>In steady state an update makes no garbage, on any thread.</summary>
[Collection(nameof(Alone))]
public sealed class AllocationTests
{
    [Theory]
    [MemberData(nameof(TrainingTests.Runs), MemberType = typeof(TrainingTests))]
    public void SteadyStateUpdatesAllocateNothing(string algorithm, string setting) => Measure(algorithm, "lbf:5x5-2p-1f", setting.Split(" "));

    [Theory]
    [MemberData(nameof(TrainingTests.NumberRuns), MemberType = typeof(TrainingTests))]
    public void SteadyStateUpdatesAllocateNothingWhereActionsAreNumbers(string algorithm, string setting) => Measure(algorithm, TrainingTests.Numbers, setting);

    [Theory]
    [MemberData(nameof(TrainingTests.BranchRuns), MemberType = typeof(TrainingTests))]
    public void SteadyStateUpdatesAllocateNothingWithBranches(string algorithm, string setting) => Measure(algorithm, TrainingTests.Branches, setting.Split(" "));

    [Theory]
    [MemberData(nameof(TrainingTests.PartRuns), MemberType = typeof(TrainingTests))]
    public void SteadyStateUpdatesAllocateNothingWithParts(string algorithm, string setting) => Measure(algorithm, TrainingTests.Parts, setting.Split(" "));

    [Theory]
    [InlineData("ippo", "lastAction=true"), InlineData("coma", "agent=gru"), InlineData("liir", "agent=mlp"), InlineData("pareto-ac", "minibatches=2")]
    public void SteadyStateUpdatesOfSegmentsAllocateNothing(string algorithm, string setting) => Measure(algorithm, "lbf:5x5-2p-1f?steps=9", setting, "rolloutLength=13");

    private static void Measure(string algorithm, string environment, params string[] settings)
    {
        foreach (int threads in new[] { 1, 2 })
        {
            using var trainer = new Trainer(Games.Configure(algorithm, environment, 400, threads: threads, settings: [.. Games.TinyFor(algorithm), .. settings, "environments=8"]));
            var learner = trainer.Learner;
            var training = trainer.Configuration.Training;
            var batch = Enumerable.Range(0, 8).Select(i => Games.Play(() => Catalog.CreateEnvironment(environment), i, training.Reward)).ToArray();
            if (training.RolloutLength > 0)
            {
                using var workers = new Workers(1);
                batch = [.. batch.Select(_ => training.Context(trainer.Spec, workers).NewEpisode(learner.Columns))];
                var rollout = new Rollout([.. batch.Select(_ => Catalog.CreateEnvironment(environment))], 8, learner.Actors, learner.Exploration, workers, new Rng(1),
                    learner.NeedsBootstrapAction, training.RolloutLength);
                for (int round = 0; round < 3; round++)
                {
                    rollout.Play(batch, 0f);
                }
            }
            for (int warm = 0; warm < 40; warm++)
            {
                Update();
            }
            if (threads == 1)
            {
                // Collections, which other tests cause, end the thread's allocation context, and the rest of it counts: what an update allocates is in every attempt.
                long fewest = long.MaxValue;
                for (int attempt = 0; attempt < 20 && fewest > 0; attempt++)
                {
                    long before = GC.GetAllocatedBytesForCurrentThread();
                    for (int update = 0; update < 100; update++)
                    {
                        Update();
                    }
                    fewest = Math.Min(fewest, GC.GetAllocatedBytesForCurrentThread() - before);
                }
                Assert.Equal(0, fewest);
                continue;
            }
            // Workers are counted with the whole process, in which the runtime and the runner of the tests allocate now and then: the least of many short times.
            long least = long.MaxValue;
            for (int attempt = 0; attempt < 100; attempt++)
            {
                long before = GC.GetTotalAllocatedBytes(precise: true);
                Update();
                least = Math.Min(least, GC.GetTotalAllocatedBytes(precise: true) - before);
            }
            Assert.Equal(0, least);

            void Update()
            {
                if (learner is ReplayLearner replay)
                {
                    replay.Update(batch);
                }
                else
                {
                    learner.Learn(batch, steps: 0);
                }
            }
        }
    }
}
