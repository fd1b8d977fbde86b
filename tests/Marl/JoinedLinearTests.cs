using Marl.Native.Nn;
using Marl.Native.Rl;

namespace Marl.Native.Tests;

public sealed class JoinedLinearTests
{
    [Fact]
    public void AJoinedLinearIsTheLinearOfTheJoinedInputs()
    {
        // [x, one-hot index, z], of which the first is common to the rows of an axis.
        var (layout, plain) = (new ParameterLayout(), new ParameterLayout());
        var (joined, linear) = (new JoinedLinear(layout, [4, 5, 3], 6), new Linear(plain, 12, 6));
        Parameters parameters = new Parameters(layout).Initialize(new Rng(5)), expected = new Parameters(plain).Initialize(new Rng(5));
        Assert.Equal(expected.Values.ToArray(), parameters.Values.ToArray());
        Tensor x = Tensor.Of(LayerTests.Normals(2 * 4, seed: 1)).Reshape(2, 1, 4), z = Tensor.Of(LayerTests.Normals(2 * 3 * 3, seed: 2)).Reshape(2, 3, 3);
        Tensor index = Tensor.Of([4f, 0f, 2f, 2f, 1f, 2f]).Reshape(2, 3), cotangent = Tensor.Of(LayerTests.Normals(2 * 3 * 6, seed: 3)).Reshape(2, 3, 6);
        var (y, dx, dz) = Differentiate(parameters, (w, x, z) => joined.First(w, x) + joined.Part(w, 1, index) + joined.Part(w, 2, z));
        var (yPlain, dxPlain, dzPlain) = Differentiate(expected, (w, x, z) =>
        {
            var oneHot = Tensor.Zeros(2, 3, 5);
            Device.Cpu.ScatterAdd(Tensor.Of([1f, 1f, 1f, 1f, 1f, 1f]).Reshape(2, 3, 1), index.Reshape(2, 3, 1), oneHot);
            return linear.Forward(w, Ops.Concat(-1, x + Tensor.Zeros(2, 3, 4), w.Tape.Constant(oneHot), z));
        });
        Near(yPlain, y);
        Near(dxPlain, dx);
        Near(dzPlain, dz);
        Near(expected.Gradient.ToArray(), parameters.Gradient.ToArray());

        (float[] Y, float[] Dx, float[] Dz) Differentiate(Parameters parameters, Func<Weights, Var, Var, Var> forward)
        {
            var tape = new Tape();
            using (tape.Step())
            {
                var (left, right) = (tape.Variable(x), tape.Variable(z));
                var y = forward(tape.Bind(parameters), left, right);
                tape.Backward(y, cotangent);
                return (y.Value.ToArray(), left.Gradient.ToArray(), right.Gradient.ToArray());
            }
        }

        static void Near(float[] expected, float[] got)
        {
            Assert.Equal(expected.Length, got.Length);
            Assert.All(expected.Zip(got), pair => Assert.Equal(pair.First, pair.Second, 1e-5f));
        }
    }
}
