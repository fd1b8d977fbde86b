using BenchmarkDotNet.Running;
using Marl.Native.Bench;
using Marl.Native.Bench.Compare;

if (args is ["peak", ..])
{
    Console.WriteLine($"{FmaPeak.Measure() / 1e9:F1} GFLOP/s");
    return 0;
}
if (args is ["compare", ..])
{
    return Comparison.Run(args.AsSpan(1));
}
BenchmarkSwitcher.FromAssembly(typeof(FmaPeak).Assembly).Run(args);
return 0;
