namespace Marl.Native.Tests;

/// <summary>The README's example of embedding: what stands there is what is compiled here, and it learns.</summary>
public sealed class EmbeddingTests
{
    [Fact]
    public void TheExampleLearnsSavesLoadsAndActs()
    {
        string file = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        try
        {
            Assert.InRange(Example.Quickstart.Run(file), 0.95, 1.0);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void TheReadmeShowsTheExample()
    {
        string readme = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "README.md"));
        string example = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Example.cs"));
        Assert.Contains("```csharp\n" + example.Trim() + "\n```", readme, StringComparison.Ordinal);
        Assert.InRange(example.Trim().Split('\n').Length, 10, 40);
    }
}
