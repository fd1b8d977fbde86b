using System.Diagnostics.Metrics;
using Marl.Native.Rl;

namespace Marl.Native.Tests;

/// <summary>What the meter "Marl.Native" reports of a run is what its summary says, and nobody pays for it who does not listen.</summary>
[Collection(nameof(Alone))]
public sealed class MeterTests
{
    [Theory]
    [InlineData("vdn", "lbf:5x5-2p-1f", "updatesPerEpisode=3")]
    [InlineData("ippo", "lbf:5x5-2p-1f?steps=9", "rolloutLength=13")]
    public void InstrumentsCountWhatTheSummarySays(string algorithm, string environment, string setting)
    {
        var configuration = Games.Configure(algorithm, environment, 2_000, settings: [.. Games.TinyFor(algorithm), setting, "environments=4"]);
        int rounds = 0;
        TrainingSummary summary;
        using (var listener = new Listener(configuration))
        {
            using var trainer = new Trainer(configuration);
            summary = trainer.Run(onRound: (_, _) => rounds++);
            Assert.Equal(summary.Steps, listener.Sum("marl.env.steps"));
            Assert.Equal(summary.Episodes, listener.Sum("marl.env.episodes"));
            Assert.Equal(summary.Updates, listener.Sum("marl.updates"));
            Assert.Equal(summary.Updates, listener["marl.update.duration"].Count);
            Assert.Equal(rounds, listener["marl.rollout.duration"].Count);
            Assert.Equal(summary.Episodes, listener["marl.episode.return"].Count);
            Assert.Equal(summary.ReturnMean, listener["marl.evaluation.return"][^1]);
            Assert.InRange(listener.Sum("marl.update.duration") + listener.Sum("marl.rollout.duration"), 1e-6, summary.Seconds);
            Assert.InRange(listener.Sum("marl.episode.return"), 0, summary.Episodes * 1.001);
        }
        using var alone = new Trainer(configuration);
        Assert.Equal(summary.WeightsSha256, alone.Run().WeightsSha256);
    }

    [Fact]
    public void TheExampleCountsSteps()
    {
        TrainingSummary? summary = null;
        long steps = Example.EmbeddingExamples.CountSteps(() =>
            summary = Trainer.Train(new VdnOptions { Hidden = 8 }, () => Catalog.CreateEnvironment("two-step"), new() { Steps = 200 }).Summary);
        Assert.Equal(summary!.Steps, steps);
    }

    [Theory, InlineData(false), InlineData(true)]
    public void RecordingAllocatesNothing(bool listening)
    {
        var configuration = RunConfiguration.Of("vdn", "climbing");
        var meter = new TrainingMeter(configuration);
        Episode[] round = [Games.Play(() => Catalog.CreateEnvironment("climbing"), 1, RewardMode.Natural)];
        var evaluation = EvaluationResult.Of(round);
        int heard = 0;
        using var listener = new MeterListener();
        listener.SetMeasurementEventCallback<long>((_, _, _, _) => heard++);
        listener.SetMeasurementEventCallback<double>((_, _, _, _) => heard++);
        if (listening)
        {
            listener.InstrumentPublished = (instrument, l) =>
            {
                if (instrument.Meter.Name == "Marl.Native")
                {
                    l.EnableMeasurementEvents(instrument);
                }
            };
            listener.Start();
        }
        Record();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++)
        {
            Record();
        }
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(listening ? 101 * 9 : 0, heard);

        void Record()
        {
            meter.RecordRollout(round, 0);
            meter.RecordUpdates(3, 0);
            meter.RecordEvaluation(evaluation);
        }
    }

    /// <summary>The measurements of one algorithm in one environment, by instrument.</summary>
    private sealed class Listener : IDisposable
    {
        private readonly MeterListener listener = new();
        private readonly Dictionary<string, List<double>> measurements = [];

        public Listener(RunConfiguration configuration)
        {
            KeyValuePair<string, object?>[] expected =
                [new("marl.algorithm.name", configuration.Algorithm), new("marl.env.id", configuration.Environment)];
            listener.InstrumentPublished = (instrument, l) =>
            {
                if (instrument.Meter.Name == "Marl.Native")
                {
                    l.EnableMeasurementEvents(instrument);
                }
            };
            listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Add(instrument, value, tags));
            listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Add(instrument, value, tags));
            listener.Start();

            void Add(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
            {
                Assert.Equal(expected, tags.ToArray());
                this[instrument.Name].Add(value);
            }
        }

        public List<double> this[string instrument]
        {
            get
            {
                if (!measurements.TryGetValue(instrument, out var values))
                {
                    measurements[instrument] = values = [];
                }
                return values;
            }
        }

        public double Sum(string instrument) => this[instrument].Sum();

        public void Dispose() => listener.Dispose();
    }
}
