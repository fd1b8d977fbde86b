using System.CommandLine;
using Marl.Native.Rl;

namespace Marl.Native.Cli.Commands;

/// <summary>marl list: what there is to choose from.</summary>
internal static class ListCommand
{
    public static Command Create()
    {
        Argument<string?> algorithm = new("algorithm") { Arity = ArgumentArity.ZeroOrOne, Description = "the algorithm; left out: only the options of training" };
        Option<string?> environment = new("--env") { HelpName = "id", Description = "the environment: defaults are those that were published for it" };
        ExampledCommand algorithms = new("algorithms", "List the algorithms.", "marl list algorithms");
        ExampledCommand environments = new("environments", "List the environments, the forms of their ids and their sizes.", "marl list environments");
        ExampledCommand parts = new("parts", "List mixers, networks, explorations and optimizers, for options that are one of them.", "marl list parts");
        ExampledCommand options = new("options", "List the options for --set, their defaults and what they mean.",
            "marl list options qmix",
            "marl list options ippo --env lbf:8x8-2p-2f-coop")
        {
            algorithm, environment,
        };
        algorithms.SetAction(_ => Print(Algorithms()));
        environments.Aliases.Add("envs");
        environments.SetAction(_ => Print(EnvironmentFamilies()));
        parts.SetAction(_ => Print(Parts()));
        options.SetAction(parsed => Print(Options(parsed.GetValue(algorithm), parsed.GetValue(environment))));
        ExampledCommand command = new("list", "List algorithms, environments, parts and options.", "marl list", "marl list options qmix --env lbf:8x8-2p-2f-coop")
        {
            algorithms, environments, parts, options,
        };
        command.SetAction(_ => Print(Overview()));
        return command;
    }

    /// <summary>Algorithms, an environment of each family, and what to do with them.</summary>
    private static IEnumerable<string> Overview() =>
    [
        "algorithms", .. Algorithms(), "",
        "environments, one of each family",
        .. Columns(Catalog.Environments.Select(family => (family.Examples.FirstOrDefault() ?? family.Pattern.Split('[')[0], family.Description.Split(';')[0]))), "",
        "next",
        .. Columns(
        [
            ("marl train ia2c --env lbf:8x8-2p-2f-coop --set agent=mlp hidden=64 learningRate=0.001", "train and watch the learning curve"),
            ("marl play RUN", "watch the trained agents"),
            ("marl list environments", "all environments, the forms of their ids and their sizes"),
            ("marl list options ALGORITHM", "options for --set, their defaults and what they mean"),
            ("marl list parts", "mixers, networks, explorations and optimizers"),
        ]),
    ];

    private static IEnumerable<string> Algorithms()
        => Columns(Catalog.Algorithms.Select(algorithm => (algorithm.Name, algorithm.Description)));

    private static IEnumerable<string> Parts()
    {
        int width = Catalog.ListParts().Max(part => part.Name.Length);
        return Columns(Catalog.ListParts().Select(part => (part.Kind, $"{part.Name.PadRight(width)}  {Documentation.Of(part.Options)}".TrimEnd())));
    }

    /// <summary>Every family, and under it the sizes of its examples: "8/10" where some agents see 8 numbers and others 10, "box 5" where an action is 5 numbers.</summary>
    private static IEnumerable<string> EnvironmentFamilies()
    {
        int width = Catalog.EnvironmentIds.Max(id => id.Length);
        return Catalog.Environments.SelectMany(family => family.Examples.Select(Sizes).Prepend($"  {family.Pattern}: {family.Description}"))
            .Prepend(Row("", "agents", "teams", "observation", "actions", "state", "steps"));

        string Sizes(string id)
        {
            var spec = Catalog.CreateEnvironment(id).Spec;
            return Row(id, $"{spec.Agents.Length}", $"{spec.Teams.Length}", Each(agent => agent.ObservationSize), (spec.IsContinuous ? "box " : "") + Each(agent => agent.ActionCount),
                $"{spec.StateSize}", $"{spec.EpisodeLimit}");

            string Each(Func<AgentSpec, int> size) => string.Join('/', spec.Agents.Select(size).Distinct());
        }

        string Row(string id, string agents, string teams, string observation, string actions, string state, string steps)
            => $"    {id.PadRight(width)} {agents,6} {teams,5} {observation,11} {actions,7} {state,5} {steps,5}";
    }

    private static IEnumerable<string> Options(string? algorithm, string? environment)
    {
        if (algorithm is null)
        {
            return ["options of training", .. Table(RunConfiguration.Of(new IqlOptions(), "", presets: false).ListTraining()), "",
                "options of an algorithm: marl list options ALGORITHM"];
        }
        var defaults = RunConfiguration.Of(algorithm, environment ?? "");
        return [$"options of {algorithm}", .. Table(defaults.ListOptions()), "", "options of training", .. Table(defaults.ListTraining())];

        IEnumerable<string> Table(IEnumerable<OptionListing> options)
        {
            OptionListing[] all = [.. options];
            int width = all.Max(option => option.Value.Length);
            return Columns(all.Select(option => (option.Name, $"{option.Value.PadRight(width)}  {Words(option)}{Documentation.Of(option.Member)}".TrimEnd())));
        }

        string Words(OptionListing option) => option.AllowedValues.Count == 0 ? "" : $"{string.Join(" | ", option.AllowedValues)}. ";
    }

    private static IEnumerable<string> Columns(IEnumerable<(string Left, string Right)> rows)
    {
        (string Left, string Right)[] all = [.. rows];
        int width = all.Max(row => row.Left.Length);
        return all.Select(row => $"  {row.Left.PadRight(width)}  {row.Right}");
    }

    private static int Print(IEnumerable<string> lines)
    {
        foreach (string line in lines)
        {
            Console.Out.WriteLine(line);
        }
        return ExitCode.Success;
    }
}
