using System.Globalization;
using System.Text.RegularExpressions;
using Marl.Native.Rl;

namespace Marl.Native.Tests;

/// <summary>Three training calls of the Q-learning family on one batch: losses, gradients and weights against PyMARL, EPyMARL and PyMARL2.</summary>
[Trait("Category", "Reference")]
public sealed partial class QLearnerReference
{
    [ReferenceTheory(typeof(All))]
    public void TrainingCalls(string name) => ReferenceCase.Run(name, c =>
    {
        // Where our numbers are not the peer's by intention, the clean variant holds them.
        string variant = c.Outputs.Any(o => o.StartsWith("clean.", StringComparison.Ordinal)) ? "clean." : "";
        if (variant != "")
        {
            c.LeaveOut("step", "the peer standardises rewards with padded rows and the sample variance; clean.* does not");
            c.LeaveOut("mid", "as step");
        }
        foreach (string inside in (string[])["q_tot", "target_tot", "targets"])
        {
            c.LeaveOut($"{variant}mid.{inside}", "inside the learner; losses and gradients stand on it");
        }
        var batch = new ReferenceBatch(c);
        foreach (int shards in (int[])[1, 2])
        {
            using var workers = new Workers(1);
            var training = new TrainingOptions { Reward = batch.Reward, Shards = shards };
            var learner = new QLearner(Options(c, batch), new LearnerContext(batch.Spec, training, workers));
            var names = new ReferenceNames(c, learner.Parameters.Layout);
            names.Load("init.", learner.Parameters, target: false);
            names.Load("init.", learner.TargetParameters, target: true);
            CompareValues(c, variant + "mid.", batch, learner);
            for (int call = 1; call <= 3; call++)
            {
                learner.Update(batch.Episodes);
                string step = $"{variant}step{call}.";
                c.Compare(step + "loss", learner.Statistics.Loss);
                c.Compare(step + "grad_norm", learner.Statistics.GradientNorm);
                names.Compare(step + "grad.", Unclipped(learner, c.Number("grad_norm_clip")), target: false);
                names.Compare(step + "after.", learner.Parameters.Values, target: false);
                names.Compare(step + "after.", learner.TargetParameters.Values, target: true);
            }
        }
    });

    private static QLearningOptions Options(ReferenceCase c, ReferenceBatch batch)
    {
        string update = c.Text("target_update")!;
        var soft = Tau().Match(update);
        bool adam = c.Text("optimiser") == "Adam";
        bool mixes = c.Inputs.Any(name => name.StartsWith("init.mixer.", StringComparison.Ordinal));
        return new QLearningOptions
        {
            Agent = c.Flag("use_rnn", otherwise: true) ? AgentKind.Gru : AgentKind.Mlp,
            Hidden = (int)c.Number("hidden"),
            Shared = c.Flag("parameter_sharing", otherwise: true),
            LastAction = c.Flag("obs_last_action"),
            AgentId = c.Flag("obs_agent_id"),
            Mixer = mixes ? MixerKind.Qmix : c.Text("mixer") == "vdn" ? MixerKind.Vdn : MixerKind.None,
            MixingEmbed = (int)c.Number("mixing_embed_dim", 1),
            HypernetLayers = (int)c.Number("hypernet_layers", 2),
            HypernetEmbed = (int)c.Number("hypernet_embed", 1),
            Gamma = c.Number("gamma"),
            Optimizer = adam ? OptimizerKind.Adam : OptimizerKind.Rmsprop,
            LearningRate = c.Number("lr"),
            OptimizerEpsilon = adam ? c.Number("adam_eps") : c.Number("rmsprop_eps"),
            RmspropAlpha = c.Number("rmsprop_alpha", 0.99),
            GradientClip = c.Number("grad_norm_clip"),
            DoubleQ = c.Flag("double_q", otherwise: true),
            Lambda = c.Number("td_lambda", 0),
            LossScale = c.Number("loss_coef", 1),
            TargetEvery = soft.Success ? 1 : int.Parse(Call().Match(update).Groups[1].Value, CultureInfo.InvariantCulture),
            TargetTau = soft.Success ? float.Parse(soft.Groups[1].Value, CultureInfo.InvariantCulture) : 1f,
            StandardiseRewards = c.Flag("standardise_rewards"),
            BatchSize = batch.Episodes.Length,
            BufferSize = batch.Episodes.Length,
        };
    }

    /// <summary>What the networks say before the first call, on all rows, padding included.</summary>
    private static void CompareValues(ReferenceCase c, string prefix, ReferenceBatch batch, QLearner learner)
    {
        var tape = new Tape();
        using (tape.NoGrad())
        {
            var (input, agent) = (tape.Constant(batch.Input(learner.Agent.Options)), learner.Agent);
            var rest = tape.Constant(Tensor.Zeros(input.Shape[1], agent.Agents, agent.Hidden));
            var q = agent.Forward(tape.Freeze(learner.Parameters), input, rest).Output;
            int steps = q.Shape[0] - 1;
            var index = ReferenceCase.SwapAxes(c["batch.actions"]).Slice(0, steps);
            c.Compare(prefix + "q", ReferenceCase.SwapAxes(q.Value));
            c.Compare(prefix + "target_q", ReferenceCase.SwapAxes(agent.Forward(tape.Freeze(learner.TargetParameters), input, rest).Output.Value));
            var chosen = q.Slice(0, 0, steps).Gather(index).Reshape(steps, index.Shape[1], agent.Agents);
            c.Compare(prefix + "chosen_q", ReferenceCase.SwapAxes(chosen.Value));
            c.Compare(prefix + "mask", batch.Mask);
        }
    }

    /// <summary>The gradient before it was clipped in place.</summary>
    private static Tensor Unclipped(QLearner learner, float maxNorm)
    {
        float scale = Math.Max(1f, (learner.Statistics.GradientNorm + 1e-6f) / maxNorm);
        return Tensor.Of([.. learner.Parameters.Gradient.ToArray().Select(g => g * scale)]);
    }

    [GeneratedRegex(@"tau=([\d.]+)")]
    private static partial Regex Tau();

    [GeneratedRegex(@"call (\d+)")]
    private static partial Regex Call();

    [GeneratedRegex("^learner_e?pymarl_(iql|vdn|qmix)_|^learner_pymarl2_qmix_tdlambda$")]
    private static partial Regex Built();

    private sealed class All() : LearnerCases("learner_")
    {
        protected override bool Has(string name) => Built().IsMatch(name);
    }
}
