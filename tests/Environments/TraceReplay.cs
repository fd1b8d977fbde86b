namespace Marl.Native.Tests;

/// <summary>The recorded traces, one per file.</summary>
public sealed class Traces : IReferenceCases
{
    /// <inheritdoc/>
    public IEnumerable<(string Name, string? NotBuilt)> Cases =>
        from file in Directory.EnumerateFiles(ReferenceData.Folder("envs"), "*.jsonl.gz").Order(StringComparer.Ordinal)
        let name = Path.GetFileName(file).Replace(".jsonl.gz", "")
        let family = name.Split('_')[0]
        select (name, (string?)$"not built yet: {family}");
}

/// <summary>Replays recordings of the original environments.</summary>
[Trait("Category", "Reference")]
public sealed class TraceReplay
{
    [ReferenceTheory(typeof(Traces))]
    public void EveryStepFromItsRecordedState(string name) => Assert.NotEmpty(name);
}
