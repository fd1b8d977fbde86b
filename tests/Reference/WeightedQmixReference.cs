using Marl.Native.Rl;

namespace Marl.Native.Tests;

/// <summary>Three training calls of weighted QMIX on one batch: losses, gradients and weights against its authors' code.</summary>
[Trait("Category", "Reference")]
public sealed class WeightedQmixReference
{
    [ReferenceTheory(typeof(All))]
    public void TrainingCalls(string name, Device? on = null) => ReferenceCase.Run(name, on, c =>
    {
        var calls = new ReplayCalls(c);
        calls.LeaveOut("q_tot", "central_tot", "central_q", "targets", "weights");
        var options = calls.Configure(new WeightedQmixOptions
        {
            Weighting = c.Text("weighting") == "optimistic" ? WeightingKind.Optimistic : WeightingKind.Central,
            Alpha = c.Number("w"),
            MixingEmbed = (int)c.Number("mixing_embed_dim"),
            HypernetLayers = (int)c.Number("hypernet_layers"),
            HypernetEmbed = (int)c.Number("hypernet_embed"),
            CentralHidden = (int)c.Number("hidden"),
            CentralEmbed = (int)c.Number("central_mixing_embed_dim"),
        });
        calls.Compare(context => WeightedQmix.Learner(options, context), ("qmix_loss", "qmixLoss"), ("central_loss", "centralLoss"));
    });

    private sealed class All() : LearnerCases("learner_wqmix_")
    {
        protected override bool Has(string name) => true;
    }
}
