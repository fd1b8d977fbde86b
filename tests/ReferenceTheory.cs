using Xunit.Abstractions;
using Xunit.Sdk;

namespace Marl.Native.Tests;

/// <summary>The cases of one kind of reference data. What the engine cannot do yet is a case as well: it is reported as skipped,
/// by its name, and never as passed.</summary>
public interface IReferenceCases
{
    /// <summary>Every case there is, with what is missing to run it; null where nothing is.</summary>
    IEnumerable<(string Name, string? NotBuilt)> Cases { get; }
}

/// <summary>Where reference data lies.</summary>
public static class ReferenceData
{
    private static readonly string Own = Path.Combine(AppContext.BaseDirectory, "reference");

    /// <summary>A folder of cases ("envs", "learners"): under the folder named by the environment variable MARL_REFERENCE if that is set, else under the copy in this
    /// repository.</summary>
    public static string Folder(string kind)
    {
        string? root = Environment.GetEnvironmentVariable("MARL_REFERENCE");
        return Path.Combine(string.IsNullOrEmpty(root) ? Own : root, kind);
    }

    /// <summary>The files of a folder: those of <see cref="Folder"/>, and those that only this repository has.</summary>
    public static IEnumerable<string> Files(string kind, string pattern)
        => Directory.EnumerateFiles(Folder(kind), pattern).Concat(Directory.EnumerateFiles(Path.Combine(Own, kind), pattern))
            .DistinctBy(Path.GetFileName).OrderBy(Path.GetFileName, StringComparer.Ordinal);

    /// <summary>The path of a file, wherever it is.</summary>
    public static string Find(string kind, string file)
    {
        string path = Path.Combine(Folder(kind), file);
        return File.Exists(path) ? path : Path.Combine(Own, kind, file);
    }
}

/// <summary>Marks a test method that takes the name of a reference case: one test per case of <paramref name="cases"/>, which
/// implements <see cref="IReferenceCases"/> and has a constructor without parameters.</summary>
[AttributeUsage(AttributeTargets.Method)]
[XunitTestCaseDiscoverer("Marl.Native.Tests.ReferenceTheoryDiscoverer", "Marl.Native.Tests")]
public sealed class ReferenceTheoryAttribute(Type cases) : FactAttribute
{
    /// <summary>The source of the cases.</summary>
    public Type Cases { get; } = cases;
}

/// <summary>Finds the tests of a <see cref="ReferenceTheoryAttribute"/>. No case at all is a failure: a wrong folder must not
/// look like success.</summary>
public sealed class ReferenceTheoryDiscoverer(IMessageSink messages) : IXunitTestCaseDiscoverer
{
    /// <inheritdoc/>
    public IEnumerable<IXunitTestCase> Discover(
        ITestFrameworkDiscoveryOptions options, ITestMethod method, IAttributeInfo attribute)
    {
        var display = options.MethodDisplayOrDefault();
        var displayOptions = options.MethodDisplayOptionsOrDefault();
        var source = attribute.GetNamedArgument<Type>(nameof(ReferenceTheoryAttribute.Cases));
        (string Name, string? NotBuilt)[] cases;
        try
        {
            cases = [.. ((IReferenceCases)Activator.CreateInstance(source)!).Cases];
        }
        catch (Exception error)
        {
            return [new ExecutionErrorTestCase(messages, display, displayOptions, method, $"{source.Name}: {error.Message}")];
        }
        if (cases.Length == 0)
        {
            return [new ExecutionErrorTestCase(messages, display, displayOptions, method, $"{source.Name} has no cases")];
        }

        return cases.Select(IXunitTestCase (c) => c.NotBuilt is null
            ? new XunitTestCase(messages, display, displayOptions, method, [c.Name])
            : new XunitSkippedDataRowTestCase(messages, display, displayOptions, method, c.NotBuilt, [c.Name]));
    }
}
