using System.Runtime.CompilerServices;
using Marl.Native;
using Marl.Native.Nn;

namespace Example;

/// <summary>The code of docs/engine.md, in its order.</summary>
public static class EngineExamples
{
    /// <summary>Three Gaussian clusters of points in the plane.</summary>
    public static (Tensor Points, Tensor Labels) Clusters(int count, Rng rng)
    {
        var (points, labels) = (Tensor.Zeros(count, 2), Tensor.Zeros(count));
        for (int i = 0; i < count; i++)
        {
            double angle = i % 3 * 2 * Math.PI / 3;
            labels.Span[i] = i % 3;
            points[i].Span[0] = (float)(2 * Math.Cos(angle) + 0.6 * rng.NextNormal());
            points[i].Span[1] = (float)(2 * Math.Sin(angle) + 0.6 * rng.NextNormal());
        }
        return (points, labels);
    }

    public static float Classify(Tensor points, Tensor labels, Tensor testPoints, Tensor testLabels)
    {
        var (layout, tape, rng) = (new ParameterLayout(), new Tape(), new Rng(2));
        var (hidden, dropout, output) = (new Linear(layout.Scope("hidden"), 2, 32), new Dropout(0.1f), new Linear(layout.Scope("output"), 32, 3));
        var parameters = new Parameters(layout).Initialize(new Rng(1));
        var optimizer = new Optimizer(parameters, new AdamW { LearningRate = 0.01 });
        var batches = new Minibatches(points.Shape[0], size: 50);

        Var Logits(Tensor x, bool training)
        {
            var w = tape.Bind(parameters);
            return output.Forward(w, dropout.Forward(hidden.ForwardRelu(w, tape.Constant(x)), ref rng, training));
        }

        for (int epoch = 0; epoch < 10; epoch++)
        {
            batches.Shuffle(ref rng);
            for (int i = 0; i < batches.Count; i++)
            {
                using (tape.Step())
                {
                    var logits = Logits(batches.Rows(tape, points, i), training: true);
                    tape.Backward(logits.CrossEntropy(batches.Rows(tape, labels, i)).Mean());
                }
                optimizer.Step();
            }
        }
        using (tape.NoGrad())
        {
            float[] predicted = tape.ArgMax(Logits(testPoints, training: false).Value).ToArray();
            return predicted.Zip(testLabels.ToArray()).Count(pair => pair.First == pair.Second) / (float)predicted.Length;
        }
    }

    /// <summary>The gradient of the mean over several batches, which do not fit into memory together.</summary>
    public static void Accumulate(Tape tape, Parameters parameters, Optimizer optimizer, Func<Weights, Tensor, Var> lossOf, Tensor[] batches)
    {
        foreach (var batch in batches)
        {
            using (tape.Step())
            {
                tape.Backward(lossOf(tape.Bind(parameters), batch) / batches.Length);
            }
        }
        optimizer.Step();
    }

    public static void ClipAndSchedule(Tape tape, Parameters parameters, Func<Weights, Var> lossOf)
    {
        var clip = new GradientClip(parameters);
        var rate = Schedule.Linear(1e-3f, 1e-4f, steps: 1000);
        var optimizer = new Optimizer(parameters, new Adam());
        for (int step = 0; step < 10; step++)
        {
            using (tape.Step())
            {
                tape.Backward(lossOf(tape.Bind(parameters)));
            }
            optimizer.Step(rate.At(step), clip.ByGlobalNorm(max: 10f));
        }
    }

    public static float[] Tensors()
    {
        var x = Tensor.Of([1, 2, 3, 4, 5, 6], 2, 3);
        var row = x[1];                        // [3], a view: 4, 5, 6
        row.Span[0] = 40;                      // x is 1, 2, 3, 40, 5, 6
        var flat = x.Reshape(6).Slice(2, 2);   // 3, 40
        return flat.ToArray();
    }

    public static Var Forward(Tape tape, Tensor x, Tensor mean, Tensor deviation)
    {
        var normal = (tape.Constant(x) - mean) / deviation;        // [B, 3] with [3], broadcast
        var squares = normal.Pow(2f).Sum(-1);                      // [B]
        return (1f / (1f + squares)).Log().Mean();                 // []
    }

    /// <summary>The class probabilities of a teacher, which no gradient flows through (Hinton et al. 2015).</summary>
    public static Tensor SoftLabels(Tape tape, Weights teacher, Mlp network, Tensor x, float temperature)
    {
        using var detached = tape.NoGrad();
        return detached.Keep((network.Forward(teacher, tape.Constant(x)) / temperature).Softmax());
    }

    public static (float[] Value, float[] Gradient) CustomOps(Tensor x)
    {
        var tape = new Tape();
        using (tape.Step())
        {
            var v = tape.Variable(x);
            var y = v.Map(default(Softsign)).Transpose();
            tape.Backward(y.Sum());
            return (y.Value.ToArray(), v.Gradient.ToArray());
        }
    }

    public static void SaveAndLoad(Parameters parameters, Optimizer optimizer, string file)
    {
        Checkpoint.Save(file, parameters);
        var copy = new Parameters(parameters.Layout);
        Checkpoint.Load(file, copy);
        foreach (var (name, memory) in optimizer.State)
        {
            Console.WriteLine($"{name}: {memory.Shape} after {optimizer.Steps} steps");
        }
    }
}

/// <summary>x / (1 + |x|).</summary>
public readonly struct Softsign : IUnary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T F<T>(T x) where T : struct, ILane<T> => x / (T.One + T.Abs(x));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T D<T>(T x, T y) where T : struct, ILane<T>
    {
        var size = T.One + T.Abs(x);
        return T.One / (size * size);
    }
}

public static class MyOps
{
    /// <summary>y[j, i] = x[i, j].</summary>
    public static Var Transpose(this Var x)
    {
        var y = x.Tape.Allocate(new Shape(x.Shape[1], x.Shape[0]));
        Copy(x.Tape.Device, x.Value, y, accumulate: false);
        return x.Tape.Record(default(TransposeOp), y, [x]);
    }

    private static void Copy(Device device, Tensor x, Tensor y, bool accumulate)
    {
        int rows = x.Shape[0], columns = x.Shape[1];
        device.CopyStrided(x, [0, 0, columns, 1], y, [0, 0, 1, rows], [1, 1, rows, columns], accumulate);
    }

    private readonly struct TransposeOp : IOp
    {
        public void Backward(GradContext context) => Copy(context.Device, context.DY, context.DX(0), accumulate: true);
        public void Tangent(GradContext context) => Copy(context.Device, context.DX(0), context.DY, accumulate: true);
    }
}
