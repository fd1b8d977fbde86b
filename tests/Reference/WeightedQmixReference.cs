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
        Assert.Equal(1, c.Number("central_action_embed"));
        WeightedQmixOptions algorithm = c.Text("weighting") == "optimistic" ? new OwQmixOptions() : new CwQmixOptions();
        var options = calls.Configure(algorithm) with
        {
            Alpha = c.Number("w"),
            Mixer = new QmixMixer
            {
                Embed = (int)c.Number("mixing_embed_dim"),
                HypernetLayers = (int)c.Number("hypernet_layers"),
                HypernetEmbed = (int)c.Number("hypernet_embed"),
            },
            CentralHidden = (int)c.Number("hidden"),
            CentralEmbed = (int)c.Number("central_mixing_embed_dim"),
        };
        calls.Compare(options, ("qmix_loss", "qmixLoss"), ("central_loss", "centralLoss"));
    });

    private sealed class All() : LearnerCases("learner_wqmix_")
    {
        protected override bool Has(string name) => true;
    }
}
