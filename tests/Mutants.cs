using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Text.Json;
using Marl.Native.Rl;
using Xunit.Abstractions;
using Xunit.Sdk;

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
        "TrainingTests.PendingUpdates", ".CriticTests.", ".ImportanceTests.", ".MaddpgLossTests.", ".ReturnNormalizationTests.", ".RewardModelTests.",
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
    /// <param name="args">The report, and the file of results.</param>
    /// <returns>0: all are tested; 3: a mutant has timed out, and this process cannot go on: start it again.</returns>
    public static int Main(string[] args)
    {
        var mutants = Read(args[0]);
        var control = Control ?? throw new InvalidOperationException("the assembly has no mutants");
        var (active, capture) = (control.GetField("ActiveMutant")!, control.GetField("CaptureCoverage")!);
        active.SetValue(null, -1);
        var suite = new Suite();
        Dictionary<int, List<ITestCase>> reached = [];
        Dictionary<ITestCase, TimeSpan> durations = [];
        // Without a mutant first: statics are initialized as they should be.
        foreach (var test in suite.Cases)
        {
            control.GetMethod("ResetCoverage")!.Invoke(null, null);
            capture.SetValue(null, true);
            long start = Stopwatch.GetTimestamp();
            if (suite.Run([test]) is { } broken)
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
        var done = Results(args[1]);
        foreach (var mutant in mutants.Where(mutant => !done.ContainsKey(mutant.Id)))
        {
            ITestCase[] tests = reached.TryGetValue(mutant.Id, out var found) ? [.. found.OrderBy(test => durations[test])] : [];
            string? killer = null;
            // A mutant that ends the process is killed.
            Record("Killed", "the process ended");
            active.SetValue(null, mutant.Id);
            var work = Task.Run(() => killer = suite.Run(tests));
            bool ended = work.Wait(3 * tests.Aggregate(TimeSpan.Zero, (sum, test) => sum + durations[test]) + Patience);
            active.SetValue(null, -1);
            Record(!ended ? "Timeout" : killer is null ? "Survived" : "Killed", killer ?? $"{tests.Length} tests");
            if (!ended)
            {
                return 3;
            }

            void Record(string status, string test) => File.AppendAllText(args[1], $"{mutant.Id} {status} {test}\n");
        }
        Print(mutants, Results(args[1]));
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

    /// <summary>The selected tests of this assembly.</summary>
    private sealed class Suite
    {
        private readonly ITestFrameworkExecutor executor;

        public Suite()
        {
            var assembly = Assembly.GetExecutingAssembly();
            var framework = new XunitTestFramework(new Sink(_ => true));
            executor = framework.GetExecutor(assembly.GetName());
            List<ITestCase> cases = [];
            using var sink = new Sink(message =>
            {
                if (message is ITestCaseDiscoveryMessage { TestCase: { DisplayName: var name } test } && selected.Any(name.Contains) && !slow.Any(name.Contains))
                {
                    cases.Add(test);
                }
                return true;
            });
            framework.GetDiscoverer(Reflector.Wrap(assembly)).Find(includeSourceInformation: false, sink, new Options());
            sink.Wait();
            Cases = cases;
        }

        public IReadOnlyList<ITestCase> Cases { get; }

        /// <summary>Runs tests until one fails, whose name is returned.</summary>
        public string? Run(IReadOnlyList<ITestCase> tests)
        {
            for (int i = 0; i < tests.Count; i += 16)
            {
                string? failed = null;
                using var sink = new Sink(message =>
                {
                    failed ??= message is ITestFailed { Test.DisplayName: var name } ? name : null;
                    return failed is null;
                });
                executor.RunTests(tests.Skip(i).Take(16), sink, new Options());
                sink.Wait();
                if (failed is not null)
                {
                    return failed;
                }
            }
            return null;
        }
    }

    private sealed class Sink(Func<IMessageSinkMessage, bool> receive) : LongLivedMarshalByRefObject, IMessageSink, IDisposable
    {
        private readonly ManualResetEventSlim finished = new();

        public bool OnMessage(IMessageSinkMessage message)
        {
            bool goesOn = receive(message);
            if (message is IDiscoveryCompleteMessage or ITestAssemblyFinished)
            {
                finished.Set();
            }
            return goesOn;
        }

        public void Wait() => finished.Wait();

        public void Dispose() => finished.Dispose();
    }

    private sealed class Options : ITestFrameworkDiscoveryOptions, ITestFrameworkExecutionOptions
    {
        private readonly Dictionary<string, object?> values = new()
        {
            ["xunit.execution.DisableParallelization"] = true,
            ["xunit.execution.SynchronousMessageReporting"] = true,
        };

        public TValue GetValue<TValue>(string name) => values.TryGetValue(name, out object? value) ? (TValue)value! : default!;

        public void SetValue<TValue>(string name, TValue value) => values[name] = value;
    }
}
