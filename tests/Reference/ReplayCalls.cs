using System.Globalization;
using System.Text.RegularExpressions;
using Marl.Native.Nn;
using Marl.Native.Rl;

namespace Marl.Native.Tests;

/// <summary>Three training calls of a learner of the value-based family, as a case describes them.</summary>
internal sealed partial class ReplayCalls
{
    private readonly ReferenceCase c;
    private readonly ReferenceBatch batch;

    // Where our numbers are not the peer's by intention, the clean variant holds them.
    private readonly string variant;

    public ReplayCalls(ReferenceCase c)
    {
        (this.c, batch) = (c, new ReferenceBatch(c));
        variant = c.Outputs.Any(output => output.StartsWith("clean.", StringComparison.Ordinal)) ? "clean." : "";
        if (variant != "")
        {
            c.LeaveOut("step", "a quirk of the peer, described in the case, is in it; clean.* is without");
            c.LeaveOut("mid", "as step");
        }
    }

    /// <summary>Intermediate results that are inside of the learner.</summary>
    public void LeaveOut(params string[] inside)
    {
        foreach (string name in inside)
        {
            c.LeaveOut($"{variant}mid.{name}", "inside the learner; losses and gradients stand on it");
        }
    }

    /// <summary>What the case says of learners of this family.</summary>
    public TOptions Configure<TOptions>(TOptions options) where TOptions : ValueOptions => Common(c, options) with
    {
        DoubleQ = c.Flag("double_q", otherwise: true),
        BatchSize = batch.Episodes.Length,
        BufferSize = batch.Episodes.Length,
    };

    /// <summary>What a case says of all learners.</summary>
    public static TOptions Common<TOptions>(ReferenceCase c, TOptions options) where TOptions : AlgorithmOptions
    {
        string update = c.Text("target_update")!;
        var soft = Tau().Match(update);
        bool adam = c.Text("optimiser") == "Adam";
        if (options is OnPolicyOptions onPolicy)
        {
            options = (TOptions)(AlgorithmOptions)(onPolicy with { StandardizeReturns = c.Flag("standardise_returns") });
        }
        else
        {
            Assert.False(c.Flag("standardise_returns"));
        }
        return options with
        {
            Agent = c.Flag("use_rnn", otherwise: true) ? new GruNetwork() : new MlpNetwork(),
            Hidden = (int)c.Number("hidden"),
            ShareParameters = c.Flag("parameter_sharing", otherwise: true),
            LastAction = c.Flag("obs_last_action"),
            AgentId = c.Flag("obs_agent_id"),
            Gamma = c.Number("gamma"),
            Optimizer = adam ? new Adam { Epsilon = c.Number("adam_eps") } : new RmsProp { Epsilon = c.Number("rmsprop_eps"), Alpha = c.Number("rmsprop_alpha", 0.99) },
            LearningRate = c.Number("lr"),
            MaxGradientNorm = c.Number("grad_norm_clip"),
            TargetUpdateInterval = soft.Success ? 1 : Call().Match(update) is { Success: true } call ? Number(call.Groups[1]) : Number(Steps().Match(update).Groups[1]) /
                Number(Steps().Match(update).Groups[2]),
            TargetTau = soft.Success ? float.Parse(soft.Groups[1].Value, CultureInfo.InvariantCulture) : 1f,
            StandardizeRewards = c.Flag("standardise_rewards"),
        };

        static int Number(Group digits) => int.Parse(digits.Value, CultureInfo.InvariantCulture);
    }

    /// <summary>Runs the calls, on the CPU with one and with two shards.</summary>
    /// <param name="options">the algorithm.</param>
    /// <param name="metrics">names of a case and of ours, for what the learner reports besides the loss.</param>
    public void Compare(ReplayOptions options, params (string Theirs, string Ours)[] metrics)
    {
        foreach (int shards in c.Shards)
        {
            using var workers = new Workers(1);
            var training = new TrainingOptions { Reward = batch.Reward, Shards = shards };
            var learner = (ReplayLearner)options.CreateLearner(training.Context(batch.Spec, workers, c.Device));
            var names = new ReferenceNames(c, learner.Parameters.Layout);
            names.Load("init.", learner.Parameters, target: false);
            names.Load("init.", learner.TargetParameters, target: true);
            CompareValues(learner);
            for (int call = 1; call <= 3; call++)
            {
                learner.Update(batch.Episodes);
                string step = $"{variant}step{call}.";
                c.Compare(step + "loss", learner.Statistics.Loss);
                c.Compare(step + "grad_norm", learner.Statistics.GradientNorm);
                foreach (var (theirs, ours) in metrics)
                {
                    c.Compare(step + theirs, learner.Statistics.Metrics.Single(metric => metric.Name == ours).Value);
                }
                names.Compare(step + "grad.", learner.Parameters.Gradient, target: false);
                names.Compare(step + "after.", learner.Parameters.Values, target: false);
                names.Compare(step + "after.", learner.TargetParameters.Values, target: true);
            }
        }
    }

    /// <summary>What the networks say before the first call, on all rows, padding included.</summary>
    private void CompareValues(ReplayLearner learner)
    {
        string prefix = variant + "mid.";
        var tape = new Tape(c.Device);
        using (tape.NoGrad())
        {
            var (input, agent) = (tape.Constant(c.Upload(batch.Input(learner.Agent.Options))), learner.Agent);
            var rest = tape.Constant(c.Upload(Tensor.Zeros(input.Shape[1], agent.Agents, agent.StateSize)));
            var (q, features, _) = agent.Forward(tape.Detached(learner.Parameters), input, rest);
            int steps = q.Shape[0] - 1;
            var (values, mask) = (q.Slice(0, 0, steps), batch.Mask);
            var chosen = Picked(ReferenceCase.SwapAxes(c["batch.actions"]).Slice(0, steps));
            var greatest = Picked(tape.ArgMax(values.Value, ReferenceCase.SwapAxes(c["batch.avail_actions"]).Slice(0, steps)));
            Compare("q", q);
            Compare("hidden", features);
            Compare("target_q", agent.Forward(tape.Detached(learner.TargetParameters), input, rest).Output);
            Compare("chosen_q", chosen);
            Compare("sum_q_chosen", Total(chosen));
            Compare("sum_q_greedy", Total(greatest));
            c.Compare(prefix + "mask", mask);

            Var Picked(Tensor index) => values.Gather(index).Reshape(steps, index.Shape[1], agent.Agents);

            Var Total(Var x) => x.Sum(-1).Reshape(steps, x.Shape[1], 1) * c.Upload(ReferenceCase.SwapAxes(mask));
        }

        // Each case has some of them.
        void Compare(string name, Var got)
        {
            if (c.Has(prefix + name))
            {
                c.Compare(prefix + name, ReferenceCase.SwapAxes(got.Value));
            }
        }
    }

    [GeneratedRegex(@"tau=([\d.]+)")]
    private static partial Regex Tau();

    [GeneratedRegex(@"call (\d+)")]
    private static partial Regex Call();

    [GeneratedRegex(@"reaches (\d+) \(here T=(\d+) steps per call\)")]
    private static partial Regex Steps();
}
