using System.Text.RegularExpressions;

namespace Marl.Native.Tests;

/// <summary>The README of each package: its code is the code compiled here, and computes what it says.</summary>
public sealed partial class PackageTests
{
    [Theory]
    [InlineData("Tensor")]
    [InlineData("Autodiff")]
    [InlineData("Nn")]
    [InlineData("Marl")]
    [InlineData("Gpu")]
    public void TheReadmeOfAPackageShowsCodeThatIsCompiled(string package)
    {
        string readme = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "packages", $"{package}.md"));
        string snippet = Assert.Single(Snippet().Matches(readme)).Groups[1].Value;
        string file = Path.Combine(AppContext.BaseDirectory, package == "Nn" ? "Xor.cs" : "PackageExamples.cs");
        string[] code = Lines(File.ReadAllText(file));
        string[] lines = Lines(snippet);
        Assert.Subset(code.Where(IsImport).ToHashSet(), lines.Where(IsImport).ToHashSet());
        Assert.Contains(string.Join('\n', lines.Where(line => !IsImport(line))), string.Join('\n', code), StringComparison.Ordinal);
        Assert.InRange(lines.Length, 10, 30);
    }

    [Fact]
    public void TheExamplesRun()
    {
        Assert.All(Example.PackageExamples.TensorPackage(), sum => Assert.InRange(sum, 0.5f, 4f));
        Assert.All(Example.PackageExamples.AutodiffPackage(), x => Assert.Equal(1f, x, 0.01f));
        try
        {
            Assert.InRange(Example.PackageExamples.MarlPackage(), 0.9, 1.0);
        }
        finally
        {
            File.Delete("foraging.safetensors");
        }
    }

    private static bool IsImport(string line) => Import().IsMatch(line);

    /// <summary>Code without its indentation and empty lines.</summary>
    private static string[] Lines(string code) => code.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    [GeneratedRegex("```csharp\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Snippet();

    [GeneratedRegex(@"^using [A-Z][\w.]*;$")]
    private static partial Regex Import();
}
