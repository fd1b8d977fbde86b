namespace Marl.Native.Nn;

/// <summary>
/// Updates parameters from their gradient by an <see cref="UpdateRule"/>, whose state it keeps as flat blocks. A step is one pass over the blocks and allocates
/// nothing.
/// </summary>
/// <example>
/// <code>
/// var layout = new ParameterLayout();
/// var network = new Mlp(layout, [2, 8, 1]);
/// var parameters = new Parameters(layout).Initialize(new Rng(1));
/// var (tape, optimizer) = (new Tape(), new Optimizer(parameters, new Adam { LearningRate = 5e-4 }));
/// using (tape.Step())
/// {
///     tape.Backward(network.Forward(tape.Bind(parameters), tape.Constant(Tensor.Zeros(16, 2))).Square().Mean());
/// }
/// optimizer.Step();
/// </code>
/// </example>
public sealed class Optimizer
{
    private readonly Parameters parameters;
    private readonly Tensor[] state;

    /// <summary>Creates an optimizer that has taken no step.</summary>
    /// <param name="parameters">The parameters and their gradient.</param>
    /// <param name="rule">The formula and hyperparameters.</param>
    public Optimizer(Parameters parameters, UpdateRule rule)
    {
        (this.parameters, Rule) = (parameters, rule);
        state = new Tensor[rule.StateNames.Length];
        for (int i = 0; i < state.Length; i++)
        {
            state[i] = parameters.Values.Device.Zeros(parameters.Values.Shape);
        }
    }

    /// <summary>The formula and hyperparameters.</summary>
    public UpdateRule Rule { get; }

    /// <summary>The number of steps taken, which some rules use for bias correction. Part of the state.</summary>
    public long Steps { get; set; }

    /// <summary>The state of the rule, with PyTorch's names. Restore it together with <see cref="Steps"/> to continue exactly.</summary>
    public IEnumerable<(string Name, Tensor Value)> State => Rule.StateNames.Zip(state);

    /// <summary>
    /// Takes one step with <see cref="Parameters.Gradient"/>. The next Backward starts from a gradient of 0, see <see cref="Parameters.DiscardGradient"/>.
    /// </summary>
    /// <param name="learningRate">The learning rate of this step; by default the rule's.</param>
    /// <param name="scale">[1] a factor on the gradient, see <see cref="GradientClip.ByGlobalNorm"/>; by default 1.</param>
    public void Step(double? learningRate = null, Tensor scale = default)
    {
        Rule.Apply(parameters.Values, parameters.Gradient, state, ++Steps, learningRate ?? Rule.LearningRate, scale);
        parameters.DiscardGradient();
    }
}
