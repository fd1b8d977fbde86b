using Marl.Native.Rl;

namespace Marl.Native.Tests;

/// <summary>How actions are drawn from what the agent network says.</summary>
[Trait("Category", "Reference")]
public sealed class PolicyReference
{
    [ReferenceTheory(typeof(All))]
    public void Probabilities(string name) => ReferenceCase.Run(name, c =>
    {
        var (q, available, epsilon) = (c["q"], c["avail"], c["eps"].ToArray());
        int actions = q.Shape[-1], rows = q.Shape.Rows;
        var p = Tensor.Zeros(q.Shape[0], q.Shape[1], actions);
        for (int row = 0; row < rows; row++)
        {
            EpsilonGreedy.Probabilities(Row(q, row), [.. Row(available, row).ToArray().Select(a => a != 0)], epsilon[row * epsilon.Length / rows], Row(p, row));
        }
        c.Compare("p", p);

        Span<float> Row(Tensor x, int row) => x.Span.Slice(row * actions, actions);
    });

    private sealed class All() : LearnerCases("policy_")
    {
        protected override bool Has(string name) => name == "policy_epsilon_greedy";
    }
}
