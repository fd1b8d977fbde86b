using Marl.Native.Tests.External;

namespace Marl.Native.Tests.Cli;

/// <summary>--env-cmd from outside: a program trains, is evaluated and resumed like any environment, and what happens to it costs nothing.</summary>
public sealed class EnvironmentCommandTests : IDisposable
{
    private const int Interrupt = 2, Terminate = 15, Continue = 18, Stop = 19;

    private static readonly string[] Settings =
    [
        "--steps", "600", "--threads", "1", "--json", "--set", "hidden=8", "environments=2", "batchSize=4", "evaluationInterval=150",
        "evaluationEpisodes=4", "--out",
    ];

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [PythonFact]
    public void AProgramThatFailsIsNamedAndTheRunGoesOnAsIfNothingHadHappened()
    {
        // Fails when it has counted as many steps as the file says, and takes the file away.
        File.WriteAllText(folder["fragile.py"], """
            import os, sys
            sys.path.insert(0, sys.argv[1])
            from marl_env import serve
            from rendezvous import Rendezvous
            class Fragile(Rendezvous):
                count = 0
                def step(self, actions):
                    self.count += 1
                    if os.path.exists("fuse") and self.count == int(open("fuse").read()):
                        os.remove("fuse")
                        raise RuntimeError("the fuse has blown")
                    return super().step(actions)
            serve(Fragile(), episode_limit=10)
            """);
        string program = $"python3 fragile.py '{Python.Folder}'";
        string[] train = ["train", "vdn", "--env-cmd", program, .. Settings];
        var whole = MarlProcess.Run(folder.Path, [.. train, "whole"]).HasSucceeded();
        Assert.True((long)whole.Summary["updates"]! > 0);
        File.WriteAllText(folder["fuse"], "170");
        var failed = MarlProcess.Run(folder.Path, [.. train, "failed"]);
        Assert.Equal(1, failed.Code);
        Assert.Contains("RuntimeError: the fuse has blown\n", failed.Error, StringComparison.Ordinal);
        Assert.Matches(@"\nmarl: environment 'cmd:python3 fragile.py '.*'' at step \d+ after the reset with seed \d+: the program ended with exit code 1; " +
            @"its last error line: RuntimeError: the fuse has blown; the run is saved at step \d+; continue with: marl resume failed --env-cmd .*\n$", failed.Error);
        Assert.False(File.Exists(folder["fuse"]));
        var resumed = MarlProcess.Run(folder.Path, "resume", "failed", "--env-cmd", program, "--json").HasSucceeded();
        Assert.Equal(whole.Sha, resumed.Sha);
        Assert.Equal(Column("whole"), Column("failed"));
        Assert.Equal((double)whole.Summary["returnMean"]!, (double)resumed.Summary["returnMean"]!, 1e-12);
        var evaluation = MarlProcess.Run(folder.Path, "eval", "failed", "--env-cmd", program, "--episodes", "4", "--json").HasSucceeded().Summary;
        Assert.Equal((double)evaluation["returnMean"]!, (double)MarlProcess.Run(folder.Path,
            "eval", "failed/policy.safetensors", "--env-cmd", Python.Rendezvous, "--episodes", "4", "--seed", "1", "--json")
            .HasSucceeded().Summary["returnMean"]!, 1e-12);

        string[] Column(string run) => [.. File.ReadLines(folder[$"{run}/metrics.csv"]).Select(line => string.Join(',', line.Split(',')[..6]))];
    }

    [PythonFact]
    public void CtrlCSavesTheRunAndEndsThePrograms()
    {
        File.WriteAllText(folder["counted.py"], """
            import os, sys
            open("processes", "a").write(f"{os.getpid()}\n")
            sys.path.insert(0, sys.argv[1])
            from marl_env import serve
            from rendezvous import Rendezvous
            serve(Rendezvous(), episode_limit=10)
            """);
        string[] train = ["train", "vdn", "--env-cmd", $"python3 counted.py '{Python.Folder}'", "--steps", "100000000", .. Settings[2..], "run"];
        using var marl = MarlProcess.Start(folder.Path, train);
        marl.ReadLine();
        marl.Send(Interrupt);
        var stopped = marl.Wait();
        Assert.Equal(128 + Interrupt, stopped.Code);
        Assert.True(File.Exists(folder["run/checkpoint.safetensors"]));
        string[] processes = File.ReadAllLines(folder["processes"]);
        Assert.Equal(2, processes.Length); // as many as there are environments, and evaluations play in them
        Assert.All(processes, process => Assert.False(Directory.Exists($"/proc/{process}"), "a program is still there"));
    }

    [Fact]
    public void ASecondCtrlCLeavesNoProgram()
    {
        // A program that does not answer, and whose child has a session of its own.
        using var script = new Script(Script.Hello, Script.Start,
            $"setsid sleep 600 & echo $$ $! > '{folder["written"]}'; mv '{folder["written"]}' '{folder["processes"]}'; wait");
        using var marl = MarlProcess.Start(folder.Path, ["train", "iql", "--env-cmd", script.Command, .. Settings[..^1], "environments=1", "--out", "run"]);
        Assert.True(SpinWait.SpinUntil(() => File.Exists(folder["processes"]), 30_000), "the program was not asked for a step");
        marl.Send(Stop);
        marl.Send(Interrupt);
        marl.Send(Terminate);
        marl.Send(Continue);
        var ended = marl.Wait();
        Assert.Contains(ended.Code, new[] { 128 + Interrupt, 128 + Terminate });
        int[] processes = [.. File.ReadAllText(folder["processes"]).Split(' ').Select(int.Parse)];
        Assert.All(processes, process => Assert.True(SpinWait.SpinUntil(() => Script.HasEnded(process), 5000), $"process {process} is still there"));
    }

    [Fact]
    public void TheAdapterIsPrinted()
        => Assert.Equal(File.ReadAllText(Path.Combine(Python.Folder, "marl_env.py")), MarlProcess.Run(folder.Path, "adapter").HasSucceeded().Output);

    [Fact]
    public void AProgramThatIsNotThereIsNamedAndLeavesNothingBehind()
    {
        MarlProcess.Run(folder.Path, "train", "vdn", "--env-cmd", "pyton3 my_env.py").HasFailed(2,
            "environment 'cmd:pyton3 my_env.py': the program 'pyton3' cannot be started: No such file or directory");
        MarlProcess.Run(folder.Path, "train", "vdn", "--env-cmd", "true").HasFailed(1,
            "environment 'cmd:true' during startup: the program ended with exit code 0");
        MarlProcess.Run(folder.Path, "train", "vdn", "--env", "two-step", "--env-cmd", "true").HasFailed(2,
            "options '--env' and '--env-cmd' both name an environment; give only one");
        Assert.Empty(folder.Files);
    }
}
