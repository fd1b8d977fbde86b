using Marl.Native.Rl;

namespace Marl.Native.Tests;

/// <summary>Three training calls of LIIR against its authors' code without its quirks.</summary>
[Trait("Category", "Reference")]
public sealed class LiirReference
{
    [ReferenceTheory(typeof(All))]
    public void TrainingCalls(string name, Device? on = null) => ReferenceCase.Run(name, on, c =>
    {
        Assert.Equal(1, c.Exact("vf_coef"));
        var calls = new OnPolicyCalls(c);
        calls.LeaveOut("pi", "r_in_taken", "v_ex", "ratio_new", "meta_coefficient");
        calls.Loss("v_ex_loss", "extrinsicLoss");
        calls.Loss("meta_loss", "metaLoss");
        calls.Loss("intrinsic_loss", "extrinsicLoss", "metaLoss");
        foreach (int step in (int[])[1, 2, 3])
        {
            c.LeaveOut($"clean.step{step}.after.policy_old", "the policies after their step, which are compared as agent");
        }
        var options = ReplayCalls.Common(c, new LiirOptions()) with
        {
            CriticHidden = (int)c.Number("critic_hidden"),
            CriticLearningRate = c.Number("critic_lr"),
            IntrinsicMaxGradientNorm = 0f,
            CriticObservation = true,
            CriticActions = true,
            CriticLastActions = true,
            EntropyCoefficient = 0,
            Lambda = c.Number("td_lambda"),
            IntrinsicWeight = c.Number("theta"),
            NormalizeAdvantages = true,
            Exploration = new SoftmaxPolicy
            {
                EpsilonFloorStart = c.Number("epsilon"),
                EpsilonFloorFinish = c.Number("epsilon"),
                MaskBeforeSoftmax = c.Flag("mask_before_softmax"),
            },
        };
        calls.Compare(options, [0, 0, 0],
            ("target_mix", Column.Returns), ("advantage", Column.Advantages),
            ("target_ex", Liir.ExtrinsicReturns), ("advantage_ex", Liir.ExtrinsicAdvantages));
    });

    private sealed class All() : LearnerCases("learner_liir")
    {
        protected override bool Has(string name) => true;
    }
}
