using Marl.Native.Rl;

namespace Marl.Native.Tests;

/// <summary>Values of an environment that cannot be learned from.</summary>
public sealed class FaultyEnvironmentTests
{
    private const int FaultyStep = 3;

    /// <summary>What is wrong at a step of an episode.</summary>
    public enum Fault
    {
        None,
        NanObservation,
        InfiniteObservation,
        NanState,
        NanReward,
        InfiniteReward,
        RewardBeyondFloat32,
        NoAction,
    }

    public static TheoryData<Fault, string> Faults => new()
    {
        { Fault.NanObservation, "element 2 of the observation of agent 'right' is NaN; it must be a finite float32 number" },
        { Fault.InfiniteObservation, "element 2 of the observation of agent 'right' is -Infinity; it must be a finite float32 number" },
        { Fault.NanState, "element 1 of the state is NaN; it must be a finite float32 number" },
        { Fault.NanReward, "the reward of agent 'right' is NaN; it must be a finite float32 number" },
        { Fault.InfiniteReward, "the reward of agent 'right' is Infinity; it must be a finite float32 number" },
        { Fault.RewardBeyondFloat32, "the reward of agent 'right' is 1E+300; it must be a finite float32 number" },
        { Fault.NoAction, "agent 'right' has no available action; at least one is required" },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public void ItIsAnErrorThatNamesAgentAndStepAndTheRunIsSaved(Fault fault, string problem)
    {
        using var folder = new TemporaryFolder();
        foreach (string algorithm in (string[])["vdn", "ia2c"])
        {
            var configuration = Games.Configure(algorithm, "faulty", 400, settings: Games.TinyFor(algorithm));
            int episodes = 0;
            string whole = Run(new Trainer(configuration, () => new Faulty(() => Fault.None)));
            using (var trainer = new Trainer(configuration, () => new Faulty(() => ++episodes == 37 ? fault : Fault.None), new RunFolder(folder[algorithm])))
            {
                var error = Assert.Throws<EnvironmentException>(() => trainer.Run());
                Assert.Equal($"environment 'faulty' failed at step {FaultyStep} of an episode: {problem}", error.Message);
                Assert.Equal(trainer.Steps, trainer.SavedSteps);
                Assert.InRange(trainer.SavedSteps, 1, 399);
            }
            Assert.Equal(whole, Run(Trainer.Resume(new RunFolder(folder[algorithm]), () => new Faulty(() => Fault.None))));
        }

        static string Run(Trainer trainer)
        {
            using (trainer)
            {
                return trainer.Run().WeightsSha256;
            }
        }
    }

    [Fact]
    public void AFaultOfTheResetIsNamed()
    {
        var environment = new Faulty(() => Fault.NanObservation) { Step = 0 };
        var (recorder, rng) = (new EpisodeRecorder(environment.Spec), new Rng(1));
        Assert.Equal("environment 'faulty' failed during reset: element 2 of the observation of agent 'right' is NaN; it must be a finite float32 number",
            Assert.Throws<EnvironmentException>(() => recorder.Begin(environment, new Episode(environment.Spec), ref rng)).Message);
    }

    [Fact]
    public void ATeamRewardBeyondFloat32IsAnError()
    {
        // Each is a float32 number, and the sum is none.
        var environment = new Faulty(() => Fault.None) { Reward = float.MaxValue };
        var (recorder, episode, rng) = (new EpisodeRecorder(environment.Spec), new Episode(environment.Spec), new Rng(1));
        recorder.Begin(environment, episode, ref rng);
        Assert.Contains("the recorded reward of agent 'left' is 6.805646932770577E+38", Assert.Throws<EnvironmentException>(() => recorder.Step(ref rng)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void AtTheEndOfAnEpisodeNoActionNeedsToBeAvailable()
    {
        var environment = new Faulty(() => Fault.NoAction) { Step = Faulty.Limit };
        var (recorder, episode, rng) = (new EpisodeRecorder(environment.Spec), new Episode(environment.Spec), new Rng(1));
        recorder.Begin(environment, episode, ref rng);
        while (recorder.Step(ref rng))
        {
        }
        Assert.Equal(Faulty.Limit, episode.Length);
        Assert.Equal([true, true], episode.AvailableActions(Faulty.Limit, 1).ToArray());
        Assert.Empty(EnvironmentChecker.Check(() => new Faulty(() => Fault.NoAction) { Step = Faulty.Limit }));
    }

    /// <summary>Two agents with a fault at a step of the episodes that have one.</summary>
    private sealed class Faulty(Func<Fault> next) : IEnvironment
    {
        public const int Limit = 5;

        private Fault fault;
        private int time, symbol;

        public EnvironmentSpec Spec { get; } = new()
        {
            Id = "faulty",
            Agents = [new(3, 2) { Name = "left" }, new(3, 2) { Name = "right" }],
            StateSize = 2,
            EpisodeLimit = Limit,
            SnapshotSize = 3,
        };

        public int Step { get; init; } = FaultyStep;

        public double? Reward { get; init; }

        private Fault Now => time == Step ? fault : Fault.None;

        public void Reset(ref Rng rng) => (fault, time, symbol) = (next(), 0, rng.NextInt(2));

        StepResult IEnvironment.Step(JointAction actions, Span<double> rewards, ref Rng rng)
        {
            time++;
            for (int agent = 0; agent < 2; agent++)
            {
                rewards[agent] = Reward ?? (actions[agent] == symbol ? 1 : 0);
            }
            rewards[1] = Now switch
            {
                Fault.NanReward => double.NaN,
                Fault.InfiniteReward => double.PositiveInfinity,
                Fault.RewardBeyondFloat32 => 1e300,
                _ => rewards[1],
            };
            return time == Limit ? StepResult.Terminated : StepResult.Running;
        }

        public void Observe(int agent, Span<float> observation)
        {
            (observation[0], observation[1]) = (symbol, 0.1f * time);
            observation[2] = agent == 0 ? 0f : Now switch
            {
                Fault.NanObservation => float.NaN,
                Fault.InfiniteObservation => float.NegativeInfinity,
                _ => 1f,
            };
        }

        public void ReadAvailable(int agent, Span<bool> available) => available.Fill(agent == 0 || Now != Fault.NoAction);

        public void ReadState(Span<float> state) => (state[0], state[1]) = (symbol, Now == Fault.NanState ? float.NaN : 0.1f * time);

        public void Save(Span<double> snapshot) => (snapshot[0], snapshot[1], snapshot[2]) = (time, symbol, (int)fault);

        public void Restore(ReadOnlySpan<double> snapshot) => (time, symbol, fault) = ((int)snapshot[0], (int)snapshot[1], (Fault)snapshot[2]);
    }
}
