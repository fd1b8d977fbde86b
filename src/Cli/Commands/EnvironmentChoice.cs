using Marl.Native.Rl;

namespace Marl.Native.Cli.Commands;

/// <summary>What the user says of the environment. A program is started only if the user names it on the command line: not because a policy, a run or a configuration names it.</summary>
/// <param name="Id">The environment's id; null: that of the run, the policy or the configuration.</param>
/// <param name="Program">The command that may be started; null: none.</param>
internal sealed record EnvironmentChoice(string? Id, string? Program)
{
    /// <summary>From --env and --env-cmd.</summary>
    /// <exception cref="UsageException">They name two environments.</exception>
    public static EnvironmentChoice Of(string? id, string? command) => (id, command) switch
    {
        (_, null) => new(id, id is null ? null : ExternalEnvironment.CommandOf(id)),
        (null, _) => new(ExternalEnvironment.IdPrefix + command, CommandOf(command)),
        // The opponents of a trained policy, in the program that it was trained in.
        _ when id.StartsWith("against:", StringComparison.Ordinal) => new(id, CommandOf(command)),
        _ => throw new UsageException("options '--env' and '--env-cmd' name two environments; give one"),
    };

    // Without the time limit that may follow the command.
    private static string? CommandOf(string command) => ExternalEnvironment.CommandOf(ExternalEnvironment.IdPrefix + command);

    /// <summary>Creates the environment of an id.</summary>
    /// <exception cref="UsageException">There is none, or it would start a program that the user has not named.</exception>
    public IEnvironment Create(string id) => Catalog.CreateEnvironment(id, Program);
}
