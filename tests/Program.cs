using System.Reflection;

namespace Marl.Native.Tests;

/// <summary>What this assembly does as a program: it is the one program of a folder that needs no .NET (eng/gpu-check.sh), and it tests mutants.</summary>
public static class Program
{
    /// <summary>
    /// <c>tests DEVICE NAME ..</c> runs the tests of a device whose names contain one of the names; <c>marl ..</c> and <c>bench ..</c> are those commands;
    /// <c>mutants REPORT RESULTS</c> is called by eng/mutation.
    /// </summary>
    public static int Main(string[] args) => args switch
    {
        ["tests", var device, .. var names] => new TestSuite(name => name.Contains($"\"{device}\"", StringComparison.Ordinal) && names.Any(name.Contains)).RunAndPrint(),
        ["marl", .. var rest] => Call("marl", rest),
        ["bench", .. var rest] => Call("Marl.Native.Bench", rest),
        ["mutants", var report, var results] => Mutants.Run(report, results),
        _ => Usage(),
    };

    private static int Call(string program, string[] args) => (int)Assembly.Load(program).EntryPoint!.Invoke(null, [args])!;

    private static int Usage()
    {
        Console.Error.WriteLine("tests DEVICE NAME .. | marl .. | bench .. | mutants REPORT RESULTS");
        return 2;
    }
}
