using BenchmarkDotNet.Running;
using Marl.Native.Bench;

if (args is ["peak", ..])
{
    Console.WriteLine($"{FmaPeak.Measure() / 1e9:F1} GFLOP/s");
    return 0;
}
BenchmarkSwitcher.FromAssembly(typeof(FmaPeak).Assembly).Run(args);
return 0;
