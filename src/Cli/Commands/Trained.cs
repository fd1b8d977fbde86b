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
    /// <param name="greedy">whether they do what is likeliest, see <see cref="Policy.AsGreedy"/>.</param>
    /// <param name="choice">What the user says of the environment.</param>
    /// <exception cref="UsageException">there are none.</exception>
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
            using var trainer = Trainer.Resume(folder, () => choice.Create(folder.ReadConfiguration().Environment), threads: 1);
            return new(trainer.Policy, trainer.Configuration.Training.Seed);
        }
        return new(Policy.Load(path), 1);
    }

    /// <summary>The environment that the user chose, or that of the training.</summary>
    /// <exception cref="UsageException">there is none, or these agents cannot act in it.</exception>
    public IEnvironment CreateEnvironment(EnvironmentChoice choice)
    {
        var environment = choice.Create(choice.Id ?? Policy.Description.Environment);
        RequireFit(environment);
        return environment;
    }

    /// <summary>Refuses an environment.</summary>
    /// <exception cref="UsageException">these agents cannot act in it.</exception>
    public void RequireFit(IEnvironment environment)
    {
        if (!Policy.IsCompatibleWith(environment))
        {
            throw new UsageException($"a policy for {Policy.Description} cannot act in {environment.Spec.Id}: its agents see or do something else");
        }
    }
}
