namespace Marl.Native.Tests;

/// <summary>A folder of its own for a test, removed at its end.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    /// <summary>Where it is.</summary>
    public string Path { get; } = Directory.CreateTempSubdirectory("marl-").FullName;

    /// <summary>A file in it.</summary>
    public string this[string name] => System.IO.Path.Combine(Path, name);

    /// <summary>The names of all files in it.</summary>
    public IEnumerable<string?> Files => Directory.EnumerateFileSystemEntries(Path).Select(System.IO.Path.GetFileName);

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
