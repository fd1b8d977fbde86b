using Marl.Native.Nn;
using Marl.Native.Rl;

namespace Marl.Native.Tests;

/// <summary>MADDPG against EPyMARL without its quirks: three training calls with the same Gumbel noise; the loss of inferred policies by itself.</summary>
[Trait("Category", "Reference")]
public sealed class MaddpgReference
{
    [ReferenceTheory(typeof(Learners))]
    public void TrainingCalls(string name, Device? on = null) => ReferenceCase.Run(name, on, c =>
    {
        c.LeaveOut("step", "quirks of the peer, described in the case, are in it; clean.* is without");
        c.LeaveOut("mid", "as step");
        foreach (string inside in (string[])["q_taken", "targets", "actor_actions", "actor_q", "logits", "reward_used"])
        {
            c.LeaveOut($"clean.mid.{inside}", "inside the learner; losses and gradients stand on it");
        }
        var batch = new ReferenceBatch(c);
        c.Compare("clean.mid.mask", batch.Mask);
        var options = ReplayCalls.Common(c, new MaddpgOptions()) with
        {
            CriticHidden = (int)c.Number("hidden"),
            Temperature = c.Number("temperature"),
            LogitRegularization = c.Number("reg"),
            Others = OthersActions.Stored,
            BatchSize = batch.Episodes.Length,
            BufferSize = batch.Episodes.Length,
        };
        foreach (int shards in c.Shards)
        {
            using var workers = new Workers(1);
            var noise = new GivenNoise(c.Host("gumbel"), batch.Episodes);
            var training = new TrainingOptions { Reward = batch.Reward, Shards = shards };
            var context = training.Context(batch.Spec, workers, c.Device);
            var learner = new ReplayLearner(options, context, new Maddpg(options, context, noise));
            ReferenceNames[] names = [.. learner.Networks.Select(network => new ReferenceNames(c, network.Online.Layout))];
            for (int i = 0; i < names.Length; i++)
            {
                names[i].Load("init.", learner.Networks[i].Online, target: false);
                names[i].Load("init.", learner.Networks[i].Target, target: true);
            }
            for (int call = 1; call <= 3; call++)
            {
                noise.Call = call - 1;
                learner.Update(batch.Episodes);
                string step = $"clean.step{call}.";
                c.Compare(step + "critic_loss", Metric("criticLoss"));
                c.Compare(step + "pg_loss", Metric("policyLoss"));
                c.Compare(step + "critic_grad_norm", Metric("criticGradientNorm"));
                c.Compare(step + "agent_grad_norm", learner.Statistics.GradientNorm);
                for (int i = 0; i < names.Length; i++)
                {
                    names[i].Compare(step + "grad.", learner.Networks[i].Online.Gradient, target: false);
                    names[i].Compare(step + "after.", learner.Networks[i].Online.Values, target: false);
                    names[i].Compare(step + "after.", learner.Networks[i].Target.Values, target: true);
                }
            }

            float Metric(string metric) => learner.Statistics.Metrics.Single(m => m.Name == metric).Value;
        }
    });

    [ReferenceTheory(typeof(Learners))]
    public void PolicyLossWithCurrentActionsOfTheOthers(string name) => ReferenceCase.Run(name, c =>
    {
        c.LeaveOut("", "this is the policy loss of the first call alone, by the peer's critic after its step and the peer's own Q of its samples");
        var batch = new ReferenceBatch(c);
        var options = ReplayCalls.Common(c, new MaddpgOptions()) with
        {
            CriticHidden = (int)c.Number("hidden"),
            CriticLearningRate = 1e-30f,
            Temperature = c.Number("temperature"),
            LogitRegularization = c.Number("reg"),
            BatchSize = batch.Episodes.Length,
            BufferSize = batch.Episodes.Length,
        };
        using var workers = new Workers(1);
        var context = new TrainingOptions { Reward = batch.Reward, Shards = 1 }.Context(batch.Spec, workers, c.Device);
        var learner = new ReplayLearner(options, context, new Maddpg(options, context, new GivenNoise(c.Host("gumbel"), batch.Episodes)));
        new ReferenceNames(c, learner.Networks[0].Online.Layout).Load("init.", learner.Networks[0].Online, target: false);
        new ReferenceNames(c, learner.Networks[1].Online.Layout).Load("step1.after.", learner.Networks[1].Online, target: false);
        learner.Update(batch.Episodes);
        // Means over transitions, and over their available logits.
        double q = 0, squares = 0, transitions = 0, logits = 0;
        for (int b = 0; b < batch.Episodes.Length; b++)
        {
            var episode = batch.Episodes[b];
            for (int t = 0; t < episode.Length; t++)
            {
                foreach (float value in c.Host("mid.actor_q")[b][t].Span)
                {
                    (q, transitions) = (q + value, transitions + 1);
                }
                for (int agent = 0; agent < episode.Agents; agent++)
                {
                    for (int action = 0; action < episode.ActionCount; action++)
                    {
                        float logit = c.Host("mid.logits")[b][t][agent].Span[action];
                        bool available = episode.AvailableActions(t, agent)[action];
                        (squares, logits) = (squares + (available ? logit * logit : 0), logits + (available ? 1 : 0));
                    }
                }
            }
        }
        double expected = c.Number("reg") * squares / logits - q / transitions;
        Assert.Equal(expected, learner.Statistics.Metrics.Single(metric => metric.Name == "policyLoss").Value, 2e-5 * Math.Abs(expected));
    });

    [ReferenceTheory(typeof(Losses))]
    public void LossOfInferredPolicies(string name, Device? on = null) => ReferenceCase.Run(name, on, c =>
    {
        var tape = new Tape(c.Device);
        using (tape.Step())
        {
            var logits = tape.Variable(c["logits"]);
            var logPolicy = logits.LogSoftmax();
            var loss = Maddpg.InferenceLoss(logPolicy, c["act"], c.Number("lambda_")).Mean();
            tape.Backward(loss);
            c.Compare("log_mu", new ActionValues(logPolicy, c["act"], default).Chosen.Value);
            c.Compare("entropy", logPolicy.Entropy().Value);
            c.Compare("loss", loss.Value);
            c.Compare("grad.logits", logits.Gradient);
        }
    });

    [ReferenceTheory(typeof(Transitions))]
    public void TransitionsOfUnlikeAgents(string name) => ReferenceCase.Run(name, c => new MaddpgTransitions(c).Compare());

    /// <summary>The noise of a case, [calls, B, T, N, A].</summary>
    private sealed class GivenNoise(Tensor gumbel, Episode[] all) : LossNoise
    {
        public int Call { get; set; }

        public override void Gumbel(LossContext context, int stream, Tensor noise)
        {
            var (steps, agents, actions) = (noise.Shape[0], noise.Shape[2], noise.Shape[3]);
            int row = agents * actions;
            float[] drawn = new float[noise.Count];
            for (int b = 0; b < context.Episodes.Length; b++)
            {
                int episode = Array.IndexOf(all, context.Episodes[b]);
                for (int t = 0; t < steps; t++)
                {
                    gumbel.Span.Slice(((Call * all.Length + episode) * (gumbel.Count / (3 * all.Length * row)) + t) * row, row)
                        .CopyTo(drawn.AsSpan((t * context.Episodes.Length + b) * row));
                }
            }
            noise.CopyFrom(drawn);
        }
    }

    private sealed class Learners() : LearnerCases("learner_epymarl_maddpg")
    {
        protected override bool Has(string name) => true;
    }

    private sealed class Transitions() : LearnerCases("learner_own_maddpg")
    {
        protected override bool Has(string name) => true;
    }

    private sealed class Losses() : LearnerCases("loss_policy_inference")
    {
        protected override bool Has(string name) => true;
    }
}
