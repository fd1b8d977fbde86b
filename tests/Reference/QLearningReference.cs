using System.Text.RegularExpressions;
using Marl.Native.Rl;

namespace Marl.Native.Tests;

/// <summary>Three training calls of deep Q-learning on one batch: losses, gradients and weights against PyMARL, EPyMARL, PyMARL2 and QPLEX.</summary>
[Trait("Category", "Reference")]
public sealed partial class QLearningReference
{
    [ReferenceTheory(typeof(All))]
    public void TrainingCalls(string name, Device? on = null) => ReferenceCase.Run(name, on, c =>
    {
        var calls = new ReplayCalls(c);
        calls.LeaveOut("q_tot", "target_tot", "targets");
        // Cases of PyMARL2 and QPLEX have only one mixer, which they do not name.
        string named = c.Name.StartsWith("learner_qplex_", StringComparison.Ordinal) ? "qplex"
            : c.Inputs.Any(input => input.StartsWith("init.mixer.", StringComparison.Ordinal)) ? "qmix" : "none";
        string kind = c.Text("mixer") ?? named;
        Assert.True(kind == named || kind == "vdn" && named == "none");
        MixerOptions mixer = kind switch
        {
            "qplex" => new QplexMixer
            {
                HypernetEmbed = (int)c.Number("hypernet_embed"),
                Kernels = (int)c.Number("num_kernel"),
                KernelLayers = (int)c.Number("adv_hypernet_layers"),
                KernelEmbed = (int)c.Number("adv_hypernet_embed"),
            },
            "qmix" => new QmixMixer
            {
                Embed = (int)c.Number("mixing_embed_dim"),
                HypernetLayers = (int)c.Number("hypernet_layers", 2),
                HypernetEmbed = (int)c.Number("hypernet_embed", 1),
            },
            "vdn" => new VdnMixer(),
            _ => new IndependentMixer(),
        };
        // QPLEX's other forms, of advantages without the minus one and of values without weights, are not built.
        Assert.True(kind != "qplex" || c.Flag("is_minus_one") && c.Flag("weighted_head"));
        var options = calls.Configure(new QmixOptions
        {
            Mixer = mixer,
            Lambda = c.Number("td_lambda", 0),
            Trace = c.Flag("q_lambda") ? TraceKind.PyMarl2 : TraceKind.Peng,
            LossScale = c.Number("loss_coef", 1),
        });
        calls.Compare(options);
    });

    [GeneratedRegex("^learner_e?pymarl_(iql|vdn|qmix)_|^learner_(pymarl2_qmix|qplex)_")]
    private static partial Regex Built();

    private sealed class All() : LearnerCases("learner_")
    {
        protected override bool Belongs(string name) => Built().IsMatch(name);

        protected override bool Has(string name) => true;
    }
}
