using Marl.Native.Nn;

namespace Marl.Native.Tests;

/// <summary>Whole training runs against PyTorch's: the loss of every step, and the weights at the end. The loop is the one of docs/engine.md.</summary>
[Trait("Category", "Reference")]
public sealed class TrainingReference
{
    [ReferenceTheory(typeof(All))]
    public void LossesAndWeights(string name, Device? on = null) => ReferenceCase.Run(name, on, c =>
    {
        var layout = new ParameterLayout();
        var network = new Mlp(layout, [2, 8, 1], Ops.Tanh);
        var parameters = new Parameters(layout, c.Device);
        foreach (var slice in layout.Slices)
        {
            c[slice.Name].CopyTo(parameters[slice]);
        }
        var optimizer = new Optimizer(parameters, new Adam { LearningRate = c.Exact("learning_rate") });
        var tape = new Tape(c.Device);
        float[] losses = new float[(int)c.Number("steps")];
        for (int step = 0; step < losses.Length; step++)
        {
            using (tape.Step())
            {
                var loss = (network.Forward(tape.Bind(parameters), tape.Constant(c["x"])) - c["y"]).Square().Mean();
                tape.Backward(loss);
                losses[step] = loss.Value.ToScalar();
            }
            optimizer.Step();
        }
        c.Compare("loss", Tensor.Of(losses));
        Assert.InRange(losses[^1], 0f, 0.01f);
        foreach (var slice in layout.Slices)
        {
            c.Compare("final." + slice.Name, parameters[slice]);
        }
    });

    private sealed class All() : LearnerCases("train_")
    {
        protected override bool Has(string name) => name == "train_xor";
    }
}
