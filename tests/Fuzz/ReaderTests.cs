using Marl.Native.Bench.Reliability;
using Xunit.Abstractions;

namespace Marl.Native.Tests.Fuzz;

/// <summary>Damaged files give documented exceptions of one line, and need little time and memory. <c>eng/fuzz</c> does the same for hours.</summary>
[Collection(nameof(Alone))]
public sealed class ReaderTests(ITestOutputHelper output) : IDisposable
{
    private const int Seconds = 3;

    private readonly DirectoryInfo folder = Fuzzer.CreateFolder();

    public static TheoryData<string> Readers
    {
        get
        {
            var folder = Fuzzer.CreateFolder();
            try
            {
                return new(FileReader.All(folder.FullName).Select(reader => reader.Name));
            }
            finally
            {
                folder.Delete(recursive: true);
            }
        }
    }

    public void Dispose() => folder.Delete(recursive: true);

    [Theory]
    [MemberData(nameof(Readers))]
    public void ADamagedFileIsRefusedOrRead(string name)
    {
        var reader = Find(name);
        foreach (byte[] sample in reader.Samples)
        {
            Assert.Equal((null, true), Fuzzer.Check(reader, sample));
        }
        var report = Fuzzer.Run(reader, seed: 1, TimeSpan.FromSeconds(Seconds));
        output.WriteLine($"{name}: {report.Cases} cases, {report.Accepted} read, {report.Cases - report.Accepted} refused");
        Assert.Empty(report.Findings.Select(finding => $"{finding.Problem}\n{Convert.ToBase64String(finding.Content)}"));
        Assert.True(report.Cases > report.Accepted, "no file was refused");
    }

    /// <summary>What campaigns found.</summary>
    [Fact]
    public void EveryFileOfTheCorpusIsRefusedOrRead()
    {
        string corpus = Path.Combine(AppContext.BaseDirectory, "Fuzz", "corpus");
        string[] files = Directory.GetFiles(corpus, "*", SearchOption.AllDirectories);
        Assert.NotEmpty(files);
        var readers = FileReader.All(folder.FullName).ToDictionary(reader => reader.Name);
        Assert.Empty(from file in files
                     let problem = Fuzzer.Check(readers[Path.GetFileName(Path.GetDirectoryName(file)!)], File.ReadAllBytes(file)).Problem
                     where problem is not null
                     select $"{file}: {problem}");
        output.WriteLine($"{files.Length} files");
    }

    private FileReader Find(string name) => FileReader.All(folder.FullName).Single(reader => reader.Name == name);
}
