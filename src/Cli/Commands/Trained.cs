using Marl.Native.Rl;

namespace Marl.Native.Cli.Commands;

/// <summary>A trained policy that a command line names.</summary>
/// <param name="Policy">The policy.</param>
/// <param name="Seed">The seed of its training; 1 if unknown.</param>
internal sealed record Trained(Policy Policy, ulong Seed)
{
    /// <summary>The paths that are accepted, as help lists them.</summary>
    public const string Forms = "folder of a run, policy.safetensors or checkpoint.safetensors";

    /// <summary>The name of the uniformly random policy, which is not trained.</summary>
    public const string Random = "random";

    /// <summary>Loads a policy.</summary>
    /// <param name="path">One of the <see cref="Forms"/>.</param>
    /// <param name="greedy">Whether it takes its most probable actions, see <see cref="Policy.AsGreedy"/>.</param>
    /// <param name="choice">The environment that the command line selects.</param>
    /// <exception cref="UsageException">The path contains no policy.</exception>
    public static Trained Load(string path, bool greedy, EnvironmentChoice choice)
    {
        var trained = Load(path, choice);
        return greedy ? trained with { Policy = trained.Policy.AsGreedy() } : trained;
    }

    private static Trained Load(string path, EnvironmentChoice choice)
    {
        if (Directory.Exists(path))
        {
            var run = new RunFolder(path);
            ulong seed = run.ReadConfiguration().Training.Seed;
            return File.Exists(run.Policy) ? new(Policy.Load(run.Policy), seed)
                : throw new UsageException($"'{path}' contains no policy: the run was stopped before its first checkpoint");
        }
        if (!File.Exists(path))
        {
            throw new UsageException($"'{path}' is neither a run nor a policy");
        }
        // A checkpoint contains the state of a run. The sizes of its networks follow from the configuration beside it.
        string full = Path.GetFullPath(path);
        var folder = new RunFolder(Path.GetDirectoryName(full)!);
        if (full == folder.Checkpoint)
        {
            using var trainer = Trainer.Resume(folder, () => choice.Create(folder.ReadConfiguration().Environment), threads: 1);
            return new(trainer.Policy, trainer.Configuration.Training.Seed);
        }
        return new(Policy.Load(path), 1);
    }

    /// <summary>Creates the environment that the command line selects; by default the one trained in.</summary>
    /// <exception cref="UsageException">It is unknown, or the policy cannot act in it.</exception>
    public IEnvironment CreateEnvironment(EnvironmentChoice choice)
    {
        var environment = choice.Create(choice.Id ?? Policy.Description.Environment);
        RequireCompatible(environment);
        return environment;
    }

    /// <summary>Requires that the policy can act in an environment.</summary>
    /// <exception cref="UsageException">It cannot.</exception>
    public void RequireCompatible(IEnvironment environment)
    {
        if (!Policy.IsCompatibleWith(environment))
        {
            throw new UsageException($"a policy for {Policy.Description} cannot act in {environment.Spec.Id}: the number of agents, their observations or their actions differ");
        }
    }
}
