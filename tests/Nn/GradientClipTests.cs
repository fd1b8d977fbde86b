using Marl.Native.Nn;

namespace Marl.Native.Tests;

public sealed class GradientClipTests
{
    private readonly Parameters parameters;
    private readonly GradientClip clip;

    public GradientClipTests()
    {
        var layout = new ParameterLayout();
        layout.Add("a", new Shape(2), Initialisers.Constant(0f));
        layout.Add("b", new Shape(1, 1), Initialisers.Constant(0f));
        parameters = new Parameters(layout);
        clip = new GradientClip(parameters);
    }

    [Fact]
    public void ByGlobalNorm()
    {
        parameters.Gradient.CopyFrom([2f, -3f, 6f]);
        Assert.Equal(7f, clip.ByGlobalNorm(14f), 1e-6f);
        Assert.Equal([2f, -3f, 6f], parameters.Gradient.ToArray());
        Assert.Equal(7f, clip.ByGlobalNorm(3.5f), 1e-6f);
        Near([1f, -1.5f, 3f]);
        Assert.Equal(3.5f, clip.GlobalNorm(), 1e-5f);
        // The 1e-6 is there.
        parameters.Gradient.CopyFrom([1e-6f, 0f, 0f]);
        clip.ByGlobalNorm(1e-6f);
        Assert.Equal(5e-7f, parameters.Gradient.Span[0], 1e-12f);
        // 0 stays 0.
        parameters.Gradient.CopyFrom([0f, 0f, 0f]);
        Assert.Equal(0f, clip.ByGlobalNorm(1f));
        Near([0f, 0f, 0f]);
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
        parameters.Gradient.CopyFrom([1f, 2f, broken]);
        Assert.False(float.IsFinite(clip.ByGlobalNorm(1f)));
        Assert.Equal([1f, 2f, broken], parameters.Gradient.ToArray());
        Assert.Equal("b", clip.FirstNonFinite(parameters.Gradient)!.Name);
        Assert.Null(clip.FirstNonFinite(parameters.Values));
        parameters.Values.CopyFrom([1f, broken, broken]);
        Assert.Equal("a", clip.FirstNonFinite(parameters.Values)!.Name);
    }

    private void Near(float[] expected)
        => Assert.All(expected.Zip(parameters.Gradient.ToArray()), pair => Assert.Equal(pair.First, pair.Second, 1e-6f));
}
