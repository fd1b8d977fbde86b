using Marl.Native.Nn;

namespace Marl.Native.Tests;

public sealed class CheckpointTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    private string File => folder["weights.safetensors"];

    [Fact]
    public void WeightsComeBackWithTheirMetadata()
    {
        var saved = Network(3).Initialize(new Rng(1));
        var metadata = new Dictionary<string, string> { ["environment"] = "identity" };
        Checkpoint.Save(File, saved, metadata);

        var loaded = Network(3);
        Assert.Equal(metadata, Checkpoint.Load(File, loaded));
        Assert.Equal(saved.Values.ToArray(), loaded.Values.ToArray());
        Assert.Equal(["agent.0.bias: F32 [4]", "agent.0.weight: F32 [4, 3]", "agent.2.bias: F32 [2]", "agent.2.weight: F32 [2, 4]"],
            Safetensors.Read(File).Entries.Select(e => e.ToString()).Order());
    }

    [Fact]
    public void WhatDoesNotFitIsNamedAndChangesNothing()
    {
        Entries(("agent.0.weight", [4, 3]), ("agent.0.bias", [4, 1]), ("agent.2.weight", [4, 2]), ("agent.4.weight", [1]));
        var parameters = Network(3).Initialize(new Rng(1));
        float[] before = parameters.Values.ToArray();

        string message = Assert.Throws<InvalidDataException>(() => Checkpoint.Load(File, parameters)).Message;

        Assert.Equal($"{File} does not match the network: 'agent.0.bias: F32 [4, 1]' is not F32 [4]; 'agent.2.weight: F32 [4, 2]' is not " +
            "F32 [2, 4]; 'agent.2.bias' is missing; 'agent.4.weight' is unknown", message);
        Assert.Equal(before, parameters.Values.ToArray());
    }

    [Fact]
    public void AnotherTypeIsRefused()
    {
        new Safetensors([SafetensorsEntry.Of("a", [1], [1.0])]).Write(File);
        var layout = new ParameterLayout();
        layout.Add("a", new Shape(1), Initializers.Constant(0f));
        string message = Assert.Throws<InvalidDataException>(() => Checkpoint.Load(File, new Parameters(layout))).Message;
        Assert.Contains("'a: F64 [1]' is not F32 [1]", message);
    }

    [Fact]
    public void ManyProblemsAreCounted()
    {
        Entries([.. Enumerable.Range(0, 20).Select(i => ($"x{i}", new[] { 1 }))]);
        string message = Assert.Throws<InvalidDataException>(() => Checkpoint.Load(File, Network(3))).Message;
        Assert.EndsWith("; and 14 more", message);
    }

    [Fact]
    public void ADamagedFileChangesNothing()
    {
        var parameters = Network(3).Initialize(new Rng(1));
        Checkpoint.Save(File, parameters);
        byte[] bytes = System.IO.File.ReadAllBytes(File);
        System.IO.File.WriteAllBytes(File, bytes[..^4]);
        float[] before = parameters.Values.ToArray();
        Assert.Throws<InvalidDataException>(() => Checkpoint.Load(File, parameters));
        Assert.Equal(before, parameters.Values.ToArray());
    }

    [Fact]
    public void AWriteThatFailsLeavesTheOldFileAndNothingElse()
    {
        System.IO.File.WriteAllText(File, "old");
        Assert.Throws<IOException>(() => AtomicFile.Write(File, stream =>
        {
            stream.Write(new byte[100_000]);
            throw new IOException("no space left on device");
        }));
        Assert.Equal("old", System.IO.File.ReadAllText(File));
        Assert.Equal(["weights.safetensors"], folder.Files);
    }

    [Fact]
    public void AWriteThatCannotTakeThePlaceLeavesNothing()
    {
        Directory.CreateDirectory(File);
        Assert.ThrowsAny<SystemException>(() => Checkpoint.Save(File, Network(3)));
        Assert.Equal(["weights.safetensors"], folder.Files);
        Assert.Throws<DirectoryNotFoundException>(() => Checkpoint.Save(folder["missing/x.safetensors"], Network(3)));
    }

    [Fact]
    public void AReadOnlyFolderKeepsTheOldFile()
    {
        if (OperatingSystem.IsWindows() || Environment.IsPrivilegedProcess)
        {
            return; // Neither Windows nor root heeds the mode of a folder.
        }
        Checkpoint.Save(File, Network(3));
        byte[] old = System.IO.File.ReadAllBytes(File);
        System.IO.File.SetUnixFileMode(folder.Path, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        try
        {
            Assert.Throws<UnauthorizedAccessException>(() => Checkpoint.Save(File, Network(3).Initialize(new Rng(1))));
            Assert.Equal(old, System.IO.File.ReadAllBytes(File));
        }
        finally
        {
            System.IO.File.SetUnixFileMode(folder.Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    [Fact]
    public void AWriteReplacesTheOldFile()
    {
        Checkpoint.Save(File, Network(9));
        Checkpoint.Save(File, Network(3));
        Checkpoint.Load(File, Network(3));
        Assert.Equal(["weights.safetensors"], folder.Files);
    }

    public void Dispose() => folder.Dispose();

    private static Parameters Network(int inputs)
    {
        var layout = new ParameterLayout();
        _ = new Mlp(layout.Scope("agent"), [inputs, 4, 2]);
        return new Parameters(layout);
    }

    private void Entries(params (string Name, int[] Shape)[] entries)
        => new Safetensors(entries.Select(e => SafetensorsEntry.Of(e.Name, e.Shape, new float[e.Shape.Aggregate(1, (a, b) => a * b)]))).Write(File);
}
