using System.Globalization;
using Marl.Native.Bench.Compare;
using Marl.Native.Rl;

namespace Marl.Native.Bench.Reliability;

/// <summary><c>bench fuzz</c>: damaged files for every reader, for as long as is asked. What must not happen is stored as a file of the tests' corpus.</summary>
internal static class FuzzCommand
{
    /// <summary>Runs the campaign and prints a row for each reader.</summary>
    /// <returns>0, or 1 if there is a finding.</returns>
    /// <exception cref="UsageException">An unknown option.</exception>
    public static int Run(string[] args)
    {
        var (minutes, seed, only) = (1.0, 1UL, (string?)null);
        for (int i = 0; i < args.Length; i += 2)
        {
            string value = i + 1 < args.Length ? args[i + 1] : throw new UsageException($"'{args[i]}' needs a value");
            switch (args[i])
            {
                case "--minutes" when double.TryParse(value, CultureInfo.InvariantCulture, out minutes):
                case "--seed" when ulong.TryParse(value, out seed):
                    break;
                case "--reader":
                    only = value;
                    break;
                default:
                    throw new UsageException("fuzz [--minutes N] [--seed S] [--reader name]");
            }
        }
        var temporary = Fuzzer.CreateFolder();
        try
        {
            FileReader[] readers = [.. FileReader.All(temporary.FullName).Where(reader => only is null || reader.Name == only)];
            Console.WriteLine($"{"reader",-16}{"cases",12}{"read",12}{"refused",12}{"findings",12}");
            int findings = 0;
            foreach (var reader in readers)
            {
                var report = Fuzzer.Run(reader, seed, TimeSpan.FromMinutes(minutes / readers.Length));
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"{report.Reader,-16}{report.Cases,12:N0}{report.Accepted,12:N0}{report.Cases - report.Accepted,12:N0}{report.Findings.Count,12}"));
                foreach (var (problem, content) in report.Findings)
                {
                    string corpus = Path.Combine(Repository.Root, "tests", "Fuzz", "corpus", report.Reader);
                    Directory.CreateDirectory(corpus);
                    string file = Path.Combine(corpus, Fuzzer.NameOf(content));
                    File.WriteAllBytes(file, content);
                    Console.WriteLine($"  {file}: {problem}");
                }
                findings += report.Findings.Count;
            }
            return findings == 0 ? 0 : 1;
        }
        finally
        {
            temporary.Delete(recursive: true);
        }
    }
}
