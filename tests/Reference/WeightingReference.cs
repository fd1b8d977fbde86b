using Marl.Native.Nn;
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

    private static readonly Dictionary<string, Action<ReferenceCase>> Tables = new()
    {
        ["tabular_hysteretic"] = HystereticTable,
        ["tabular_lenient"] = LenientTable,
    };

    [ReferenceTheory(typeof(All))]
    public void Weights(string name, Device? on = null) => ReferenceCase.Run(name, on, c =>
    {
        var tape = new Tape(c.Device);
        using (tape.Step())
        {
            Formulas[name](c, tape);
        }
    });

    [ReferenceTheory(typeof(Rules))]
    public void TabularRules(string name) => ReferenceCase.Run(name, Tables[name]);

    private static void HystereticTable(ReferenceCase c)
    {
        var table = new Table(c);
        float[] deltas = [.. Enumerable.Range(0, c["reward"].Count).Select(i => table.Learn(i,
            (tape, delta) => Weighting.Hysteretic(tape, delta, (float)(c.Exact("beta") / c.Exact("alpha")))).Delta)];
        c.Compare("delta", Tensor.Of(deltas));
        c.Compare("q", table.Values);
    }

    /// <summary>Every transition is an episode of one step, whose temperature decays by exp(rho) and is folded with that of the next state.</summary>
    private static void LenientTable(ReferenceCase c)
    {
        int states = (int)c.Number("n_states"), actions = (int)c.Number("n_actions"), count = c["reward"].Count;
        var spec = EnvironmentSpec.Uniform(c.Name, 1, 1, actions, 1, 0);
        var table = new Table(c);
        var temperatures = new Temperatures(new VisitLeniency
        {
            Moderation = c.Number("K"),
            DecayExponent = (float)Math.Log(c.Exact("decay")),
            Folding = c.Number("fold"),
            MaxTemperatureDecay = 1f,
        }, spec);
        Assert.Equal(1f, c.Number("T0"));
        float[] delta = new float[count], leniency = new float[count], updated = new float[count];
        for (int i = 0; i < count; i++)
        {
            var (state, action, next) = table.At(i);
            var episode = InState(next);
            episode.Length = 1;
            (episode.Observation(0, 0)[0], episode.Observation(1, 0)[0]) = (state, next);
            episode.Available.Fill(true);
            (episode.ActionsAt(0)[0], episode.Terminated) = (action, c["done"].Span[i] != 0);
            temperatures.Record(episode);
            leniency[i] = episode[Temperatures.Leniency][0];
            (delta[i], updated[i]) = table.Learn(i, (tape, delta) => Weighting.Lenient(tape, delta, Tensor.Of([c["x"].Span[i]]), Tensor.Of([leniency[i]])));
        }
        var temperature = Tensor.Zeros(states, actions);
        for (int i = 0; i < temperature.Count; i++)
        {
            temperature.Span[i] = temperatures.At(InState(i / actions), 0, 0, i % actions);
        }
        c.Compare("delta", Tensor.Of(delta));
        c.Compare("leniency", Tensor.Of(leniency));
        c.Compare("updated", Tensor.Of(updated));
        c.Compare("temperature", temperature);
        c.Compare("q", table.Values);

        Episode InState(int state)
        {
            var episode = new Episode(spec, columns: [Temperatures.Leniency]) { Length = 0 };
            episode.Observation(0, 0)[0] = state;
            return episode;
        }
    }

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
        var leniency = Device.Cpu.Zeros(delta.Shape);
        for (int i = 0; i < leniency.Count; i++)
        {
            leniency.Span[i] = Weighting.Leniency(c.Number("K"), c.Host("temperature").Span[i]);
        }
        leniency = c.Upload(leniency);
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
        // Of the agents' equal masks the first.
        var lived = tape.Constant(mask).Slice(2, 0, 1).Value;
        var all = tape.Scratch(lived.Shape);
        c.Device.Fill(all, 1f);
        // The case's weights of a single step are of all rows, those of episodes of valid ones.
        c.Compare("weight", Weight(all, ImportanceKind.Step, float.PositiveInfinity));
        var clipped = Weight(all, ImportanceKind.Step, c.Number("max_weight"));
        c.Compare("weight_clipped", clipped);
        c.Compare("weight_cumulative", Cumulative());

        float mean = (tape.Constant(clipped) * c["mask"]).Sum().Value.ToScalar() / tape.Constant(c["mask"]).Sum().Value.ToScalar();
        var normalized = (tape.Constant(clipped) / mean).Value;
        c.Compare("weight_normalised", normalized);
        var (q, _) = Error(c, tape, "q_now_live");
        CompareLoss(c, tape, q, normalized, "q_now_live");

        Tensor Weight(Tensor rows, ImportanceKind kind, float ceiling)
            => ReferenceCase.SwapAxes(Weighting.Importance(tape, ReferenceCase.SwapAxes(now), ReferenceCase.SwapAxes(then), rows, kind, ceiling));

        // Ours is 1 in padding, the case's running product stands still there: valid rows are compared, the others made alike.
        Tensor Cumulative()
        {
            var ours = Weight(lived, ImportanceKind.Episode, float.PositiveInfinity);
            float[] theirs = c["weight_cumulative"].ToArray(), valid = c["mask"].ToArray();
            return Tensor.Of([.. ours.ToArray().Select((weight, i) => valid[i] == 0 ? theirs[i] : weight)]).Reshape(ours.Shape);
        }

        // Each episode has an epsilon of its own.
        Tensor Probability(string values, string epsilons)
        {
            var probability = c.Device.Zeros(c["act"].Shape);
            for (int episode = 0; episode < probability.Shape[0]; episode++)
            {
                var q = new ActionValues(tape.Constant(Row(c[values])), Row(c["act"]), Row(c["avail_"]));
                Weighting.Probability(tape, q, c.Host(epsilons).Span[episode]).CopyTo(Row(probability));

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

    /// <summary>Q as a table of parameters, learned by gradient descent on weighted squared errors.</summary>
    private sealed class Table
    {
        private readonly ReferenceCase c;
        private readonly Parameters parameters;
        private readonly ParameterSlice q;
        private readonly Optimizer optimizer;

        public Table(ReferenceCase c)
        {
            this.c = c;
            Assert.Equal((c["q"].Shape[0], c["q"].Shape[1]), (c.Number("n_states"), c.Number("n_actions")));
            var layout = new ParameterLayout();
            q = layout.Add("q", c["q"].Shape, Initializers.Constant(0f));
            parameters = new Parameters(layout);
            // The gradient of w delta^2 / 2 is -w delta.
            optimizer = new Optimizer(parameters, new Sgd { LearningRate = c.Exact("alpha") });
        }

        public Tensor Values => parameters[q];

        public (int State, int Action, int Next) At(int i) => ((int)c["state"].Span[i], (int)c["action"].Span[i], (int)c["next_state"].Span[i]);

        /// <summary>Learns from a transition.</summary>
        public (float Delta, float Weight) Learn(int i, Func<Tape, Tensor, Tensor> weighting)
        {
            var (state, action, next) = At(i);
            var tape = new Tape();
            using (tape.Step())
            {
                var transition = Transitions.Of(tape, One(c["reward"].Span[i]), One(c["done"].Span[i]), c.Number("gamma"));
                var y = Targets.Lambda(tape, transition, One(parameters[q][next].ToArray().Max()), 0f).Reshape(1);
                var value = tape.Bind(parameters)[q].GatherRows(Tensor.Of([state])).Gather(Tensor.Of([action], 1, 1)).Reshape(1);
                var delta = (tape.Constant(y) - value).Value;
                var weight = weighting(tape, delta);
                parameters.Gradient.Span.Clear();
                tape.Backward(((value - y).Square() * weight * 0.5f).Sum());
                optimizer.Step();
                return (delta.ToScalar(), weight.ToScalar());
            }

            static Tensor One(float x) => Tensor.Of([x], 1, 1, 1);
        }
    }

    private sealed class Rules() : LearnerCases("tabular_")
    {
        protected override bool Has(string name) => Tables.ContainsKey(name);
    }

    private sealed class All() : LearnerCases("loss_hysteretic", "loss_lenient", "is_weights")
    {
        protected override bool Has(string name) => Formulas.ContainsKey(name);
    }
}
