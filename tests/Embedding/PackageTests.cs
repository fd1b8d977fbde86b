namespace Marl.Native.Tests;

/// <summary>The examples of the packages' READMEs compute what they say.</summary>
public sealed class PackageTests
{
    [Fact]
    public void TheExamplesOfTheEngineRun()
    {
        Assert.All(Example.PackageExamples.TensorPackage(), sum => Assert.InRange(sum, 0.5f, 4f));
        Assert.All(Example.PackageExamples.AutodiffPackage(), x => Assert.Equal(1f, x, 0.01f));
    }

    [Fact]
    public void TheExampleOfTrainingLearns()
    {
        try
        {
            Assert.InRange(Example.PackageExamples.MarlPackage(), 0.9, 1.0);
        }
        finally
        {
            File.Delete("foraging.safetensors");
        }
    }
}
