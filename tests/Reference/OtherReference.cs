namespace Marl.Native.Tests;

/// <summary>Cases of systems that are not built: each is skipped by its name, none is passed over.</summary>
[Trait("Category", "Reference")]
public sealed class OtherReference
{
    [ReferenceTheory(typeof(All))]
    public void NotBuilt(string name) => Assert.Fail($"{name} is not built");

    private sealed class All() : LearnerCases("op_", "optim_", "returns_", "policy_", "learner_")
    {
        protected override bool Belongs(string name) => !base.Belongs(name);

        protected override bool Has(string name) => false;
    }
}
