using Marl.Native.Tests.Cli;

namespace Marl.Native.Tests.Gpu;

/// <summary>The command where nothing of a GPU is there.</summary>
public sealed class NoDriverTests : IDisposable
{
    private static readonly string[] Training =
        ["train", "qmix", "--env", "two-step", "--steps", "40", "--seed", "1", "--json", "--set", "hidden=8", "batchSize=4"];

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    /// <summary>Without the assemblies of the GPU, to say nothing of a driver, a run on the CPU has the same weights.</summary>
    [Fact]
    public void TheCpuNeedsNothingOfTheGpu()
    {
        string bare = Directory.CreateDirectory(Path.Combine(folder.Path, "bare")).FullName;
        string[] needed = ["marl.dll", "marl.runtimeconfig.json", "Marl.Native.dll", "Marl.Native.Nn.dll", "Marl.Native.Autodiff.dll", "Marl.Native.Tensor.dll",
            "System.CommandLine.dll", "System.Numerics.Tensors.dll", "Spectre.Console.dll", "Spectre.Console.Ansi.dll"];
        foreach (string file in needed.Where(file => File.Exists(Path.Combine(AppContext.BaseDirectory, file))))
        {
            File.Copy(Path.Combine(AppContext.BaseDirectory, file), Path.Combine(bare, file));
        }
        var whole = MarlProcess.Run(folder.Path, [.. Training, "--out", "whole"]).HasSucceeded();
        var alone = MarlProcess.RunProgram(Path.Combine(bare, "marl.dll"), folder.Path, [.. Training, "--out", "alone"]).HasSucceeded();
        Assert.Equal(whole.Sha, alone.Sha);
    }

    /// <summary>The driver of the tests is not where a new process would find it.</summary>
    [DriverFact]
    public void AMissingDriverIsNamed()
        => MarlProcess.Run(folder.Path, [.. Training, "--device", "cuda"])
            .HasFailed(1, "device cuda cannot be used: libcuda.so.1 was not found; install the driver of the GPU, or use the CPU");
}
