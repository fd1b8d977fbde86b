using System.Text.RegularExpressions;
using Marl.Native.Rl;

namespace Marl.Native.Tests;

/// <summary>Three training calls of A2C and PPO, independent and centralised, against EPyMARL without its quirks.</summary>
[Trait("Category", "Reference")]
public sealed partial class ActorCriticReference
{
    [ReferenceTheory(typeof(All))]
    public void TrainingCalls(string name, Device? on = null) => ReferenceCase.Run(name, on, c =>
    {
        var calls = new OnPolicyCalls(c);
        calls.LeaveOut("pi", "log_pi_taken", "entropy", "reward_used");
        calls.Compare(Options(c), [0, 0, 0],
            ("value", Column.Values), ("returns", Column.Returns), ("advantage", Column.Advantages));
    });

    private static ActorCriticOptions Options(ReferenceCase c)
    {
        var options = ReplayCalls.Common(c, new Ia2cOptions());
        bool isCentral = c.Text("critic")!.StartsWith("cv", StringComparison.Ordinal);
        Assert.Equal($"{(isCentral ? "cv" : "ac")}_critic{(options.ShareParameters ? "" : "_ns")}", c.Text("critic_type"));
        return options with
        {
            Critic = isCentral ? CriticKind.Central : CriticKind.Local,
            CriticHidden = options.Hidden,
            EntropyCoefficient = c.Number("entropy_coef"),
            NStep = (int)c.Number("q_nstep"),
            ClipRange = c.Number("eps_clip", 0),
            Epochs = (int)c.Number("epochs", 1),
        };
    }

    [GeneratedRegex("^learner_epymarl_(ia2c|ippo|maa2c|mappo)")]
    private static partial Regex Built();

    private sealed class All() : LearnerCases("learner_")
    {
        protected override bool Belongs(string name) => Built().IsMatch(name);

        protected override bool Has(string name) => true;
    }
}
