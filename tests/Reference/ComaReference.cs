using Marl.Native.Rl;

namespace Marl.Native.Tests;

/// <summary>COMA against PyMARL and EPyMARL without their quirks: three training calls, and the loss by itself.</summary>
[Trait("Category", "Reference")]
public sealed class ComaReference
{
    [ReferenceTheory(typeof(Learners))]
    public void TrainingCalls(string name, Device? on = null) => ReferenceCase.Run(name, on, c =>
    {
        bool pymarl = c.Exact("td_lambda", 0) > 0;
        var calls = new OnPolicyCalls(c);
        calls.LeaveOut("pi", "q", "log_pi_taken", "entropy", "reward_used");
        Assert.Equal(pymarl ? (null, null) : ("coma", "coma_critic"), (c.Text("critic"), c.Text("critic_type")));
        var options = ReplayCalls.Common(c, new ComaOptions());
        options = options with
        {
            CriticHidden = (int)c.Number("critic_hidden", options.Hidden),
            CriticLearningRate = c.Number("critic_lr", 0),
            CriticObservation = pymarl,
            CriticLastActions = pymarl,
            EntropyCoefficient = c.Number("entropy_coef", 0),
            Lambda = c.Number("td_lambda", 0),
            NStep = (int)c.Number("q_nstep", 1),
            Exploration = new SoftmaxPolicy
            {
                EpsilonFloorStart = c.Number("epsilon", 0),
                EpsilonFloorFinish = c.Number("epsilon", 0),
                MaskBeforeSoftmax = c.Flag("mask_before_softmax", otherwise: true),
            },
        };
        (string, Column) advantage = ("advantage", Column.Advantages);
        if (pymarl)
        {
            calls.Compare(options, [0, 0, 0], ("targets", Column.Returns), advantage);
        }
        else
        {
            calls.Compare(options, [0, 0, 0],
                ("value", Column.Values), ("returns", Column.Returns), advantage);
        }
    });

    [ReferenceTheory(typeof(Losses))]
    public void CounterfactualLoss(string name, Device? on = null) => ReferenceCase.Run(name, on, c =>
    {
        var tape = new Tape(c.Device);
        using (tape.Step())
        {
            var logits = tape.Variable(c["logits"]);
            var logPolicy = new SoftmaxPolicy().LogPolicy(logits, c["avail"]);
            var q = new ActionValues(tape.Constant(c["q"]), c["action"], c["avail"]);
            var advantage = ActorCritic.CounterfactualAdvantage(q, logPolicy).Value;
            var logChosen = new ActionValues(logPolicy, c["action"], default).Chosen;
            var loss = -(logChosen * advantage * c["mask"]).Sum() / c["mask"].ToArray().Sum();
            tape.Backward(loss);
            c.Compare("pi", (logPolicy.Exp() * c["avail"]).Value);
            c.Compare("baseline", (q.Chosen - advantage).Value);
            c.Compare("advantage", advantage);
            c.Compare("loss", loss.Value);
            c.Compare("grad.logits", logits.Gradient);
        }
    });

    private sealed class Learners() : LearnerCases("learner_epymarl_coma", "learner_pymarl_coma")
    {
        protected override bool Has(string name) => true;
    }

    private sealed class Losses() : LearnerCases("loss_coma")
    {
        protected override bool Has(string name) => true;
    }
}
