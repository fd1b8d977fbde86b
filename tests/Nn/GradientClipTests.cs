using Marl.Native.Nn;

namespace Marl.Native.Tests;

public sealed class GradientClipTests
{
    private readonly Parameters parameters;
    private readonly GradientClip clip;

    public GradientClipTests()
    {
        var layout = new ParameterLayout();
        layout.Add("a", new Shape(2), Initializers.Constant(0f));
        layout.Add("b", new Shape(1, 1), Initializers.Constant(0f));
        parameters = new Parameters(layout);
        clip = new GradientClip(parameters);
    }

    [Fact]
    public void ByGlobalNorm()
    {
        parameters.Gradient.CopyFrom([2f, -3f, 6f]);
        Assert.Equal(7f, clip.GlobalNorm());
        Assert.Equal(1f, clip.ByGlobalNorm(14f).ToScalar());
        Assert.Equal(1f, clip.ByGlobalNorm(float.PositiveInfinity).ToScalar());
        Assert.Equal(0.5f, clip.ByGlobalNorm(3.5f).ToScalar(), 1e-6f);
        Assert.Equal([13f, 36f], clip.SquaredNorms.ToArray());
        // The 1e-6 is there.
        parameters.Gradient.CopyFrom([1e-6f, 0f, 0f]);
        Assert.Equal(0.5f, clip.ByGlobalNorm(1e-6f).ToScalar(), 1e-6f);
        parameters.Gradient.CopyFrom([0f, 0f, 0f]);
        Assert.Equal(1f, clip.ByGlobalNorm(1f).ToScalar());
    }

    [Fact]
    public void ByTensorNorm()
    {
        parameters.Gradient.CopyFrom([3f, 4f, 0.25f]);
        clip.ByTensorNorm(0.5f);
        Near([0.3f, 0.4f, 0.25f]);
    }

    [Fact]
    public void ByValue()
    {
        parameters.Gradient.CopyFrom([3f, -4f, 0.25f]);
        clip.ByValue(0.5f);
        Near([0.5f, -0.5f, 0.25f]);
    }

    [Theory]
    [InlineData(float.NaN), InlineData(float.PositiveInfinity), InlineData(float.NegativeInfinity)]
    public void WhatIsNotFiniteIsNamedAndNotSpread(float broken)
    {
        foreach (var optimizer in Optimizers())
        {
            parameters.Values.CopyFrom([1f, 2f, 3f]);
            clip.Reset();
            parameters.Gradient.CopyFrom([1f, 2f, broken]);
            optimizer.Step(scale: clip.ByGlobalNorm(1f));
            Assert.False(float.IsFinite(clip.GlobalNorm()));
            // After a step that was none there is no other, until somebody has seen it.
            parameters.Gradient.CopyFrom([1f, 2f, 3f]);
            optimizer.Step(scale: clip.ByGlobalNorm(1f));
            Assert.Equal([1f, 2f, 3f], parameters.Values.ToArray());
            Assert.All(optimizer.State, memory => Assert.Equal([0f, 0f, 0f], memory.Value.ToArray()));
            clip.Reset();
            optimizer.Step(scale: clip.ByGlobalNorm(1f, loss: Tensor.Of([broken])));
            Assert.Equal([1f, 2f, 3f], parameters.Values.ToArray());
            clip.Reset();
            optimizer.Step(scale: clip.ByGlobalNorm(1f, loss: Tensor.Of([-7f])));
            Assert.All(parameters.Values.ToArray().Index(), x => Assert.True(x.Item < x.Index + 1));
        }
        parameters.Gradient.CopyFrom([1f, 2f, broken]);
        parameters.Values.CopyFrom([0f, 0f, 0f]);
        Assert.Equal("b", clip.FirstNonFinite(parameters.Gradient)!.Name);
        Assert.Null(clip.FirstNonFinite(parameters.Values));
        parameters.Values.CopyFrom([1f, broken, broken]);
        Assert.Equal("a", clip.FirstNonFinite(parameters.Values)!.Name);
    }

    [Fact]
    public void AStepTakesTheGradientAsOftenAsItIsTold()
    {
        foreach (var (scaled, plain) in Optimizers().Zip(Optimizers()))
        {
            float[] Moved(Optimizer optimizer, float factor, Tensor scale)
            {
                parameters.Values.CopyFrom([1f, -2f, 3f]);
                for (int step = 0; step < 3; step++)
                {
                    parameters.Gradient.CopyFrom([0.3f * factor, -0.7f * factor, 1e-5f * factor]);
                    optimizer.Step(scale: scale);
                }
                return [.. parameters.Values.ToArray(), .. optimizer.State.SelectMany(memory => memory.Value.ToArray())];
            }
            Noise.AssertSameBits(Moved(plain, 0.25f, default), Moved(scaled, 1f, Tensor.Of([0.25f])), $"{plain.Rule}");
        }
    }

    private IEnumerable<Optimizer> Optimizers()
        => new UpdateRule[]
        {
            new Adam(), new AdamW(), new RmsProp(), new RmsProp { Momentum = 0.9 }, new RmsProp { Centered = true, Momentum = 0.5 }, new Sgd(),
            new Sgd { Momentum = 0.9, Nesterov = true },
        }.Select(rule => new Optimizer(parameters, rule));

    private void Near(float[] expected)
        => Assert.All(expected.Zip(parameters.Gradient.ToArray()), pair => Assert.Equal(pair.First, pair.Second, 1e-6f));
}
