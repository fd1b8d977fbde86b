using System.CommandLine;
using System.Text.Json.Nodes;
using Marl.Native.Cli.Playing;
using Marl.Native.Cli.Reporting;
using Marl.Native.Cli.Results;
using Marl.Native.Nn;
using Marl.Native.Rl;

namespace Marl.Native.Cli.Commands;

/// <summary>marl eval: evaluates trained agents or the random policy.</summary>
internal static class EvalCommand
{
    private const int DefaultEpisodes = 100;

    public static Command Create()
    {
        Argument<string> path = new("policy") { Description = $"{Trained.Forms}, or {Trained.Random} for the uniformly random policy" };
        var episodes = CommonOptions.Integer("--episodes", "N", "number of episodes, 100 by default", minimum: 1);
        Option<string?> environment = new("--env")
        {
            HelpName = "id",
            Description = "environment, see marl list environments; by default the one trained in",
        };
        var program = CommonOptions.EnvironmentCommand();
        var seed = CommonOptions.Integer<ulong>("--seed", "S",
            "seed of the random number generators; by default the seed of the run, or 1", minimum: 0);
        Option<string?> against = new("--against")
        {
            HelpName = "policy",
            Description = "policy or run that controls all teams but the first; by default the same policy controls all",
        };
        var greedy = CommonOptions.Greedy();
        var json = CommonOptions.Json();
        ExampledCommand command = new("eval", "Evaluate trained agents or the random policy: play episodes without exploration and report the mean return.",
            "marl eval runs/qmix-climbing-seed1 --episodes 1000",
            "marl eval random --env lbf:8x8-2p-2f-coop",
            "marl eval runs/rivals --against runs/response --json")
        {
            path, against, episodes, environment, program, seed, greedy, json,
        };
        command.SetAction(parsed =>
        {
            string player = parsed.GetRequiredValue(path);
            var choice = EnvironmentChoice.Of(parsed.GetValue(environment), parsed.GetValue(program));
            bool isGreedy = parsed.GetValue(greedy);
            var seedGiven = parsed.GetValue(seed);
            var (sample, chosen) = player == Trained.Random
                ? PlayRandom(choice, seedGiven, isGreedy, parsed.GetValue(against), parsed.GetValue(episodes) ?? DefaultEpisodes)
                : PlayTrained(Trained.Load(player, isGreedy, choice), parsed.GetValue(against) is { } other ? Trained.Load(other, isGreedy, choice) : null,
                    choice, seedGiven, parsed.GetValue(episodes) ?? DefaultEpisodes);
            Console.Out.WriteLine(parsed.GetValue(json) ? ToJson(sample, chosen) : ToText(sample));
            return ExitCode.Success;
        });
        return command;
    }

    private static (Sample Sample, ulong Seed) PlayRandom(EnvironmentChoice choice, ulong? seed, bool greedy, string? against, int episodes)
    {
        if (greedy || against is not null)
        {
            throw new UsageException($"option '{(greedy ? "--greedy" : "--against")}' applies to trained agents, not to '{Trained.Random}'");
        }
        string id = choice.Id ?? throw new UsageException("the environment is missing: marl eval random --env <id>");
        var environment = choice.Create(id);
        using var program = environment as IDisposable;
        var rng = new Rng(seed ?? 1);
        var player = new RandomPlayer(environment.Spec, rng);
        var recorder = new EpisodeRecorder(environment.Spec);
        var sample = Play(id, environment.Spec, episodes, rng, (int i, ref Rng environmentRng, ref Rng _) =>
        {
            var episode = new Episode(environment.Spec);
            player.Begin(i);
            recorder.Begin(environment, episode, ref environmentRng);
            do
            {
                episode.SetAction(player.Act(environment));
            }
            while (recorder.Step(ref environmentRng));
            return episode;
        });
        return (sample, seed ?? 1);
    }

    private static (Sample Sample, ulong Seed) PlayTrained(Trained trained, Trained? opponents, EnvironmentChoice choice, ulong? seed, int episodes)
    {
        string id = choice.Id ?? trained.Policy.Description.Environment;
        var environment = trained.CreateEnvironment(choice);
        using var program = environment as IDisposable;
        opponents?.RequireCompatible(environment);
        if (opponents is not null && environment.Spec.Teams.Length == 1)
        {
            throw new UsageException($"{id} has only one team; --against needs at least two");
        }
        Policy[] policies = opponents is null ? [trained.Policy] : [trained.Policy, opponents.Policy];
        ulong chosen = seed ?? trained.Seed;
        var sample = Play(id, environment.Spec, episodes, new Rng(chosen),
            (int _, ref Rng environmentRng, ref Rng actionRng) => Policy.Play(policies, environment, ref environmentRng, ref actionRng));
        return (sample, chosen);
    }

    /// <summary>Plays other episodes than the evaluations of a run with the same seed, which are numbered from 1.</summary>
    private static Sample Play(string id, EnvironmentSpec spec, int episodes, Rng rng, PlayEpisode play)
    {
        var evaluationRng = rng.Split(RngPurpose.Evaluation);
        double[] returns = new double[episodes], teams = new double[spec.Teams.Length];
        long steps = 0;
        for (int i = 0; i < episodes; i++)
        {
            var (environmentRng, actionRng) = (evaluationRng.Split(RngPurpose.Environment, i), evaluationRng.Split(RngPurpose.Exploration, i));
            var episode = play(i, ref environmentRng, ref actionRng);
            (returns[i], steps) = (episode.Return, steps + episode.Length);
            for (int team = 0; team < teams.Length; team++)
            {
                teams[team] += episode.TeamReturns[team] / episodes;
            }
        }
        return new Sample(id, episodes, new(returns), teams, (double)steps / episodes);
    }

    private static string ToText(Sample sample) => FormattableString.Invariant($"""
        environment         {Printable.Of(sample.Environment)}
        episodes            {sample.Episodes}
        return              {sample.Return.Mean:0.####} (95 % confidence interval {sample.Return.Low:0.####} to {sample.Return.High:0.####}){Text.Teams(sample.TeamMeans, Text.Number)}
        standard deviation  {sample.Return.StandardDeviation:0.####}
        minimum             {sample.Return.Min:0.####}
        maximum             {sample.Return.Max:0.####}
        length              {sample.Length:0.##} steps
        """);

    private static string ToJson(Sample sample, ulong seed) => new JsonObject
    {
        ["type"] = "evaluation",
        ["environment"] = sample.Environment,
        ["seed"] = seed,
        ["episodes"] = sample.Episodes,
        ["returnMean"] = sample.Return.Mean,
        ["teamReturnMeans"] = new JsonArray([.. sample.TeamMeans.Select(mean => (JsonNode)mean)]),
        ["returnStd"] = sample.Return.StandardDeviation,
        ["returnLow"] = sample.Return.Low,
        ["returnHigh"] = sample.Return.High,
        ["returnMin"] = sample.Return.Min,
        ["returnMax"] = sample.Return.Max,
        ["episodeLength"] = sample.Length,
    }.ToJsonString();

    /// <summary>Plays an episode.</summary>
    /// <param name="i">The index of the episode, from 0.</param>
    /// <param name="environmentRng">The random number generator of the environment.</param>
    /// <param name="actionRng">The random number generator of the agents.</param>
    private delegate Episode PlayEpisode(int i, ref Rng environmentRng, ref Rng actionRng);

    /// <summary>The results of an evaluation: returns, mean returns by team and mean episode length.</summary>
    private sealed record Sample(string Environment, int Episodes, MeanEstimate Return, double[] TeamMeans, double Length);
}
