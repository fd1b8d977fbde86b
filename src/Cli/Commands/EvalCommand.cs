using System.CommandLine;
using System.Text.Json.Nodes;
using Marl.Native.Cli.Reporting;
using Marl.Native.Rl;

namespace Marl.Native.Cli.Commands;

/// <summary>marl eval: what trained agents are worth when they explore nothing.</summary>
internal static class EvalCommand
{
    /// <summary>The 97.5 % quantile of the normal distribution: 95 % of it lie within so many standard deviations.</summary>
    private const double Quantile = 1.959964;

    public static Command Create()
    {
        Argument<string> path = new("policy") { Description = Trained.Forms };
        var episodes = Words.Whole("--episodes", "N", "episodes played, 100 by default", least: 1);
        Option<string?> environment = new("--env")
        {
            HelpName = "id",
            Description = "another environment of the same agents; by default that of the training",
        };
        var program = Words.EnvironmentCommand();
        var seed = Words.Whole<ulong>("--seed", "S",
            "what the episodes follow from; by default the run's seed, which gives those of its own evaluations", least: 0);
        Option<string?> against = new("--against")
        {
            HelpName = "policy",
            Description = "who acts for all teams but the first; by default the same agents",
        };
        var greedy = Words.Greedy();
        var json = Words.Json();
        Command command = new("eval", "Play episodes with trained agents, to see what they are worth.") { path, against, episodes, environment, program, seed, greedy, json };
        command.SetAction(parsed =>
        {
            var trained = Trained.Load(parsed.GetRequiredValue(path), parsed.GetValue(greedy));
            var opponents = parsed.GetValue(against) is { } other ? Trained.Load(other, parsed.GetValue(greedy)) : null;
            string id = Words.EnvironmentId(parsed.GetValue(environment), parsed.GetValue(program)) ?? trained.Policy.Description.Environment;
            ulong chosen = parsed.GetValue(seed) ?? trained.Seed;
            var sample = Play(trained, opponents, id, parsed.GetValue(episodes) ?? 100, new Rng(chosen));
            Console.Out.WriteLine(parsed.GetValue(json) ? ToJson(sample, id, chosen) : ToText(sample, id));
            return ExitCode.Success;
        });
        return command;
    }

    /// <summary>Their chance is that of <see cref="Trainer.Evaluate"/>: a run's own seed gives its own evaluation.
    /// </summary>
    private static Sample Play(Trained trained, Trained? opponents, string id, int episodes, Rng rng)
    {
        var environment = trained.CreateEnvironment(id);
        using var program = environment as IDisposable;
        opponents?.RequireFit(environment);
        if (opponents is not null && environment.Spec.Teams.Length == 1)
        {
            throw new UsageException($"all agents of {id} are one team; --against needs another");
        }
        Policy[] policies = opponents is null ? [trained.Policy] : [trained.Policy, opponents.Policy];
        var chances = rng.Split(RngPurpose.Evaluation);
        double[] returns = new double[episodes], teams = new double[environment.Spec.Teams.Length];
        long steps = 0;
        for (int i = 0; i < episodes; i++)
        {
            var (chance, choice) = (chances.Split(RngPurpose.Environment, i), chances.Split(RngPurpose.Exploration, i));
            var episode = Policy.Play(policies, environment, ref chance, ref choice);
            (returns[i], steps) = (episode.Return, steps + episode.Length);
            for (int team = 0; team < teams.Length; team++)
            {
                teams[team] += episode.TeamReturns[team] / episodes;
            }
        }
        double mean = returns.Average(), squares = returns.Sum(value => (value - mean) * (value - mean));
        double spread = Math.Sqrt(squares / Math.Max(1, episodes - 1));
        return new Sample(episodes, mean, teams, spread, returns.Min(), returns.Max(), (double)steps / episodes);
    }

    private static string ToText(Sample sample, string id) => FormattableString.Invariant($"""
        environment  {id}
        episodes     {sample.Episodes}
        return       {sample.Mean:0.####} (95 % interval {sample.Low:0.####} to {sample.High:0.####}){Text.Teams(sample.TeamMeans)}
        spread       {sample.StandardDeviation:0.####} (standard deviation)
        least        {sample.Min:0.####}
        greatest     {sample.Max:0.####}
        length       {sample.Length:0.##} steps
        """);

    private static string ToJson(Sample sample, string id, ulong seed) => new JsonObject
    {
        ["type"] = "evaluation",
        ["environment"] = id,
        ["seed"] = seed,
        ["episodes"] = sample.Episodes,
        ["returnMean"] = sample.Mean,
        ["teamReturnMeans"] = new JsonArray([.. sample.TeamMeans.Select(mean => (JsonNode)mean)]),
        ["returnStd"] = sample.StandardDeviation,
        ["returnLow"] = sample.Low,
        ["returnHigh"] = sample.High,
        ["returnMin"] = sample.Min,
        ["returnMax"] = sample.Max,
        ["episodeLength"] = sample.Length,
    }.ToJsonString();

    /// <summary>Returns of episodes; Low to High is the 95 % interval of their mean, by the normal approximation.</summary>
    private sealed record Sample(int Episodes, double Mean, double[] TeamMeans, double StandardDeviation, double Min, double Max, double Length)
    {
        public double Low => Mean - Quantile * StandardDeviation / Math.Sqrt(Episodes);
        public double High => Mean + Quantile * StandardDeviation / Math.Sqrt(Episodes);
    }
}
