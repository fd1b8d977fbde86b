using Marl.Native.Rl;

namespace Marl.Native.Tests;

/// <summary>Five episodes, played and learned from with the same fresh weights.</summary>
internal sealed class Round : IDisposable
{
    private readonly Workers workers = new(1);

    public Round(string environment, float exploration, string[] settings, string algorithm = "iql")
    {
        var configuration = Games.Configure(algorithm, environment, 1_000, settings: settings);
        IEnvironment[] stages = [.. Enumerable.Range(0, 5).Select(_ => Catalog.CreateEnvironment(environment))];
        Spec = stages[0].Spec;
        Learner = (ReplayLearner)configuration.CreateLearner(configuration.Training.Context(Spec, workers));
        Episodes = [.. Enumerable.Range(0, 5).Select(_ => new Episode(Spec, columns: Learner.Columns))];
        new Rollout(stages, 5, Learner.Actors, Learner.Exploration, workers, new Rng(7))
            .Play(Episodes, exploration, new Fingerprint(0.25f, exploration));
    }

    public EnvironmentSpec Spec { get; }

    public ReplayLearner Learner { get; }

    public Episode[] Episodes { get; }

    public void Dispose() => workers.Dispose();

    /// <summary>[T, N] of an episode's actions, by the learner's weights.</summary>
    public float[] PresentProbability(Episode episode, float epsilon)
    {
        var (tape, agent, batch) = (new Tape(), Learner.Agent, new EpisodeBatch(Spec, 1, 1));
        batch.Load([episode]);
        using (tape.NoGrad())
        {
            var rest = tape.Constant(Tensor.Zeros(1, agent.Agents, agent.StateSize));
            var q = agent.Forward(tape.Detached(Learner.Parameters), agent.Input.Build(tape, batch), rest).Output;
            var values = new ActionValues(q.Slice(0, 0, batch.Steps), batch.Actions, batch.Available.Slice(0, batch.Steps));
            return Weighting.Probability(tape, values, epsilon).ToArray();
        }
    }
}
