using BenchmarkDotNet.Running;
using Marl.Native.Bench;
using Marl.Native.Rl;

switch (args)
{
    case ["peak", ..]:
        Console.WriteLine($"{FmaPeak.Measure() / 1e9:F1} GFLOP/s");
        return 0;
    case ["environments", .. var ids]:
        try
        {
            EnvironmentSteps.Print(ids);
            return 0;
        }
        catch (UsageException error)
        {
            Console.Error.WriteLine(error.Message);
            return 2;
        }
    default:
        BenchmarkSwitcher.FromAssembly(typeof(FmaPeak).Assembly).Run(args);
        return 0;
}
