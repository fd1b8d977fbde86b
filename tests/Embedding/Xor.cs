using Marl.Native;
using Marl.Native.Nn;

namespace Example;

public static class Xor
{
    public static float Train()
    {
        var (x, y) = (Tensor.Of([0, 0, 0, 1, 1, 0, 1, 1], 4, 2), Tensor.Of([0, 1, 1, 0], 4, 1));
        var layout = new ParameterLayout();
        var network = new Mlp(layout, [2, 8, 1], activation: Ops.Tanh);
        var parameters = new Parameters(layout).Initialize(new Rng(1));
        var optimizer = new Optimizer(parameters, new Adam { LearningRate = 0.03 });
        var (tape, error) = (new Tape(), 0f);
        for (int step = 0; step < 300; step++)
        {
            using (tape.Step())
            {
                var loss = (network.Forward(tape.Bind(parameters), tape.Constant(x)) - y).Square().Mean();
                tape.Backward(loss);
                error = loss.Value.ToScalar();
            }
            optimizer.Step();
        }
        return error;
    }
}
