namespace Marl.Native.Nn;

/// <summary>
/// Moves parameters against their gradient by an <see cref="UpdateRule"/>, whose memories it keeps as flat blocks beside the
/// parameters: a step is one pass over them and allocates nothing.
/// <code>
/// var optimizer = new Optimizer(parameters, new Adam { LearningRate = 5e-4 });
/// using (tape.Step()) { tape.Backward(loss); }
/// optimizer.Step();      // or Step(schedule.At(step))
/// </code>
/// </summary>
public sealed class Optimizer
{
    private readonly Parameters parameters;
    private readonly Tensor[] memories;

    /// <summary>An optimizer that has not taken a step.</summary>
    /// <param name="parameters">what it moves, and where their gradient is.</param>
    /// <param name="rule">how.</param>
    public Optimizer(Parameters parameters, UpdateRule rule)
    {
        (this.parameters, Rule) = (parameters, rule);
        memories = new Tensor[rule.Memories.Length];
        for (int i = 0; i < memories.Length; i++)
        {
            memories[i] = parameters.Values.Device.Zeros(parameters.Values.Shape);
        }
    }

    /// <summary>How it moves them.</summary>
    public UpdateRule Rule { get; }

    /// <summary>Steps taken. Part of the state: rules correct their first steps' bias by it.</summary>
    public long Steps { get; set; }

    /// <summary>What the rule remembers, by PyTorch's names. With <see cref="Steps"/> it is all there is: write both back to
    /// restore exactly.</summary>
    public IEnumerable<(string Name, Tensor Value)> State => Rule.Memories.Zip(memories);

    /// <summary>One step against <see cref="Parameters.Gradient"/>, after which the next Backward starts from 0, see <see cref="Parameters.DiscardGradient"/>.</summary>
    /// <param name="learningRate">of this step; by default the rule's.</param>
    /// <param name="scale">[1] how many times the gradient counts, see <see cref="GradientClip.ByGlobalNorm"/>; by default once.</param>
    public void Step(double? learningRate = null, Tensor scale = default)
    {
        Rule.Apply(parameters.Values, parameters.Gradient, memories, ++Steps, learningRate ?? Rule.LearningRate, scale);
        parameters.DiscardGradient();
    }
}
