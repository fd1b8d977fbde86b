using System.CommandLine;
using System.Text;
using Marl.Native.Rl;

namespace Marl.Native.Cli.Commands;

/// <summary>marl list: prints the available algorithms, environments, parts and options.</summary>
internal static class ListCommand
{
    public static Command Create()
    {
        Argument<string?> algorithm = new("algorithm") { Arity = ArgumentArity.ZeroOrOne, Description = "the algorithm; if omitted, only the training options are listed" };
        Option<string?> environment = new("--env") { HelpName = "id", Description = "list the defaults published for this environment" };
        ExampledCommand algorithms = new("algorithms", "List the algorithms.", "marl list algorithms");
        ExampledCommand environments = new("environments", "List the environments, their ids and their sizes.", "marl list environments");
        ExampledCommand parts = new("parts", "List the mixers, networks, explorations and optimizers that options can be set to.", "marl list parts");
        ExampledCommand options = new("options", "List the options for --set with their defaults and meanings.",
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

    /// <summary>The algorithms, an environment of each family, and commands to start with.</summary>
    private static IEnumerable<string> Overview() =>
    [
        "algorithms", .. Algorithms(), "",
        "environments (one of each family)",
        .. Columns(Catalog.Environments.Select(family => (family.Examples.FirstOrDefault() ?? family.Pattern.Split('[')[0], family.Description.Split(';')[0]))), "",
        "next",
        .. Columns(
        [
            ("marl train ia2c --env lbf:8x8-2p-2f-coop --steps 2e6 --set agent=mlp hidden=64 learningRate=0.001", "train and watch the learning curve"),
            ("marl play RUN", "watch the trained agents"),
            ("marl list environments", "all environments, their ids and their sizes"),
            ("marl list options ALGORITHM", "options for --set with their defaults and meanings"),
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

    /// <summary>Every family with the sizes of its examples: "8/10" if agents have observations of size 8 or 10, "box 5" if an action is a vector of size
    /// 5, "4,3" if it has branches of 4 and 3 choices, "4,3+2" with a vector of size 2.</summary>
    private static IEnumerable<string> EnvironmentFamilies()
    {
        int width = Catalog.EnvironmentIds.Max(id => id.Length);
        return Catalog.Environments.SelectMany(family => family.Examples.Select(Sizes).Prepend(Title(family)))
            .Prepend(Row("", "agents", "teams", "observation", "actions", "state", "steps"));

        static string Title(EnvironmentFamily family)
            => Wrapped($"  {family.Pattern}", family.Description.Length == 0 ? "" : $": {family.Description}", indent: 8);

        string Sizes(string id)
        {
            var spec = Catalog.CreateEnvironment(id).Spec;
            return Row(id, $"{spec.Agents.Length}", $"{spec.Teams.Length}", Each(agent => agent.ObservationSize), (spec.ActionLayout.Branches == 0 ? "box " : "") + Each(Actions),
                $"{spec.StateSize}", $"{spec.EpisodeLimit}");

            string Each<T>(Func<AgentSpec, T> size) => string.Join('/', spec.Agents.Select(size).Distinct());
        }

        static string Actions(AgentSpec agent)
        {
            string choices = string.Join(',', agent.Branches ?? []);
            return choices.Length == 0 ? $"{agent.ActionCount}" : agent.VectorSize > 0 ? $"{choices}+{agent.VectorSize}" : choices;
        }

        string Row(string id, string agents, string teams, string observation, string actions, string state, string steps)
            => $"    {id.PadRight(width)} {agents,6} {teams,5} {observation,11} {actions,7} {state,5} {steps,5}";
    }

    private static IEnumerable<string> Options(string? algorithm, string? environment)
    {
        if (algorithm is null)
        {
            return ["training options", .. Table(RunConfiguration.Of(new IqlOptions(), "", presets: false).ListTraining()), "",
                "options of an algorithm: marl list options ALGORITHM"];
        }
        if (environment is not null && ExternalEnvironment.CommandOf(environment) is null)
        {
            // Throws if the id is unknown. A program would have to be started.
            using var created = EnvironmentChoice.Of(environment, null).Create(environment) as IDisposable;
        }
        var defaults = RunConfiguration.Of(algorithm, environment ?? "");
        return [$"options of {algorithm}", .. Table(defaults.ListOptions()), "", "training options", .. Table(defaults.ListTraining())];

        IEnumerable<string> Table(IEnumerable<OptionListing> options)
        {
            OptionListing[] all = [.. options];
            int names = all.Max(option => option.Name.Length), values = all.Max(option => option.Value.Length);
            return all.Select(option => Wrapped($"  {option.Name.PadRight(names)}  {option.Value.PadRight(values)}  ", $"{Values(option)}{Documentation.Of(option.Member)}"));
        }

        string Values(OptionListing option) => option.AllowedValues.Count == 0 ? "" : $"{string.Join(" | ", option.AllowedValues)}. ";
    }

    private static IEnumerable<string> Columns(IEnumerable<(string Left, string Right)> rows)
    {
        (string Left, string Right)[] all = [.. rows];
        int width = all.Max(row => row.Left.Length);
        return all.Select(row => $"  {row.Left.PadRight(width)}  {row.Right}".TrimEnd());
    }

    /// <summary>Wraps a text at the width of the terminal; its further lines are indented by the length of the head. Redirected output is not wrapped.</summary>
    private static string Wrapped(string head, string text, int? indent = null)
    {
        const int minWidth = 20;
        int width = Console.IsOutputRedirected ? int.MaxValue : Console.WindowWidth, margin = indent ?? head.Length, used = head.Length;
        var line = new StringBuilder(head);
        if (width - margin < minWidth)
        {
            return line.Append(text).ToString().TrimEnd();
        }
        string gap = "";
        foreach (string word in text.Split(' '))
        {
            if (gap != "" && used + 1 + word.Length > width)
            {
                line.Append('\n').Append(' ', margin);
                (used, gap) = (margin, "");
            }
            line.Append(gap).Append(word);
            (used, gap) = (used + gap.Length + word.Length, " ");
        }
        return line.ToString().TrimEnd();
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
