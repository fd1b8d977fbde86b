using System.Reflection;
using Xunit.Abstractions;
using Xunit.Sdk;

namespace Marl.Native.Tests;

/// <summary>Tests of this assembly in this process, without a test host.</summary>
internal sealed class TestSuite
{
    private readonly ITestFrameworkExecutor executor;

    /// <summary>Finds the tests with a name that is wanted.</summary>
    public TestSuite(Func<string, bool> isWanted)
    {
        var assembly = Assembly.GetExecutingAssembly();
        var framework = new XunitTestFramework(new Sink(_ => true));
        executor = framework.GetExecutor(assembly.GetName());
        List<ITestCase> cases = [];
        using var sink = new Sink(message =>
        {
            if (message is ITestCaseDiscoveryMessage { TestCase: { } test } && isWanted(test.DisplayName))
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
    public string? FirstFailure(IReadOnlyList<ITestCase> tests)
    {
        for (int i = 0; i < tests.Count; i += 16)
        {
            string? failed = null;
            Run(tests.Skip(i).Take(16), message =>
            {
                failed ??= message is ITestFailed { Test.DisplayName: var name } ? name : null;
                return failed is null;
            });
            if (failed is not null)
            {
                return failed;
            }
        }
        return null;
    }

    /// <summary>Runs all tests, prints those that fail and the totals, and returns 0 if some ran and none failed.</summary>
    public int RunAndPrint()
    {
        int passed = 0, failed = 0, skipped = 0;
        Run(Cases, message =>
        {
            switch (message)
            {
                case ITestPassed:
                    passed++;
                    break;
                case ITestSkipped:
                    skipped++;
                    break;
                case ITestFailed failure:
                    failed++;
                    Console.WriteLine($"{failure.Test.DisplayName}: {string.Join(": ", failure.Messages)}");
                    break;
            }
            return true;
        });
        Console.WriteLine($"{passed} passed, {failed} failed, {skipped} skipped");
        return passed > 0 && failed == 0 ? 0 : 1;
    }

    private void Run(IEnumerable<ITestCase> tests, Func<IMessageSinkMessage, bool> receive)
    {
        using var sink = new Sink(receive);
        executor.RunTests(tests, sink, new Options());
        sink.Wait();
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
