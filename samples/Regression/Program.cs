using Marl.Native;
using Marl.Native.Nn;

// Fits y = sin x + noise with a multilayer perceptron: the engine by itself, without reinforcement learning.
const int Points = 256, Epochs = 300;
var rng = new Rng(1);
var (x, y) = (Tensor.Zeros(Points, 1), Tensor.Zeros(Points, 1));
for (int i = 0; i < Points; i++)
{
    x.Span[i] = 6f * rng.NextSingle() - 3f;
    y.Span[i] = MathF.Sin(x.Span[i]) + 0.1f * (float)rng.NextNormal();
}

// A layout names the parameters; a network is a function of them.
var layout = new ParameterLayout();
var network = new Mlp(layout, [1, 32, 32, 1], activation: Ops.Tanh);
var parameters = new Parameters(layout).Initialize(rng);
var optimizer = new Optimizer(parameters, new Adam { LearningRate = 0.01 });
var (tape, batches) = (new Tape(), new Minibatches(Points, size: 64));

for (int epoch = 1; epoch <= Epochs; epoch++)
{
    float sum = 0;
    batches.Shuffle(ref rng);
    for (int i = 0; i < batches.Count; i++)
    {
        using (tape.Step())
        {
            var prediction = network.Forward(tape.Bind(parameters), tape.Constant(batches.Rows(tape, x, i)));
            var loss = (prediction - batches.Rows(tape, y, i)).Square().Mean();
            tape.Backward(loss);
            sum += loss.Value.ToScalar();
        }
        optimizer.Step();
    }
    if (epoch % 50 == 0)
    {
        Console.WriteLine(FormattableString.Invariant($"epoch {epoch,3}  loss {sum / batches.Count:0.0000}"));
    }
}

// The noise has a variance of 0.01: no prediction has a smaller expected loss.
using (tape.NoGrad())
{
    float[] at = [-1.5f, 0f, 1.5f];
    float[] fitted = network.Forward(tape.Bind(parameters), tape.Constant(Tensor.Of(at, at.Length, 1))).Value.ToArray();
    foreach (var (input, output) in at.Zip(fitted))
    {
        Console.WriteLine(FormattableString.Invariant($"f({input,4:0.0}) = {output,5:0.00}   sin = {Math.Sin(input),5:0.00}"));
    }
}
