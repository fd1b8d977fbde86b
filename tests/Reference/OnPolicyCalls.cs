using Marl.Native.Rl;

namespace Marl.Native.Tests;

/// <summary>Three training calls of a learner of the actor-critic family, as a case describes them, against its clean variant.</summary>
internal sealed class OnPolicyCalls
{
    private readonly ReferenceCase c;
    private readonly ReferenceBatch batch;
    private readonly List<(string Theirs, string[] Ours)> losses = [("pg_loss", ["actorLoss"])];

    public OnPolicyCalls(ReferenceCase c)
    {
        (this.c, batch) = (c, new ReferenceBatch(c));
        c.LeaveOut("step", "quirks of the peer, described in the case, are in it; clean.* is without");
        c.LeaveOut("mid", "as step");
    }

    /// <summary>Intermediate results that are inside of the learner.</summary>
    public void LeaveOut(params string[] inside)
    {
        foreach (string name in inside)
        {
            c.LeaveOut($"clean.mid.{name}", "inside the learner; losses and gradients stand on it");
        }
    }

    /// <summary>A loss of the case that is the sum of some of our metrics.</summary>
    public void Loss(string theirs, params string[] ours) => losses.Add((theirs, ours));

    /// <summary>Runs the calls, on the CPU with one and with two shards.</summary>
    /// <param name="options">how it learns.</param>
    /// <param name="clock">environment steps so far, at each call.</param>
    /// <param name="estimates">names of a case for what is stored with the episodes in the first call.</param>
    public void Compare(OnPolicyOptions options, IReadOnlyList<long> clock, params (string Theirs, Column Ours)[] estimates)
    {
        foreach (int shards in c.Shards)
        {
            using var workers = new Workers(1);
            var training = new TrainingOptions
            {
                Reward = batch.Reward,
                Shards = shards,
                Environments = batch.Episodes.Length,
                Steps = (long)c.Number("t_max", 1),
            };
            var learner = (OnPolicyLearner)options.CreateLearner(training.Context(batch.Spec, workers, c.Device));
            ReferenceNames[] names = [.. learner.Networks.Select(network => new ReferenceNames(c, network.Online.Layout))];
            for (int i = 0; i < names.Length; i++)
            {
                names[i].Load("init.", learner.Networks[i].Online, target: false);
            }
            for (int i = 1; i < names.Length; i++)
            {
                names[i].Load("init.", learner.Networks[i].Target, target: true);
            }
            for (int call = 1; call <= 3; call++)
            {
                Play(learner, options.Exploration.RateAt(0));
                learner.Begin(batch.Episodes, clock[call - 1]);
                if (call == 1)
                {
                    CompareEstimates(estimates);
                }
                Learn(options, learner, names, clock[call - 1], $"clean.step{call}.");
            }
        }
    }

    /// <summary>One call but for its beginning.</summary>
    private void Learn(OnPolicyOptions options, OnPolicyLearner learner, ReferenceNames[] names, long steps, string prefix)
    {
        (string[] Theirs, Func<float> Ours, List<float> Values)[] epochs =
        [
            (["critic_loss", "critic_losses"], () => Metric("criticLoss"), []),
            (["critic_grad_norm", "critic_grad_norms"], () => Metric("criticGradientNorm"), []),
            (["agent_grad_norm"], () => learner.Statistics.GradientNorm, []),
            (["clip_fraction"], () => Metric("clipFraction"), []),
        ];
        for (int epoch = 0; epoch < options.Epochs; epoch++)
        {
            learner.RunEpoch(steps);
            foreach (var (theirs, ours, values) in epochs)
            {
                if (theirs.Any(name => c.Has(prefix + name)))
                {
                    values.Add(ours());
                }
            }
            for (int i = 0; epoch == 0 && i < names.Length; i++)
            {
                names[i].Compare(prefix + "grad.", learner.Networks[i].Online.Gradient, target: false);
            }
        }
        learner.End();
        foreach (var (theirs, ours) in losses)
        {
            c.Compare(prefix + theirs, ours.Sum(Metric));
        }
        foreach (var (theirs, _, values) in epochs)
        {
            if (theirs.FirstOrDefault(name => c.Has(prefix + name)) is { } name)
            {
                c.Compare(prefix + name, Tensor.Of([.. values]));
            }
        }
        for (int i = 0; i < names.Length; i++)
        {
            names[i].Compare(prefix + "after.", learner.Networks[i].Online.Values, target: false);
            if (i > 0)
            {
                names[i].Compare(prefix + "after.", learner.Networks[i].Target.Values, target: true);
            }
        }

        float Metric(string metric) => learner.Statistics.Metrics.Single(m => m.Name == metric).Value;
    }

    /// <summary>The episodes as if the learner's policy of now had played them.</summary>
    private void Play(OnPolicyLearner learner, float floor)
    {
        var logPolicy = LogPolicy(learner, floor);
        int agents = batch.Spec.Agents.Length, actions = batch.Spec.ActionCount;
        for (int b = 0; b < batch.Episodes.Length; b++)
        {
            var episode = batch.Episodes[b];
            episode.Fingerprint = new(0f, floor);
            for (int i = 0; i < episode.Length * agents; i++)
            {
                int row = (i / agents * batch.Episodes.Length + b) * agents + i % agents;
                episode.Probabilities[i] = MathF.Exp(logPolicy.Span[row * actions + episode.Actions[i]]);
            }
        }
    }

    /// <summary>[T, B, N, A]</summary>
    private Tensor LogPolicy(OnPolicyLearner learner, float floor)
    {
        var (tape, agent) = (new Tape(c.Device), learner.Agent);
        var all = new EpisodeBatch(batch.Spec, batch.Episodes.Length, batch.Reward.Streams(batch.Spec), c.Device);
        all.Load(batch.Episodes);
        using (tape.NoGrad())
        {
            var rest = tape.Constant(c.Upload(Tensor.Zeros(all.Count, agent.Agents, agent.StateSize)));
            var logits = agent.Forward(tape.Detached(learner.Parameters), agent.Input.Build(tape, all), rest).Output;
            var log = learner.Exploration.LogPolicy(logits.Slice(0, 0, all.Steps), all.Available.Slice(0, all.Steps), floor).Value;
            var copy = Device.Cpu.Zeros(log.Shape);
            log.CopyTo(copy);
            return copy;
        }
    }

    private void CompareEstimates((string Theirs, Column Ours)[] estimates)
    {
        c.Compare("clean.mid.mask", batch.Mask);
        foreach (var (theirs, ours) in estimates)
        {
            var got = Device.Cpu.Zeros(c[$"clean.mid.{theirs}"].Shape);
            for (int b = 0; b < batch.Episodes.Length; b++)
            {
                batch.Episodes[b][ours].CopyTo(got[b].Span);
            }
            c.Compare($"clean.mid.{theirs}", got);
        }
    }
}
