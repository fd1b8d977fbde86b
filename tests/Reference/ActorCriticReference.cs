using System.Text.RegularExpressions;
using Marl.Native.Rl;

namespace Marl.Native.Tests;

/// <summary>Three training calls of A2C and PPO, independent and centralised, against EPyMARL without its quirks.</summary>
[Trait("Category", "Reference")]
public sealed partial class ActorCriticReference
{
    [ReferenceTheory(typeof(All))]
    public void TrainingCalls(string name) => ReferenceCase.Run(name, c =>
    {
        c.LeaveOut("step", "returns beyond the end of an episode and statistics of padding are in it; clean.* is without");
        c.LeaveOut("mid", "as step");
        var batch = new ReferenceBatch(c);
        foreach (int shards in (int[])[1, 2])
        {
            using var workers = new Workers(1);
            var training = new TrainingOptions { Reward = batch.Reward, Shards = shards, Environments = batch.Episodes.Length };
            var options = Options(c);
            var learner = ActorCritic.Learner(options, new LearnerContext(batch.Spec, training, workers));
            ReferenceNames[] names = [.. learner.Networks.Select(network => new ReferenceNames(c, network.Online.Layout))];
            for (int i = 0; i < names.Length; i++)
            {
                names[i].Load("init.", learner.Networks[i].Online, target: false);
            }
            names[1].Load("init.", learner.Networks[1].Target, target: true);
            for (int call = 1; call <= 3; call++)
            {
                Play(batch, learner);
                learner.Begin(batch.Episodes, steps: 0);
                if (call == 1)
                {
                    CompareEstimates(c, batch, learner);
                }
                string step = $"clean.step{call}.";
                var epochs = new Dictionary<string, List<float>> { ["critic_loss"] = [], ["critic_grad_norm"] = [], ["agent_grad_norm"] = [], ["clip_fraction"] = [] };
                for (int epoch = 0; epoch < options.Epochs; epoch++)
                {
                    learner.Pass(steps: 0);
                    epochs["critic_loss"].Add(Metric("criticLoss"));
                    epochs["critic_grad_norm"].Add(Metric("criticGradientNorm"));
                    epochs["agent_grad_norm"].Add(learner.Statistics.GradientNorm);
                    epochs["clip_fraction"].Add(Metric("clipFraction"));
                    if (epoch == 0)
                    {
                        for (int i = 0; i < names.Length; i++)
                        {
                            names[i].Compare(step + "grad.", ReplayCalls.Unclipped(learner.Networks[i], c.Number("grad_norm_clip")), target: false);
                        }
                    }
                }
                learner.End();
                c.Compare(step + "pg_loss", Metric("actorLoss"));
                foreach (var (key, values) in epochs)
                {
                    if (c.Has(step + key))
                    {
                        c.Compare(step + key, Tensor.Of([.. values]));
                    }
                }
                for (int i = 0; i < names.Length; i++)
                {
                    names[i].Compare(step + "after.", learner.Networks[i].Online.Values, target: false);
                }
                names[1].Compare(step + "after.", learner.Networks[1].Target.Values, target: true);
            }

            float Metric(string metric) => learner.Statistics.Metrics.Single(m => m.Name == metric).Value;
        }
    });

    private static ActorCriticOptions Options(ReferenceCase c)
    {
        var options = ReplayCalls.Common(c, new ActorCriticOptions());
        return options with
        {
            Critic = c.Text("critic")!.StartsWith("cv", StringComparison.Ordinal) ? CriticKind.Central : CriticKind.Local,
            CriticHidden = options.Hidden,
            Entropy = c.Number("entropy_coef"),
            NStep = (int)c.Number("q_nstep"),
            Clip = c.Number("eps_clip", 0),
            Epochs = (int)c.Number("epochs", 1),
            StandardiseReturns = c.Flag("standardise_returns"),
        };
    }

    /// <summary>The episodes as if the learner's policy of now had played them.</summary>
    private static void Play(ReferenceBatch batch, OnPolicyLearner learner)
    {
        var logPolicy = LogPolicy(batch, learner);
        int agents = batch.Spec.Agents.Length, actions = batch.Spec.ActionCount;
        for (int b = 0; b < batch.Episodes.Length; b++)
        {
            var episode = batch.Episodes[b];
            for (int i = 0; i < episode.Length * agents; i++)
            {
                int row = (i / agents * batch.Episodes.Length + b) * agents + i % agents;
                episode.Probabilities[i] = MathF.Exp(logPolicy.Span[row * actions + episode.Actions[i]]);
            }
        }
    }

    /// <summary>[T, B, N, A]</summary>
    private static Tensor LogPolicy(ReferenceBatch batch, OnPolicyLearner learner)
    {
        var (tape, agent, all) = (new Tape(), learner.Agent, new EpisodeBatch(batch.Spec, batch.Episodes.Length, batch.Reward.Streams(batch.Spec)));
        all.Load(batch.Episodes);
        using (tape.NoGrad())
        {
            var rest = tape.Constant(Tensor.Zeros(all.Count, agent.Agents, agent.Hidden));
            var logits = agent.Forward(tape.Freeze(learner.Parameters), tape.Constant(agent.Input.Build(tape, all)), rest).Output;
            var log = logits.Slice(0, 0, all.Steps).LogSoftmax(all.Available.Slice(0, all.Steps)).Value;
            var copy = Device.Cpu.Zeros(log.Shape);
            log.CopyTo(copy);
            return copy;
        }
    }

    private static void CompareEstimates(ReferenceCase c, ReferenceBatch batch, OnPolicyLearner learner)
    {
        foreach (string inside in (string[])["pi", "log_pi_taken", "entropy", "reward_used"])
        {
            c.LeaveOut($"clean.mid.{inside}", "inside the loss; losses and gradients stand on it");
        }
        c.Compare("clean.mid.mask", batch.Mask);
        Compare("value", estimates => estimates.Values);
        Compare("returns", estimates => estimates.Returns);
        Compare("advantage", estimates => estimates.Advantages);

        void Compare(string name, Func<Estimates, float[]> field)
        {
            var got = Device.Cpu.Zeros(c[$"clean.mid.{name}"].Shape);
            for (int b = 0; b < batch.Episodes.Length; b++)
            {
                field(batch.Episodes[b].Estimates!).AsSpan(0, batch.Episodes[b].Length * batch.Spec.Agents.Length).CopyTo(got[b].Span);
            }
            c.Compare($"clean.mid.{name}", got);
        }
    }

    [GeneratedRegex("^learner_epymarl_(ia2c|ippo|maa2c|mappo)")]
    private static partial Regex Built();

    private sealed class All() : LearnerCases("learner_")
    {
        protected override bool Belongs(string name) => Built().IsMatch(name);

        protected override bool Has(string name) => true;
    }
}
