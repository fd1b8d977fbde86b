using Marl.Native.Nn;

namespace Marl.Native.Tests;

/// <summary>The loop of docs/engine.md: when gradients accumulate and when they start again.</summary>
public sealed class TrainingLoopTests
{
    private readonly ParameterSlice slice;
    private readonly Parameters parameters;
    private readonly Optimizer optimizer;
    private readonly Tape tape = new();

    public TrainingLoopTests()
    {
        var layout = new ParameterLayout();
        slice = layout.Add("w", new Shape(2), Initializers.Constant(3f));
        layout.Add("unused", new Shape(1), Initializers.Constant(1f));
        parameters = new Parameters(layout).Initialize(new Rng(1));
        optimizer = new Optimizer(parameters, new Sgd { LearningRate = 0 });
    }

    [Fact]
    public void AStepUsesTheGradientUp()
    {
        for (int step = 0; step < 3; step++)
        {
            Backward(2f);
            Assert.Equal([2f, 2f, 0f], Gradient);
            optimizer.Step();
            // It can still be read.
            Assert.Equal([2f, 2f, 0f], Gradient);
        }
    }

    [Fact]
    public void BetweenTwoStepsGradientsAccumulate()
    {
        for (int step = 0; step < 2; step++)
        {
            using (tape.Step())
            {
                // The same weights read twice, and two calls.
                var w = tape.Bind(parameters);
                tape.Backward((w[slice] * 2f + w[slice]).Sum());
                tape.Backward((w[slice] * 5f).Sum());
            }
            Backward(10f);
            Assert.Equal([18f, 18f, 0f], Gradient);
            optimizer.Step();
        }
    }

    [Fact]
    public void AGradientCanBeDiscardedAndWhatIsNotTheParametersOwnIsLeftAlone()
    {
        Backward(1f);
        parameters.DiscardGradient();
        var own = Tensor.Zeros(3);
        for (int call = 0; call < 2; call++)
        {
            using (tape.Step())
            {
                tape.Backward((tape.Bind(parameters, own)[slice] * 4f + tape.Detached(parameters)[slice]).Sum());
            }
        }
        Assert.Equal([8f, 8f, 0f], own.ToArray());
        Assert.Equal([1f, 1f, 0f], Gradient);
        Backward(2f);
        Assert.Equal([2f, 2f, 0f], Gradient);
    }

    [Fact]
    public void AGradientThatWasNotWrittenByBackwardIsSteppedAlongOnce()
    {
        var moving = new Optimizer(parameters, new Sgd { LearningRate = 1 });
        parameters.Gradient.CopyFrom([1f, 2f, 3f]);
        moving.Step();
        Assert.Equal([2f, 1f, -2f], parameters.Values.ToArray());
        Backward(1f);
        Assert.Equal([1f, 1f, 0f], Gradient);
    }

    [Fact]
    public void ALaterIterationAllocatesNothing()
    {
        var batches = new Minibatches(10, 4);
        var (rng, data, dropout) = (new Rng(1), Tensor.Zeros(10, 2), new Dropout(0.5f));
        long allocated = 0;
        for (int step = 0; step < 3; step++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            batches.Shuffle(ref rng);
            for (int i = 0; i < batches.Count; i++)
            {
                using (tape.Step())
                {
                    var x = tape.Constant(batches.Rows(tape, data, i));
                    tape.Backward(dropout.Forward(x * tape.Bind(parameters)[slice], ref rng, training: true).Sum());
                }
                optimizer.Step();
            }
            allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        }
        Assert.Equal(0, allocated);
    }

    private float[] Gradient => parameters.Gradient.ToArray();

    private void Backward(float factor)
    {
        using (tape.Step())
        {
            tape.Backward((tape.Bind(parameters)[slice] * factor).Sum());
        }
    }
}
