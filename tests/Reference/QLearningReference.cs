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
        MixerOptions mixer = c.Name.StartsWith("learner_qplex_", StringComparison.Ordinal) ? new QplexMixer
        {
            HypernetEmbed = (int)c.Number("hypernet_embed", 1),
            Kernels = (int)c.Number("num_kernel", 1),
            KernelLayers = (int)c.Number("adv_hypernet_layers", 1),
            KernelEmbed = (int)c.Number("adv_hypernet_embed", 1),
        }
            : c.Inputs.Any(input => input.StartsWith("init.mixer.", StringComparison.Ordinal)) ? new QmixMixer
            {
                Embed = (int)c.Number("mixing_embed_dim", 1),
                HypernetLayers = (int)c.Number("hypernet_layers", 2),
                HypernetEmbed = (int)c.Number("hypernet_embed", 1),
            }
            : c.Text("mixer") == "vdn" ? new VdnMixer()
            : new IndependentMixer();
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
