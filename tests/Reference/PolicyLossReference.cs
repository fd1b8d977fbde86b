using Marl.Native.Rl;

namespace Marl.Native.Tests;

/// <summary>The losses of the actor-critic family by themselves.</summary>
[Trait("Category", "Reference")]
public sealed class PolicyLossReference
{
    [ReferenceTheory(typeof(All))]
    public void Losses(string name, Device? on = null) => ReferenceCase.Run(name, on, c =>
    {
        var tape = new Tape(c.Device);
        using (tape.Step())
        {
            var logits = tape.Variable(c["logits"]);
            var layout = name == "loss_policy_branches" ? new ActionLayout((int)c.Number("branches"), (int)c.Number("branch_size"), 0) : new(1, logits.Shape[-1], 0);
            var logPolicy = new SoftmaxPolicy().LogPolicy(logits.Branches(layout), c["avail"].Branches(layout, tape));
            var (logChosen, entropy) = (logPolicy.OfChoices(c["action"]).SumOverBranches(layout.Branches), logPolicy.Entropy().SumOverBranches(layout.Branches));
            if (name.StartsWith("loss_ppo", StringComparison.Ordinal))
            {
                Clipped(c, tape, logChosen, entropy);
            }
            else
            {
                var loss = Mean(c, PolicyObjective.ActorLoss(logChosen, c["advantage"], entropy, c.Number("entropy_coef")));
                tape.Backward(loss);
                c.Compare("log_pi", logChosen.Value);
                c.Compare("entropy", entropy.Value);
                c.Compare("loss", loss.Value);
            }
            c.Compare("grad.logits", logits.Gradient);
        }
    });

    private static void Clipped(ReferenceCase c, Tape tape, Var logChosen, Var entropy)
    {
        float clip = c.Number("eps_clip");
        var ratio = (logChosen - c["old_log_pi"]).Exp();
        var v = tape.Variable(c["value"]);
        var policyLoss = Mean(c, ActorCritic.ClippedLoss(ratio, c.Flag("normalise_advantage") ? Normalized(c) : c["advantage"], clip));
        // The engine's is the whole mean; actors and critics have optimizers of their own, so there are no coefficients.
        var valueLoss = 0.5f * Mean(c, ActorCritic.ValueError(v, c["returns"], c["old_value"], c.Number("value_clip")));
        var loss = policyLoss + c.Number("value_coef") * valueLoss - c.Number("entropy_coef") * Mean(c, entropy);
        tape.Backward(loss);
        c.Compare("ratio", ratio.Value);
        c.Compare("policy_loss", policyLoss.Value);
        c.Compare("value_loss", valueLoss.Value);
        c.Compare("entropy", Mean(c, entropy).Value);
        c.Compare("loss", loss.Value);
        c.Compare("clip_fraction", Mean(c, tape.Constant(ActorCritic.IsClipped(ratio, clip))).Value);
        c.LeaveOut("approx_kl", "not among the metrics");
        c.Compare("grad.value", v.Gradient);
    }

    /// <summary>The valid advantages as one episode of one agent, which is normalized.</summary>
    private static Tensor Normalized(ReferenceCase c)
    {
        int[] valid = [.. Enumerable.Range(0, c["mask"].Count).Where(i => c.Host("mask").Span[i] != 0)];
        var episode = new Episode(EnvironmentSpec.Uniform("advantages", agents: 1, observationSize: 1, actionCount: 1, episodeLimit: valid.Length, snapshotSize: 0))
        {
            Length = valid.Length,
        };
        episode.Add(Column.Advantages);
        var advantages = Device.Cpu.Zeros(c["mask"].Shape);
        for (int i = 0; i < valid.Length; i++)
        {
            episode[Column.Advantages][i] = c.Host("advantage").Span[valid[i]];
        }
        ColumnStatistics.Normalize([episode], Column.Advantages);
        for (int i = 0; i < valid.Length; i++)
        {
            advantages.Span[valid[i]] = episode[Column.Advantages][i];
        }
        return c.Upload(advantages);
    }

    private static Var Mean(ReferenceCase c, Var x) => (x * c["mask"]).Sum() / c["mask"].ToArray().Sum();

    private sealed class All() : LearnerCases("loss_policy_gradient", "loss_policy_branches", "loss_ppo")
    {
        protected override bool Has(string name) => true;
    }
}
