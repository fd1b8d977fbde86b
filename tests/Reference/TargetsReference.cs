using System.Globalization;
using Marl.Native.Rl;

namespace Marl.Native.Tests;

/// <summary>Returns and targets against independent implementations and the peers' functions.</summary>
[Trait("Category", "Reference")]
public sealed class TargetsReference
{
    private static readonly Dictionary<string, Action<ReferenceCase, Tape>> Formulas = new()
    {
        ["returns_discount_vector"] = DiscountVector,
        ["returns_gae"] = Gae,
        ["returns_gae_pymarl2"] = GaeWithContinuation,
        ["returns_monte_carlo"] = MonteCarlo,
        ["returns_nstep_common"] = NStep,
        ["returns_nstep_individual"] = NStep,
        ["returns_off_policy"] = OffPolicy,
        ["returns_q_lambda"] = QLambda,
        ["returns_td_lambda"] = TdLambda,
        ["returns_td_lambda_truncated"] = TdLambdaTruncated,
        ["returns_vtrace"] = VTrace,
    };

    [ReferenceTheory(typeof(All))]
    public void Returns(string name, Device? on = null) => ReferenceCase.Run(name, on, c =>
    {
        var tape = new Tape(c.Device);
        using (tape.Step())
        {
            Formulas[name](c, tape);
        }
    });

    private static void DiscountVector(ReferenceCase c, Tape tape)
    {
        var steps = Transitions.Of(tape, c["reward"], c["discount"]);
        foreach (double n in c.Numbers("n"))
        {
            c.Compare($"n{n}", Targets.NStep(tape, steps, c["value_next"], (int)n));
        }
        c.Compare("lambda", Targets.Lambda(tape, steps, c["value_next"], c.Number("lambda_")));
    }

    private static void Gae(ReferenceCase c, Tape tape)
    {
        var steps = Transitions.Of(tape, c["reward"], c["terminated"], c.Number("gamma"), truncatedT: c["truncated"]);
        var advantage = Targets.Gae(tape, steps, c["value"], c["next_value"], c.Number("lambda_"));
        c.Compare("advantage", advantage);
        c.Compare("returns", (tape.Constant(advantage) + c["value"]).Value);
    }

    private static void GaeWithContinuation(ReferenceCase c, Tape tape)
    {
        // A continuation of 0 is a termination.
        var (value, ended) = (Time(c, "value"), (1f - tape.Constant(Time(c, "cont"))).Value);
        int length = ended.Shape[0];
        var steps = Transitions.Of(tape, Time(c, "reward"), ended, c.Number("gamma"));
        CompareTime(c, "advantage", Targets.Gae(tape, steps, value.Slice(0, length), value.Slice(1, length), c.Number("lambda_")));
        CompareTime(c, "returns", Targets.Lambda(tape, steps, value.Slice(1, length), c.Number("lambda_")));
    }

    private static void MonteCarlo(ReferenceCase c, Tape tape)
    {
        var mask = Time(c, "mask");
        var steps = Transitions.Of(tape, Time(c, "reward"), c.Device.Zeros(mask.Shape), c.Number("gamma"), mask);
        CompareTime(c, "returns", Targets.MonteCarlo(tape, steps));
    }

    private static void NStep(ReferenceCase c, Tape tape)
    {
        var (steps, vNext) = Padded(c, tape);
        // The peer sees one endless episode, in which rewards and values behind an end are 0; the value of its last row is never (last)
        // or always (nolast) 0.
        var (reward, mask) = (Time(c, "reward"), Time(c, "mask"));
        var endless = Transitions.Of(tape, (tape.Constant(reward) * mask).Value, c.Device.Zeros(mask.Shape), c.Number("gamma"));
        foreach (double n in c.Numbers("n"))
        {
            CompareTime(c, $"n{n}", Targets.NStep(tape, steps, vNext, (int)n));
            CompareTime(c, $"peer.n{n}.last", Targets.NStep(tape, endless, Masked(c, vNext, mask, atTheEnd: 1f), (int)n));
            CompareTime(c, $"peer.n{n}.nolast", Targets.NStep(tape, endless, Masked(c, vNext, mask, atTheEnd: 0f), (int)n));
        }
    }

    private static void OffPolicy(ReferenceCase c, Tape tape)
    {
        float lambda = c.Number("lambda_");
        var steps = Transitions.Of(tape, c["reward"], c["discount"]);
        int length = c["reward"].Shape[0];
        var q = tape.Constant(c["q"]).Slice(0, 1, length);
        var action = c["action"].Slice(1, length);
        var picks = action.Reshape(action.Shape.Append(1));
        var pi = tape.Constant(c["target_logits"]).Slice(0, 1, length).Softmax();
        var mu = tape.Constant(c["behavior_logits"]).Slice(0, 1, length).Softmax();
        var piA = pi.Gather(picks).Reshape(action.Shape);
        var (v, qA, rho) = ((pi * q).Sum(-1).Value, q.Gather(picks).Reshape(action.Shape).Value, (piA / mu.Gather(picks).Reshape(action.Shape)).Value);
        var best = q.Max().Value;
        float[] argMax = tape.ArgMax(q.Value).ToArray(), taken = action.ToArray();
        var greedy = c.Upload(Tensor.Of([.. argMax.Zip(taken, (best, did) => best == did ? 1f : 0f)]).Reshape(action.Shape));
        c.Compare("retrace", Targets.Backup(tape, steps, v, qA, lambda, rho, ceiling: 1f));
        c.Compare("tree_backup", Targets.Backup(tape, steps, v, qA, lambda, piA.Value));
        c.Compare("importance", Targets.Backup(tape, steps, v, qA, 1f, rho));
        c.Compare("q_lambda_harutyunyan", Targets.Backup(tape, steps, v, qA, lambda));
        c.Compare("q_lambda_greedy", Targets.Backup(tape, steps, best, qA, lambda));
        c.Compare("q_lambda_peng", Targets.Lambda(tape, steps, best, lambda));
        c.Compare("q_lambda_watkins", Targets.Lambda(tape, steps, best, lambda, greedy));
        c.Compare("expected_sarsa", Targets.Lambda(tape, steps, v, 0f));
    }

    private static void QLambda(ReferenceCase c, Tape tape)
    {
        float lambda = c.Number("lambda_");
        var (steps, _) = Padded(c, tape, "q");
        var (expected, taken) = (Time(c, "exp_q"), Time(c, "q"));
        int length = steps.MaskT.Shape[0];
        var vNext = expected.Slice(1, length);
        CompareTime(c, "y", Targets.Backup(tape, steps, vNext, taken.Slice(1, length), lambda));
        // The peer adds the off-policy correction of the current step to its reward, and no other.
        var corrected = tape.Constant(Time(c, "reward")) + expected.Slice(0, length) - taken.Slice(0, length);
        var peer = Transitions.Of(tape, corrected.Value, Time(c, "terminated"), c.Number("gamma"), Time(c, "mask"));
        CompareTime(c, "peer.y", Targets.Lambda(tape, peer, vNext, lambda));
    }

    private static void TdLambda(ReferenceCase c, Tape tape)
    {
        var (steps, vNext) = Padded(c, tape);
        foreach (double lambda in c.Numbers("lambdas"))
        {
            CompareTime(c, $"lambda{lambda.ToString(CultureInfo.InvariantCulture)}", Targets.Lambda(tape, steps, vNext, (float)lambda));
        }
    }

    private static void TdLambdaTruncated(ReferenceCase c, Tape tape)
    {
        var (steps, vNext) = Padded(c, tape);
        CompareTime(c, "y", Targets.Lambda(tape, steps, vNext, c.Number("lambda_")));
        c.LeaveOut("peer.y", "the peer learns from a transition that never happened behind a time limit");
    }

    private static void VTrace(ReferenceCase c, Tape tape)
    {
        var value = c["value"];
        int last = value.Shape[0] - 1;
        var picks = c["action"].Reshape(c["action"].Shape.Append(1));
        var rho = LogPi("target_logits") - LogPi("behavior_logits");
        var ratio = rho.Exp().Value;
        var vNext = Ops.Concat(0, tape.Constant(value.Slice(1, last)), tape.Constant(c["bootstrap"].Reshape(value.Shape.With(0, 1)))).Value;
        var steps = Transitions.Of(tape, c["reward"], c["discount"]);
        c.Compare("rho", ratio);
        foreach (var (suffix, lambda) in new[] { ("", 1f), (".lambda", c.Number("lambda_")) })
        {
            var vs = Targets.VTrace(tape, steps, value, vNext, ratio, lambda, c.Number("rho_bar"), c.Number("c_bar"));
            c.Compare("vs" + suffix, vs);
            c.Compare("pg_advantage" + suffix,
                Targets.VTraceAdvantage(tape, steps, value, vNext, vs, ratio, lambda, c.Number("pg_rho_bar")));
        }

        Var LogPi(string logits) => tape.Constant(c[logits]).LogSoftmax().Gather(picks).Reshape(value.Shape);
    }

    /// <summary>A batch of padded episodes, time-major, and the values of the next rows.</summary>
    private static (Transitions, Tensor) Padded(ReferenceCase c, Tape tape, string value = "value")
    {
        var mask = Time(c, "mask");
        return (Transitions.Of(tape, Time(c, "reward"), Time(c, "terminated"), c.Number("gamma"), mask), Time(c, value).Slice(1, mask.Shape[0]));
    }

    /// <summary>v_{t+1} mask_{t+1}, and v_T times <paramref name="atTheEnd"/>.</summary>
    private static Tensor Masked(ReferenceCase c, Tensor vNext, Tensor mask, float atTheEnd)
    {
        var masked = Tensor.Of(vNext.ToArray(), [vNext.Shape[0], vNext.Shape[1], vNext.Shape[2]]);
        float[] lived = mask.ToArray();
        int streams = vNext.Shape[2], rows = mask.Count, batch = mask.Shape[1];
        for (int i = 0; i < masked.Count; i++)
        {
            int next = i / streams + batch;
            masked.Span[i] *= next < rows ? lived[next] : atTheEnd;
        }
        return c.Upload(masked);
    }

    private static Tensor Time(ReferenceCase c, string name) => ReferenceCase.SwapAxes(c[name]);

    private static void CompareTime(ReferenceCase c, string name, Tensor got) => c.Compare(name, ReferenceCase.SwapAxes(got));

    private sealed class All() : LearnerCases("returns_")
    {
        protected override bool Has(string name) => Formulas.ContainsKey(name);
    }
}
