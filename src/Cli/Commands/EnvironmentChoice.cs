using Marl.Native.Rl;

namespace Marl.Native.Cli.Commands;

/// <summary>The environment that the command line selects. A program is started only if the command line names it, never because a policy, a run or a configuration does.</summary>
/// <param name="Id">The environment id; null selects that of the run, the policy or the configuration.</param>
/// <param name="Program">The command that may be started; null if none.</param>
internal sealed record EnvironmentChoice(string? Id, string? Program)
{
    /// <summary>Creates the choice from the values of --env and --env-cmd.</summary>
    /// <exception cref="UsageException">Both name an environment.</exception>
    public static EnvironmentChoice Of(string? id, string? command) => (id, command) switch
    {
        (_, null) => new(id, id is null ? null : ExternalEnvironment.CommandOf(id)),
        (null, _) => new(ExternalEnvironment.IdPrefix + command, CommandOf(command)),
        // A fixed policy plays one team; --env-cmd is the program in which it was trained.
        _ when id.StartsWith("against:", StringComparison.Ordinal) => new(id, CommandOf(command)),
        _ => throw new UsageException("options '--env' and '--env-cmd' both name an environment; give only one"),
    };

    // Strips the time limit that may follow the command.
    private static string? CommandOf(string command) => ExternalEnvironment.CommandOf(ExternalEnvironment.IdPrefix + command);

    /// <summary>Creates the environment with an id.</summary>
    /// <exception cref="UsageException">The id is unknown, or needs a program that the command line does not name.</exception>
    public IEnvironment Create(string id) => Catalog.CreateEnvironment(id, Program);
}
