using Marl.Native.Bench;
using Marl.Native.Bench.Compare;
using Marl.Native.Bench.House;
using Marl.Native.Bench.Kernels;
using Marl.Native.Bench.Ladders;
using Marl.Native.Bench.Reliability;
using Marl.Native.Bench.Results;
using Marl.Native.Rl;

(string Name, Func<string[], int> Run)[] commands =
[
    ("kernels", KernelCommand.Run),
    ("ladder", LadderCommand.Run),
    ("inlining", Inlining.Run),
    ("compare", args => Comparison.Run(args)),
    ("environments", EnvironmentSteps.Run),
    ("results", ResultsCommand.Run),
    ("house", HouseCommand.Run),
    ("fuzz", FuzzCommand.Run),
    ("faults", SavingFaults.Run),
    ("peak", _ => Peak()),
    ("gpu", Marl.Native.Bench.Gpu.GpuTable.Run),
    ("gpu-count", Marl.Native.Bench.Gpu.GpuCount.Run),
];
try
{
    string there = $"the commands are {string.Join(", ", commands.Select(command => command.Name))}";
    string name = args.Length > 0 ? args[0] : throw new UsageException($"a command is needed; {there}");
    var run = Array.Find(commands, command => command.Name == name).Run ?? throw new UsageException($"unknown command '{name}'; {there}");
    return run(args[1..]);
}
catch (UsageException e)
{
    Console.Error.WriteLine($"bench: {e.Message}");
    return 2;
}

static int Peak()
{
    Console.WriteLine($"{FmaPeak.Measure() / 1e9:F1} GFLOP/s");
    return 0;
}
