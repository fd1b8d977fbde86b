using Marl.Native.Nn;
using Marl.Native.Rl;

namespace Marl.Native.Tests;

/// <summary>Optimizers over some steps, clipping, target updates and running statistics against PyTorch and EPyMARL.</summary>
[Trait("Category", "Reference")]
public sealed class OptimizerReference
{
    private static readonly Dictionary<string, Action<ReferenceCase>> Formulas = new()
    {
        ["optim_adam_eps1e-5"] = c => Steps(c, Adam(c)),
        ["optim_adam_eps1e-8"] = c => Steps(c, Adam(c)),
        ["optim_adam_l2"] = c => Steps(c, Adam(c)),
        ["optim_adam_tf"] = c => Steps(c, Adam(c) with { EpsilonHat = true }),
        ["optim_adamw"] = c => Steps(c, AdamW(c)),
        ["optim_clip_adam"] = c => Steps(c, Adam(c)),
        ["optim_clip_global_active"] = ClipGlobally,
        ["optim_clip_global_inactive"] = ClipGlobally,
        ["optim_clip_global_tiny"] = ClipGlobally,
        ["optim_clip_global_zero"] = ClipGlobally,
        ["optim_clip_per_tensor_and_value"] = ClipParts,
        ["optim_clip_rmsprop"] = c => Steps(c, RmsProp(c)),
        ["optim_polyak"] = Polyak,
        ["optim_rmsprop"] = c => Steps(c, RmsProp(c)),
        ["optim_rmsprop_momentum_centered"] = c => Steps(c, RmsProp(c) with { Centered = true }),
        ["optim_running_mean_std"] = RunningMoments,
        ["optim_value_norm"] = RunningMoments,
        ["optim_value_norm_slow"] = RunningMoments,
        ["optim_sgd"] = c => Steps(c, Sgd(c)),
        ["optim_sgd_momentum"] = c => Steps(c, Sgd(c)),
        ["optim_sgd_nesterov"] = c => Steps(c, Sgd(c) with { Nesterov = true }),
    };

    [ReferenceTheory(typeof(All))]
    public void Updates(string name, Device? on = null) => ReferenceCase.Run(name, on, Formulas[name]);

    private static Adam Adam(ReferenceCase c) => new()
    {
        LearningRate = c.Exact("lr"),
        Beta1 = c.Numbers("betas")[0],
        Beta2 = c.Numbers("betas")[1],
        Epsilon = c.Exact("eps"),
        WeightDecay = c.Exact("weight_decay", 0),
    };

    private static AdamW AdamW(ReferenceCase c)
    {
        var adam = Adam(c);
        return new()
        {
            LearningRate = adam.LearningRate,
            Beta1 = adam.Beta1,
            Beta2 = adam.Beta2,
            Epsilon = adam.Epsilon,
            WeightDecay = adam.WeightDecay,
        };
    }

    private static RmsProp RmsProp(ReferenceCase c) => new()
    {
        LearningRate = c.Exact("lr"),
        Alpha = c.Exact("alpha"),
        Epsilon = c.Exact("eps"),
        Momentum = c.Exact("momentum", 0),
    };

    private static Sgd Sgd(ReferenceCase c) => new() { LearningRate = c.Exact("lr"), Momentum = c.Exact("momentum", 0) };

    /// <summary>As many steps as there are gradients; parameters where the case has them, the memories at the end.</summary>
    private static void Steps(ReferenceCase c, UpdateRule rule)
    {
        var parameters = Block(c, "p");
        var slices = parameters.Layout.Slices;
        foreach (var slice in slices)
        {
            c[slice.Name].CopyTo(parameters[slice]);
        }
        var optimizer = new Optimizer(parameters, rule);
        var clip = new GradientClip(parameters);
        float maxNorm = c.Number("max_norm", 0);
        int steps = c["g0"].Shape[0];
        float[] norms = new float[steps];
        for (int step = 0; step < steps; step++)
        {
            SetGradient(parameters, i => c[$"g{i}"][step]);
            norms[step] = clip.GlobalNorm();
            optimizer.Step(scale: maxNorm > 0 ? clip.ByGlobalNorm(maxNorm) : default);
            foreach (var slice in slices.Where(slice => c.Has($"after{step + 1}.{slice.Name}")))
            {
                c.Compare($"after{step + 1}.{slice.Name}", parameters[slice]);
            }
        }
        if (maxNorm > 0)
        {
            c.Compare("grad_norm", Tensor.Of(norms));
        }
        foreach (var (name, memory) in optimizer.State)
        {
            // The TensorFlow form is not PyTorch's and has the names of the paper.
            string called = c.Has($"state.{name}0") ? name : name switch { "exp_avg" => "m", "exp_avg_sq" => "v", _ => name };
            for (int i = 0; i < slices.Count; i++)
            {
                c.Compare($"state.{called}{i}", Parameters.View(memory, slices[i]));
            }
        }
    }

    private static void ClipGlobally(ReferenceCase c)
    {
        var parameters = Block(c, "g");
        SetGradient(parameters, i => c[$"g{i}"]);
        var clip = new GradientClip(parameters);
        c.Compare("norm", clip.GlobalNorm());
        parameters.Gradient.Device.Map(new Affine(clip.ByGlobalNorm(c.Number("max_norm")).ToScalar(), 0f), parameters.Gradient, parameters.Gradient);
        CompareGradient(c, parameters, "clipped");
    }

    private static void ClipParts(ReferenceCase c)
    {
        var parameters = Block(c, "g");
        SetGradient(parameters, i => c[$"g{i}"]);
        new GradientClip(parameters).ByTensorNorm(c.Number("max_norm"));
        CompareGradient(c, parameters, "per_tensor");
        SetGradient(parameters, i => c[$"g{i}"]);
        new GradientClip(parameters).ByValue(c.Number("max_value"));
        CompareGradient(c, parameters, "value");
    }

    private static void Polyak(ReferenceCase c)
    {
        var layout = new ParameterLayout();
        layout.Add("x", c["target"].Shape, Initializers.Constant(0f));
        var (target, online) = (new Parameters(layout, c.Device), new Parameters(layout, c.Device));
        c["target"].CopyTo(target.Values);
        c["online"].CopyTo(online.Values);
        for (int step = 0; step < (int)c.Number("steps"); step++)
        {
            target.PolyakUpdate(online, c.Number("tau"));
        }
        c.Compare(c.Outputs.Single(), target[layout.Slices[0]]);
    }

    private static void RunningMoments(ReferenceCase c)
    {
        var statistics = new RunningStatistics(c["x0"].Shape[1], c.Exact("count0"), c.Flag("unbiased"));
        for (int i = 0; c.Has($"x{i}"); i++)
        {
            statistics.Forget(c.Exact("decay", 1));
            statistics.Update(c.Host($"x{i}"));
            c.Compare($"mean{i}", Tensor.Of([.. statistics.Mean.ToArray().Select(v => (float)v)]));
            c.Compare($"var{i}", Tensor.Of([.. statistics.Variance.ToArray().Select(v => (float)v)]));
        }
    }

    /// <summary>Parameters with the shapes of the inputs p0, p1, .. or g0, g1, ..</summary>
    private static Parameters Block(ReferenceCase c, string letter)
    {
        var layout = new ParameterLayout();
        for (int i = 0; c.Has($"{letter}{i}"); i++)
        {
            layout.Add($"{letter}{i}", c[$"{letter}{i}"].Shape, Initializers.Constant(0f));
        }
        return new Parameters(layout, c.Device);
    }

    private static void SetGradient(Parameters parameters, Func<int, Tensor> gradient)
    {
        for (int i = 0; i < parameters.Layout.Slices.Count; i++)
        {
            gradient(i).CopyTo(Parameters.View(parameters.Gradient, parameters.Layout.Slices[i]));
        }
    }

    private static void CompareGradient(ReferenceCase c, Parameters parameters, string name)
    {
        for (int i = 0; i < parameters.Layout.Slices.Count; i++)
        {
            c.Compare($"{name}{i}", Parameters.View(parameters.Gradient, parameters.Layout.Slices[i]));
        }
    }

    private sealed class All() : LearnerCases("optim_")
    {
        protected override bool Has(string name) => Formulas.ContainsKey(name);
    }
}
