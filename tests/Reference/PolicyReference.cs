using Marl.Native.Rl;

namespace Marl.Native.Tests;

/// <summary>How actions are drawn from what the agent network says.</summary>
[Trait("Category", "Reference")]
public sealed class PolicyReference
{
    [ReferenceTheory(typeof(All))]
    public void Probabilities(string name) => ReferenceCase.Run(name, c =>
    {
        if (name == "policy_epsilon_greedy")
        {
            float[] epsilon = c["eps"].ToArray();
            c.Compare("p", ByNumber(new EpsilonGreedy(), c["q"], c["avail"], row => epsilon[row * epsilon.Length / c["q"].Shape.Rows]));
            return;
        }
        foreach (bool before in new[] { true, false })
        {
            var policy = new SoftmaxPolicy { MaskBeforeSoftmax = before };
            float floor = c.Number("epsilon");
            string result = before ? "mask_before" : "mask_after";
            c.Compare(result, ByNumber(policy, c["logits"], c["avail"], _ => floor));
            var tape = new Tape();
            using (tape.NoGrad())
            {
                c.Compare(result, (policy.LogPolicy(tape.Constant(c["logits"]), c["avail"], floor).Exp() * c["avail"]).Value);
            }
        }
    });

    /// <summary>What a selector says of every row.</summary>
    private static Tensor ByNumber(Exploration selector, Tensor values, Tensor available, Func<int, float> exploration)
    {
        int actions = values.Shape[-1];
        var p = Device.Cpu.Zeros(values.Shape);
        for (int row = 0; row < values.Shape.Rows; row++)
        {
            selector.Probabilities(Row(values), [.. Row(available).ToArray().Select(a => a != 0)], exploration(row), Row(p));

            Span<float> Row(Tensor x) => x.Span.Slice(row * actions, actions);
        }
        return p;
    }

    private sealed class All() : LearnerCases("policy_")
    {
        protected override bool Has(string name) => true;
    }
}
