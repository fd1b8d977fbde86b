using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Text.Json;
using Marl.Native.Rl;
using Xunit.Abstractions;

namespace Marl.Native.Tests;

/// <summary>
/// Mutation testing in one process, for <c>eng/mutation</c>. Stryker.NET compiles all mutants of a library into one assembly, with a field that says which of
/// them is active. Here the field is set to each in turn, and the tests that reach the mutant run until one fails. A new process for each mutant would take most
/// of the time.
/// </summary>
public static class Mutants
{
    /// <summary>A mutant has timed out if its tests take this long beyond three times their own duration.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>Tests of the values that are learned; those that play or train for seconds are left out.</summary>
    private static readonly string[] selected =
    [
        "Reference.", "FixedPointTests.ATerminal", "FixedPointTests.E", "FixedPointTests.O", "FixedPointTests.Re", ".TargetsTests.", ".StabilityTests.",
        ".SegmentTests.", ".LearningTests.", ".AlgorithmTests.", ".OptionTests.", ".PolicyGradientTests.", ".DifferenceRewardsTests.", ".IgmTests.",
        ".VdacTests.", ".JoinedLinearTests.", ".ColumnTests.", ".ShardCutTests.", ".MaddpgTests.", "TrainingTests.LearningThatIsStopped",
        "TrainingTests.PendingUpdates", "TrainingTests.AResumedRunEnds", ".CriticTests.", ".ImportanceTests.", ".MaddpgLossTests.", ".ReturnNormalizationTests.", ".RewardModelTests.",
        ".MetaGradientTests.",
    ];

    private static readonly string[] slow =
    [
        "AgentsLearnFromSegments", "ItLearnsWithAnyMixer", "ExperienceOfThePresent", "TargetsAreMaxima", "TheOnlineNetworkSelects", "OnAnyNumberOfThreads", ".Gpu.", "MaddpgTests.NumbersAreLearned",
        "MaddpgTests.ChoicesAreLearned", "MaddpgTests.TeamsOfUnlike",
    ];

    /// <summary>The class of Stryker with the active mutant; null in the original assembly.</summary>
    private static Type? Control => typeof(LearningContext).Assembly.GetTypes().SingleOrDefault(type => type.Name == "MutantControl");

    /// <summary>Tests each mutant of Stryker's report that the file of results does not have, appends "id status test" to it, and prints the scores.</summary>
    /// <param name="report">Stryker's report.</param>
    /// <param name="file">The file of results.</param>
    /// <returns>0: all are tested; 3: a mutant has timed out, and this process cannot go on: start it again.</returns>
    public static int Run(string report, string file)
    {
        var mutants = Read(report);
        var control = Control ?? throw new InvalidOperationException("the assembly has no mutants");
        var (active, capture) = (control.GetField("ActiveMutant")!, control.GetField("CaptureCoverage")!);
        active.SetValue(null, -1);
        var suite = new TestSuite(name => selected.Any(name.Contains) && !slow.Any(name.Contains));
        Dictionary<int, List<ITestCase>> reached = [];
        Dictionary<ITestCase, TimeSpan> durations = [];
        // Without a mutant first: statics are initialized as they should be.
        foreach (var test in suite.Cases)
        {
            control.GetMethod("ResetCoverage")!.Invoke(null, null);
            capture.SetValue(null, true);
            long start = Stopwatch.GetTimestamp();
            if (suite.FirstFailure([test]) is { } broken)
            {
                Console.Error.WriteLine($"{broken} fails without a mutant");
                return 1;
            }
            durations[test] = Stopwatch.GetElapsedTime(start);
            capture.SetValue(null, false);
            foreach (int mutant in ((IEnumerable<IList<int>>)control.GetMethod("GetCoverageData")!.Invoke(null, null)!).SelectMany(list => list).Distinct())
            {
                (reached.TryGetValue(mutant, out var tests) ? tests : reached[mutant] = []).Add(test);
            }
        }
        var done = Results(file);
        foreach (var mutant in mutants.Where(mutant => !done.ContainsKey(mutant.Id)))
        {
            ITestCase[] tests = reached.TryGetValue(mutant.Id, out var found) ? [.. found.OrderBy(test => durations[test])] : [];
            string? killer = null;
            // A mutant that ends the process is killed.
            Record("Killed", "the process ended");
            active.SetValue(null, mutant.Id);
            var work = Task.Run(() => killer = suite.FirstFailure(tests));
            bool ended = work.Wait(3 * tests.Aggregate(TimeSpan.Zero, (sum, test) => sum + durations[test]) + Patience);
            active.SetValue(null, -1);
            Record(!ended ? "Timeout" : killer is null ? "Survived" : "Killed", killer ?? $"{tests.Length} tests");
            if (!ended)
            {
                return 3;
            }

            void Record(string status, string test) => File.AppendAllText(file, $"{mutant.Id} {status} {test}\n");
        }
        Print(mutants, Results(file));
        return 0;
    }

    private static Mutant[] Read(string report)
    {
        using var json = JsonDocument.Parse(File.ReadAllText(report));
        return
        [
            .. from file in json.RootElement.GetProperty("files").EnumerateObject()
               from mutant in file.Value.GetProperty("mutants").EnumerateArray()
               where mutant.GetProperty("status").GetString() is not ("Ignored" or "CompileError")
               select new Mutant(int.Parse(mutant.GetProperty("id").GetString()!, CultureInfo.InvariantCulture), Path.GetFileName(file.Name),
                   mutant.GetProperty("location").GetProperty("start").GetProperty("line").GetInt32(), mutant.GetProperty("mutatorName").GetString()!,
                   mutant.GetProperty("replacement").GetString()!),
        ];
    }

    /// <summary>The last line of each mutant.</summary>
    private static Dictionary<int, string> Results(string file)
    {
        Dictionary<int, string> results = [];
        foreach (string line in File.Exists(file) ? File.ReadLines(file) : [])
        {
            string[] words = line.Split(' ', 3);
            results[int.Parse(words[0], CultureInfo.InvariantCulture)] = words[1];
        }
        return results;
    }

    private static void Print(Mutant[] mutants, Dictionary<int, string> results)
    {
        Console.WriteLine("| file | mutants | killed | timed out | survived | score |\n|---|---:|---:|---:|---:|---:|");
        foreach (var group in mutants.GroupBy(mutant => mutant.File).Select(group => (group.Key, group.ToArray())).Append(("together", mutants)))
        {
            var (name, all) = group;
            int Count(string status) => all.Count(mutant => results[mutant.Id] == status);
            double score = 100.0 * (all.Length - Count("Survived")) / all.Length;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"| {name} | {all.Length} | {Count("Killed")} | {Count("Timeout")} | {Count("Survived")} | {score:0.0} % |"));
        }
        foreach (var mutant in mutants.Where(mutant => results[mutant.Id] == "Survived"))
        {
            Console.WriteLine($"{mutant.File}:{mutant.Line}: {mutant.Kind}: {mutant.Replacement.ReplaceLineEndings(" ")}");
        }
    }

    /// <summary>A change of the source.</summary>
    private sealed record Mutant(int Id, string File, int Line, string Kind, string Replacement);
}
