using Marl.Native;
using Marl.Native.Rl;

namespace Example;

/// <summary>Two agents on a line of five cells meet at a cell that only one of them sees.</summary>
public sealed class Rendezvous : IEnvironment
{
    private readonly int[] cell = new int[2];
    private int goal, t;

    public EnvironmentSpec Spec { get; } = EnvironmentSpec.Uniform("rendezvous", agents: 2, observationSize: 3, actionCount: 3, episodeLimit: 10, snapshotSize: 4);
    public void Reset(ref Rng rng) => (cell[0], cell[1], goal, t) = (rng.NextInt(5), rng.NextInt(5), rng.NextInt(5), 0);
    public void Observe(int agent, Span<float> o) => (o[0], o[1], o[2]) = (cell[agent], cell[1 - agent], agent == 0 ? goal : -1);
    public void Save(Span<double> s) => (s[0], s[1], s[2], s[3]) = (cell[0], cell[1], goal, t);
    public void Restore(ReadOnlySpan<double> s) => (cell[0], cell[1], goal, t) = ((int)s[0], (int)s[1], (int)s[2], (int)s[3]);
    public StepResult Step(JointAction actions, Span<double> rewards, ref Rng rng)
    {
        (cell[0], cell[1]) = (Math.Clamp(cell[0] + actions[0] - 1, 0, 4), Math.Clamp(cell[1] + actions[1] - 1, 0, 4));
        bool met = cell[0] == goal && cell[1] == goal;
        rewards.Fill(met ? 0.5 : 0);
        return met ? StepResult.Terminated : ++t == 10 ? StepResult.Truncated : StepResult.Running;
    }
}

/// <summary>The program of docs/own-environment.md.</summary>
public static class Quickstart
{
    public static double Run()
    {
        EnvironmentChecker.EnsureValid(() => new Rendezvous());
        var options = new VdnOptions { Hidden = 32, Exploration = new EpsilonGreedy { EpsilonAnneal = 10_000 } };
        var (policy, summary) = Trainer.Train(options, () => new Rendezvous(), new() { Steps = 20_000 });
        policy.Save("rendezvous.safetensors");
        Console.WriteLine($"return {summary.ReturnMean:0.00}");
        var (agents, world, rng) = (Policy.Load("rendezvous.safetensors"), new Rendezvous(), new Rng(7));
        world.Reset(ref rng);
        while (world.Step(agents.Act(world, ref rng), new double[2], ref rng) == StepResult.Running) { }
        return summary.ReturnMean;
    }
}
