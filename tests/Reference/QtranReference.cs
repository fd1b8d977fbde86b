using System.Text.RegularExpressions;
using Marl.Native.Rl;

namespace Marl.Native.Tests;

/// <summary>Three training calls of QTRAN on one batch: all three losses, gradients and weights. QTRAN-base against PyMARL; of QTRAN-alt no peer has a
/// version that runs.</summary>
[Trait("Category", "Reference")]
public sealed partial class QtranReference
{
    [ReferenceTheory(typeof(All))]
    public void TrainingCalls(string name, Device? on = null) => ReferenceCase.Run(name, on, c =>
    {
        var calls = new ReplayCalls(c);
        calls.LeaveOut("joint_q", "v", "targets", "min_d");
        bool alt = c.Text("network_size") is null, actionsOnly = c.Text("qtran_arch") == "coma_critic";
        if (actionsOnly)
        {
            c.LeaveOut("step3.after.target_mixer.action_encoding.", "PyMARL makes the network of the other architecture as well, and never uses it");
        }
        var options = calls.Configure(alt ? new QtranAltOptions() : new QtranOptions()) with
        {
            Architecture = actionsOnly ? QtranArchitecture.ComaCritic : QtranArchitecture.QtranPaper,
            MixingEmbed = (int)(alt ? c.Number("embed") : c.Number("mixing_embed_dim")),
            JointLayers = c.Text("network_size") == "big" ? 3 : 2,
            LambdaOpt = c.Number("opt_loss"),
            LambdaNopt = c.Number("nopt_min_loss"),
        };
        calls.Compare(options, ("td_loss", "tdLoss"), ("opt_loss", "optLoss"), ("nopt_loss", "noptLoss"));
    });

    [GeneratedRegex("_qtran_")]
    private static partial Regex Built();

    private sealed class All() : LearnerCases("learner_")
    {
        protected override bool Belongs(string name) => Built().IsMatch(name);

        protected override bool Has(string name) => true;
    }
}
