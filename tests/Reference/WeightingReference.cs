using Marl.Native.Rl;

namespace Marl.Native.Tests;

/// <summary>What errors count: hysteretic, lenient, and by importance.</summary>
[Trait("Category", "Reference")]
public sealed class WeightingReference
{
    private static readonly Dictionary<string, Action<ReferenceCase, Tape>> Formulas = new()
    {
        ["loss_hysteretic"] = Hysteretic,
        ["loss_lenient"] = Lenient,
        ["is_weights_replay"] = Importance,
    };

    [ReferenceTheory(typeof(All))]
    public void Weights(string name) => ReferenceCase.Run(name, c =>
    {
        var tape = new Tape();
        using (tape.Step())
        {
            Formulas[name](c, tape);
        }
    });

    private static void Hysteretic(ReferenceCase c, Tape tape)
    {
        var (q, delta) = Error(c, tape, "q");
        var weight = Weighting.Hysteretic(tape, delta, (float)(c.Exact("beta") / c.Exact("alpha")));
        c.Compare("delta", delta);
        c.Compare("weight", weight);
        c.LeaveOut("loss_scaled_error", "another loss than the one that is built: the error itself scaled before it is squared");
        CompareLoss(c, tape, q, weight, "q");
    }

    private static void Lenient(ReferenceCase c, Tape tape)
    {
        var (q, delta) = Error(c, tape, "q");
        var leniency = Tensor.Zeros(delta.Shape.Count).Reshape(delta.Shape);
        for (int i = 0; i < leniency.Count; i++)
        {
            leniency.Span[i] = Weighting.Leniency(c.Number("K"), c["temperature"].Span[i]);
        }
        var keep = Weighting.Lenient(tape, delta, c["x"], leniency);
        c.Compare("leniency", leniency);
        c.LeaveOut("leniency_lmrl2", "another form of the same schedule");
        c.Compare("keep", keep);
        CompareLoss(c, tape, q, keep, "q");
    }

    private static void Importance(ReferenceCase c, Tape tape)
    {
        Tensor then = Probability("q_then", "eps_then"), now = Probability("q_now", "eps_now");
        c.Compare("pi_then", then);
        c.Compare("pi_now", now);
        c.Compare("ratio", (tape.Constant(now) / tape.Constant(then)).Value);

        var mask = ReferenceCase.SwapAxes(c["mask"]);
        var valid = mask.Slice(0, mask.Shape[0]);
        var lived = tape.Scratch(new Shape(mask.Shape[0], mask.Shape[1], 1));
        for (int row = 0; row < lived.Count; row++)
        {
            lived.Span[row] = valid.Span[row * mask.Shape[2]];
        }
        Tensor all = tape.Scratch(lived.Shape);
        all.Span.Fill(1f);
        // The case's weights of a single step are of all rows, those of episodes of valid ones.
        c.Compare("weight", Weight(all, ImportanceKind.Step, float.PositiveInfinity));
        var clipped = Weight(all, ImportanceKind.Step, c.Number("max_weight"));
        c.Compare("weight_clipped", clipped);
        c.Compare("weight_cumulative", Cumulative());

        float mean = (tape.Constant(clipped) * c["mask"]).Sum().Value.ToScalar() / tape.Constant(c["mask"]).Sum().Value.ToScalar();
        var normalised = (tape.Constant(clipped) / mean).Value;
        c.Compare("weight_normalised", normalised);
        var (q, _) = Error(c, tape, "q_now_live");
        CompareLoss(c, tape, q, normalised, "q_now_live");

        Tensor Weight(Tensor rows, ImportanceKind kind, float ceiling)
            => ReferenceCase.SwapAxes(Weighting.Importance(tape, ReferenceCase.SwapAxes(now), ReferenceCase.SwapAxes(then), rows, kind, ceiling));

        // Ours is 1 in padding, the case's running product stands still there: valid rows are compared, the others made alike.
        Tensor Cumulative()
        {
            var ours = Weight(lived, ImportanceKind.Episode, float.PositiveInfinity);
            var theirs = c["weight_cumulative"];
            for (int i = 0; i < ours.Count; i++)
            {
                ours.Span[i] = c["mask"].Span[i] == 0 ? theirs.Span[i] : ours.Span[i];
            }
            return ours;
        }

        // Each episode has an epsilon of its own.
        Tensor Probability(string values, string epsilons)
        {
            var probability = Device.Cpu.Zeros(c["act"].Shape);
            for (int episode = 0; episode < probability.Shape[0]; episode++)
            {
                var q = new ActionValues(tape.Constant(Row(c[values])), Row(c["act"]), Row(c["avail_"]));
                Weighting.Probability(tape, q, c[epsilons].Span[episode]).CopyTo(Row(probability));

                Tensor Row(Tensor x) => x.Slice(episode, 1);
            }
            return probability;
        }
    }

    private static (Var Q, Tensor Delta) Error(ReferenceCase c, Tape tape, string values)
    {
        var q = tape.Variable(c[values]);
        var chosen = new ActionValues(q, c["act"], default).Chosen;
        return (q, (tape.Constant(c["target"]) - chosen).Value);
    }

    private static void CompareLoss(ReferenceCase c, Tape tape, Var q, Tensor weight, string values)
    {
        var chosen = new ActionValues(q, c["act"], default).Chosen;
        var loss = ((chosen - c["target"]).Square() * weight * c["mask"]).Sum() / tape.Constant(c["mask"]).Sum().Value.ToScalar();
        tape.Backward(loss);
        c.Compare("loss", loss.Value);
        c.Compare($"grad.{values}", q.Gradient);
    }

    private sealed class All() : LearnerCases("loss_hysteretic", "loss_lenient", "is_weights")
    {
        protected override bool Has(string name) => Formulas.ContainsKey(name);
    }
}
