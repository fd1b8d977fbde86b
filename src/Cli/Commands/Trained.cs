using Marl.Native.Rl;

namespace Marl.Native.Cli.Commands;

/// <summary>Trained agents as a command line names them.</summary>
/// <param name="Policy">the agents.</param>
/// <param name="Seed">what they were trained with; 1 where nobody says.</param>
internal sealed record Trained(Policy Policy, ulong Seed)
{
    /// <summary>What can be named.</summary>
    public const string Forms = "a run's folder, or a policy.safetensors or checkpoint.safetensors";

    /// <summary>The name of the uniformly random policy, which is not trained.</summary>
    public const string Random = "random";

    /// <summary>Those at a path.</summary>
    /// <param name="path">one of the <see cref="Forms"/>.</param>
    /// <param name="greedy">whether they do what is likeliest, see <see cref="Policy.Greedily"/>.</param>
    /// <exception cref="UsageException">there are none.</exception>
    public static Trained Load(string path, bool greedy)
    {
        var trained = Load(path);
        return greedy ? trained with { Policy = trained.Policy.Greedily() } : trained;
    }

    private static Trained Load(string path)
    {
        if (Directory.Exists(path))
        {
            var run = new RunFolder(path);
            ulong seed = run.ReadConfiguration().Training.Seed;
            return File.Exists(run.Policy) ? new(Policy.Load(run.Policy), seed)
                : throw new UsageException($"'{path}' holds no policy yet: its run was stopped before the first checkpoint");
        }
        if (!File.Exists(path))
        {
            throw new UsageException($"there is neither a run nor a policy at '{path}'");
        }
        // A checkpoint holds a run's state, not its shape; that is in the configuration beside it.
        string full = Path.GetFullPath(path);
        var folder = new RunFolder(Path.GetDirectoryName(full)!);
        if (full == folder.Checkpoint)
        {
            using var trainer = Trainer.Resume(folder, threads: 1);
            return new(trainer.Policy, trainer.Configuration.Training.Seed);
        }
        return new(Policy.Load(path), 1);
    }

    /// <summary>The environment of an id.</summary>
    /// <exception cref="UsageException">there is none, or these agents cannot act in it.</exception>
    public IEnvironment CreateEnvironment(string id)
    {
        var environment = Catalog.CreateEnvironment(id);
        RequireFit(environment);
        return environment;
    }

    /// <summary>Refuses an environment.</summary>
    /// <exception cref="UsageException">these agents cannot act in it.</exception>
    public void RequireFit(IEnvironment environment)
    {
        if (!Policy.Fits(environment))
        {
            throw new UsageException($"a policy for {Policy.Description} cannot act in {environment.Spec.Id}: its agents see or do something else");
        }
    }
}
