using System.Text.RegularExpressions;

namespace Marl.Native.Tests;

/// <summary>Cases of systems that are not built: each is skipped by its name, none is passed over.</summary>
[Trait("Category", "Reference")]
public sealed partial class OtherReference
{
    [ReferenceTheory(typeof(All))]
    public void NotBuilt(string name) => Assert.Fail($"{name} is not built");

    [GeneratedRegex("^learner_liir")]
    private static partial Regex Learners();

    private sealed class All() : LearnerCases("op_", "optim_", "returns_", "policy_", "learner_", "loss_hysteretic", "loss_lenient", "loss_coma", "loss_policy_inference", "is_weights")
    {
        protected override bool Belongs(string name) => !base.Belongs(name) || Learners().IsMatch(name);

        protected override bool Has(string name) => false;
    }
}
