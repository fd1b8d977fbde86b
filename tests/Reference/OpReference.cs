namespace Marl.Native.Tests;

/// <summary>The ops against PyTorch's: values, and the gradient of sum_Y sum(Y cot.Y).</summary>
[Trait("Category", "Reference")]
public sealed class OpReference
{
    /// <summary>How each case is computed with the public ops.</summary>
    private static readonly Dictionary<string, Func<Inputs, (string, Var)[]>> Formulas = new()
    {
        ["op_abs"] = i => Y(i.X.Abs()),
        ["op_bmm"] = i => Y(i["a"].MatMul(i["b"])),
        ["op_bmm_vec"] = i => Y(i["a"].MonotoneMix(i["w"], i.Tape.Constant(i.Tape.Device.Zeros(i.Case["y"].Shape)))),
        ["op_broadcast"] = i => Y((i["a"] * i["b"] + i["c"]) / (i["a"].Square() + 1f)),
        ["op_cat_slice"] = CatSlice,
        ["op_clamp"] = i => Y(i.X.Clamp(-i.Case.Number("c"), i.Case.Number("c"))),
        ["op_conv2d"] = Conv2d,
        ["op_conv2d_stride_padding"] = Conv2d,
        ["op_cross_entropy"] = i => EachAndMean(i.X.CrossEntropy(i.Case["label"])),
        ["op_cross_entropy_soft"] = i => Y(-(i.X.LogSoftmax() * i["p"]).Sum(-1)),
        ["op_cumsum_flip"] = i => Y(i.X.MatMul(i.Tape.Constant(i.Case.Upload(LowerTriangle(i.X.Shape[1]))))),
        ["op_divide"] = i => Y(i["a"] / i["b"] + 2f / i["b"]),
        ["op_elu"] = i => Y(i.X.Elu(i.Case.Number("elu_alpha"))),
        ["op_embedding"] = i => Y(i["w"].GatherRows(i.Case["index"])),
        ["op_exp"] = i => Y((i.X / 8f).Exp()),
        ["op_gather"] = i => Y(i.X.Gather(i.Case["index"])),
        ["op_gather_repeat"] = i => Y(i.X.Gather(i.Case["index"])),
        ["op_gru_cell"] = i => Y(Gru(i, i.X.Reshape(1, i.X.Shape[0], i.X.Shape[1]), i["h"])),
        ["op_gru_seq"] = i => Sequence(Gru(i, i.X.Slice(0, 0, (int)i.Case.Number("T")), i["h0"])),
        ["op_gru_seq_reset"] = i => Y(Gru(i, i.X, i["h0"], i.Case["keep"])),
        ["op_gumbel_softmax"] = i => [("soft", Gumbel(i, hard: false)), ("hard", Gumbel(i, hard: true))],
        ["op_huber"] = i => EachAndMean((i.X - i["target"]).Huber(i.Case.Number("delta"))),
        ["op_layer_norm"] = i => Y(i.X.LayerNorm(i["w"], i["b"], i.Case.Number("eps"))),
        ["op_leaky_relu"] = i => Y(i.X.LeakyRelu(i.Case.Number("slope"))),
        ["op_linear"] = i => Y(i.X.Linear(i["w"], i["b"])),
        ["op_linear_4d"] = i => Y(i.X.Linear(i["w"], i["b"])),
        ["op_log_softmax_masked"] = i => Masked(i.X, i.Case["avail"]),
        ["op_log_sqrt"] = i => [("log", i.X.Log()), ("sqrt", i.X.Sqrt())],
        ["op_logsumexp"] = i => Y(i.X.LogSumExp()),
        ["op_max_dim"] = i => Y(i.X.Max()),
        ["op_min_max"] = i => [("min", i["a"].Minimum(i["b"])), ("max", i["a"].Maximum(i["b"]))],
        ["op_mse_masked"] = i => Y((i.X - i["target"]).MaskedMeanSquare(i.Tape.Device.Zeros(i.X.Shape), i.Case["mask"])),
        ["op_pow_cube"] = Pow,
        ["op_pow_fraction"] = Pow,
        ["op_pow_negative"] = Pow,
        ["op_pow_square"] = Pow,
        ["op_pow_variable"] = i => Y(i["a"].Pow(i["b"])),
        ["op_pow_zero"] = Pow,
        ["op_relu"] = i => Y(i.X.Relu()),
        ["op_sigmoid"] = i => Y(i.X.Sigmoid()),
        ["op_smooth_l1"] = i => [("each", (i.X - i["target"]).Huber(i.Case.Number("beta")) / i.Case.Number("beta"))],
        ["op_softmax"] = i => Y(i.X.Softmax()),
        ["op_softplus"] = i => Y(i.X.Softplus()),
        ["op_softplus_beta"] = i => Y(i.X.Softplus(i.Case.Number("beta"))),
        ["op_square"] = i => Y(i.X.Square()),
        ["op_std"] = i => Standardized(i.X),
        ["op_tanh"] = i => Y(i.X.Tanh()),
        ["op_var_axis0"] = i => [("mean", i.X.Mean(0)), ("var", i.X.Variance(0, unbiased: true)), ("var_pop", i.X.Variance(0))],
        ["op_where_masked_fill"] = i => Y(i.X.MaskedFill(i.Case["mask"], -9999999f).Max()),
    };

    [ReferenceTheory(typeof(All))]
    public void ValueAndGradient(string name, Device? on = null) => ReferenceCase.Run(name, on, c =>
    {
        c.LeaveOutParameters("pointwise ops share one list of parameters, of which each has its own or none",
            from parameter in new[] { ("slope", "op_leaky_relu"), ("elu_alpha", "op_elu"), ("beta", "op_softplus_beta") }
            where parameter.Item2 != name && name != "op_smooth_l1"
            select parameter.Item1);
        var tape = new Tape(c.Device);
        using (tape.Step())
        {
            var inputs = new Inputs(c, tape);
            var total = tape.Constant(c.Device.Zeros(new Shape(1)));
            foreach (var (output, value) in Formulas[name](inputs))
            {
                c.Compare(output, value.Value);
                total += (value.Reshape(c["cot." + output].Shape) * c["cot." + output]).Sum();
            }
            tape.Backward(total);
            foreach (string gradient in c.Outputs.Where(o => o.StartsWith("grad.", StringComparison.Ordinal)))
            {
                c.Compare(gradient, inputs[gradient["grad.".Length..]].Gradient);
            }
        }
    });

    private static (string, Var)[] Y(Var y) => [("y", y)];

    private static (string, Var)[] EachAndMean(Var each) => [("each", each), ("mean", each.Mean())];

    private static (string, Var)[] CatSlice(Inputs i)
    {
        var (a, b) = (i["a"], i["b"]);
        int rows = a.Shape[0], columns = a.Shape[2];
        var joined = Ops.Concat(1, a.Slice(1, 1, a.Shape[1] - 1), b).Permute(1, 0, 2);
        return [("y", joined.Reshape(joined.Shape[0] * joined.Shape[1], columns)),
            ("z", Ops.Stack(1, a.Slice(1, 0, 1).Reshape(rows, columns), b.Slice(1, 0, 1).Reshape(rows, columns)))];
    }

    private static (string, Var)[] Conv2d(Inputs i)
        => Y(i.X.Conv2d(i["w"], i["b"], (int)i.Case.Number("stride"), (int)i.Case.Number("padding")));

    private static (string, Var)[] Pow(Inputs i) => Y(i.X.Pow(i.Case.Number("exponent")));

    private static Var Gru(Inputs i, Var x, Var h, Tensor keep = default)
        => x.Gru(h, i["weight_ih"], i["weight_hh"], i["bias_ih"], i["bias_hh"], keep);

    private static (string, Var)[] Sequence(Var y) => [("y", y), ("hT", y.Slice(0, y.Shape[0] - 1, 1))];

    private static Var Gumbel(Inputs i, bool hard) => i["logits"].GumbelSoftmax(i.Case["gumbel"], i.Case.Number("tau"), hard);

    private static (string, Var)[] Masked(Var x, Tensor mask)
    {
        var y = x.LogSoftmax(mask);
        return [("y", y), ("p", x.Softmax(mask)), ("entropy", y.Entropy())];
    }

    private static (string, Var)[] Standardized(Var x)
    {
        var mean = x.Mean();
        var deviation = x.Reshape(x.Value.Count).Variance(0, unbiased: true).Sqrt();
        return [("mean", mean), ("std", deviation), ("normalised", (x - mean) / (deviation + 1e-8f))];
    }

    private static Tensor LowerTriangle(int n)
    {
        float[] values = new float[n * n];
        for (int k = 0; k < n * n; k++)
        {
            values[k] = k / n >= k % n ? 1f : 0f;
        }
        return Tensor.Of(values, n, n);
    }

    /// <summary>The inputs of a case as variables of a tape.</summary>
    private sealed class Inputs(ReferenceCase @case, Tape tape)
    {
        private readonly Dictionary<string, Var> variables = [];

        public ReferenceCase Case => @case;

        public Tape Tape => tape;

        public Var X => this["x"];

        public Var this[string name] => variables.TryGetValue(name, out var v) ? v : variables[name] = tape.Variable(@case[name]);
    }

    private sealed class All() : LearnerCases("op_")
    {
        protected override bool Has(string name) => Formulas.ContainsKey(name);
    }
}
