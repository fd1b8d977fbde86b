using Marl.Native.Rl;

namespace Marl.Native.Tests;

/// <summary>Three training calls of Pareto actor-critic against EPyMARL without its quirks.</summary>
[Trait("Category", "Reference")]
public sealed class ParetoActorCriticReference
{
    [ReferenceTheory(typeof(All))]
    public void TrainingCalls(string name, Device? on = null) => ReferenceCase.Run(name, on, c =>
    {
        long[] clock = [.. c.Numbers("t_env").Select(steps => (long)steps)];
        var options = ReplayCalls.Common(c, new ParetoAcOptions());
        options = options with
        {
            CriticHidden = options.Hidden,
            NStep = (int)c.Number("q_nstep"),
            EntropyCoefficientStart = c.Number("initial_entropy_coef"),
            EntropyCoefficient = c.Number("final_entropy_coef"),
            EntropyAnnealFraction = c.Number("entropy_end_ratio"),
            CriticAgentId = false,
            StandardizeRewards = false, // the peer's switch of this name does something else, which the clean variant leaves out
        };
        var worth = options.EntropyOver((long)c.Number("t_max"));
        for (int call = 1; call <= 3; call++)
        {
            c.Compare($"clean.step{call}.entropy_coef", worth.At(clock[call - 1]));
        }
        var calls = new OnPolicyCalls(c);
        calls.LeaveOut("pi", "q_taken", "q_pareto");
        calls.Compare(options, clock,
            ("value", Column.Values), ("returns", Column.Returns), ("advantage", Column.Advantages));
    });

    private sealed class All() : LearnerCases("learner_epymarl_pac")
    {
        protected override bool Has(string name) => true;
    }
}
