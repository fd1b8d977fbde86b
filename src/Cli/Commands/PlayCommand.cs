using System.CommandLine;
using System.Globalization;
using Marl.Native.Cli.Playing;
using Marl.Native.Nn;
using Marl.Native.Rl;
using Spectre.Console;

namespace Marl.Native.Cli.Commands;

/// <summary>marl play: episodes to look at, now or later.</summary>
internal static class PlayCommand
{
    private const double DefaultSpeed = 6, MostSpeed = 1000;

    private static bool CanDraw => Terminal.CanDraw(LiveViewer.LeastWidth, LiveViewer.LeastHeight);

    public static Command Create()
    {
        Argument<string> player = new("player") { Description = $"who acts: {Trained.Forms}; or random" };
        Option<string?> environment = new("--env")
        {
            HelpName = "id",
            Description = "what is played, see marl list environments; by default what the agents were trained in",
        };
        var program = CommonOptions.EnvironmentCommand();
        var episodes = CommonOptions.Whole("--episodes", "N", "episodes played, 1 by default", least: 1);
        var seed = CommonOptions.Whole<ulong>("--seed", "S", "what the episodes follow from; by default the run's seed, or 1", least: 0);
        var fps = Speed();
        var greedy = CommonOptions.Greedy();
        Option<bool> step = new("--step") { Description = "go on by key presses" };
        Option<string?> replay = new("--replay")
        {
            HelpName = "FILE.html",
            Description = "write a page that plays the episodes in a browser; nothing is shown here unless --fps or --step asks for it",
        };
        Option<string?> svg = new("--svg")
        {
            HelpName = "FILE.svg",
            Description = "write an animated picture of the episodes, for a README for example; nothing is shown here unless --fps or --step asks for it",
        };
        var json = CommonOptions.Json();
        ExampledCommand command = new("play", "Watch episodes of trained agents, or of the random policy.",
            "marl play runs/qmix-climbing-seed1",
            "marl play random --env rware:tiny-4ag --fps 10",
            "marl play runs/qmix-climbing-seed1 --episodes 3 --replay episodes.html")
        {
            player, environment, program, episodes, seed, greedy, fps, step, replay, svg, json,
        };
        command.SetAction(parsed =>
        {
            var choice = EnvironmentChoice.Of(parsed.GetValue(environment), parsed.GetValue(program));
            using var performance = Prepare(parsed.GetRequiredValue(player), parsed.GetValue(greedy), choice, parsed.GetValue(seed), parsed.GetValue(episodes) ?? 1);
            using var signal = new StopSignal("ended");
            (string Kind, string Path)[] files = [.. Files(("replay", parsed.GetValue(replay)), ("svg", parsed.GetValue(svg)))];
            Refuse(performance, parsed.GetValue(step), files);
            bool watched = files.Length == 0 || parsed.GetValue(fps) is not null || parsed.GetValue(step);
            var viewer = parsed.GetValue(json) ? new JsonViewer(Console.Out)
                : watched ? Viewer(performance, parsed.GetValue(fps), parsed.GetValue(step), signal.Token)
                : null;
            signal.BeforeLastWords = viewer is LiveViewer live ? live.GiveBack : null;
            var results = Watch(performance, viewer, files, signal.Token);
            Report(performance, results, files, parsed.GetValue(json));
            return signal.Token.IsCancellationRequested ? signal.ExitCode : ExitCode.Success;
        });
        return command;
    }

    private static Performance Prepare(string player, bool greedy, EnvironmentChoice choice, ulong? seed, int episodes)
    {
        if (player == Trained.Random)
        {
            if (greedy)
            {
                throw new UsageException($"option '--greedy' is for trained agents; for '{Trained.Random}' no action is likelier than another");
            }
            var environment = choice.Create(choice.Id ?? throw new UsageException("no environment is named: marl play random --env <id>"));
            ulong chosen = seed ?? 1;
            var chances = new Rng(chosen);
            return new(environment, new RandomPlayer(environment.Spec, chances), chances) { Player = player, Seed = chosen, Episodes = episodes };
        }
        var trained = Trained.Load(player, greedy, choice);
        ulong own = seed ?? trained.Seed;
        var rng = new Rng(own);
        var policy = new PolicyPlayer(trained.Policy, rng.Split(RngPurpose.Evaluation));
        return new(trained.CreateEnvironment(choice), policy, rng)
        {
            Player = player,
            Seed = own,
            Episodes = episodes,
        };
    }

    /// <summary>The files that are asked for.</summary>
    private static IEnumerable<(string Kind, string Path)> Files(params (string Kind, string? Path)[] options)
        => options.Where(option => option.Path is not null).Select(option => (option.Kind, option.Path!));

    /// <exception cref="UsageException">there is nobody to press keys, no place for a file, or nothing to draw.</exception>
    private static void Refuse(Performance performance, bool steps, (string Kind, string Path)[] files)
    {
        if (steps && (!CanDraw || Console.IsInputRedirected))
        {
            throw new UsageException("option '--step' needs a terminal, for somebody has to press the keys");
        }
        foreach (var (kind, path) in files)
        {
            if (!Directory.Exists(Path.GetDirectoryName(Path.GetFullPath(path))))
            {
                throw new UsageException($"'{path}' cannot be written: there is no such folder");
            }
            if (kind == "svg" && !performance.IsRenderable)
            {
                throw new UsageException($"'{path}' cannot be written: {performance.Spec.Id} has no picture");
            }
        }
    }

    /// <summary>A moving picture where there is something to see and somebody who sees it; else lines, in no hurry if that was asked for.
    /// </summary>
    private static IViewer Viewer(Performance performance, double? fps, bool steps, CancellationToken stop)
    {
        var pace = new Pace(fps ?? DefaultSpeed, steps, stop);
        return CanDraw && performance.IsRenderable ? new LiveViewer(AnsiConsole.Console, pace)
            : new PlainViewer(Console.Out, CanDraw && (steps || fps is not null) ? pace : null);
    }

    /// <summary>Plays for the viewer, and writes the files.</summary>
    /// <returns>the last frame of every episode.</returns>
    private static List<Frame> Watch(Performance performance, IViewer? viewer, (string Kind, string Path)[] files, CancellationToken stop)
    {
        var recording = files.Length == 0 ? null : new Recording(performance);
        List<Frame> last = [];
        var frames = performance.Play().TakeWhile(_ => !stop.IsCancellationRequested).Select(frame =>
        {
            recording?.Frames.Add(frame);
            if (frame.Step > 0)
            {
                last.RemoveAt(last.Count - 1);
            }
            last.Add(frame);
            return frame;
        });
        if (viewer is null)
        {
            foreach (var _ in frames) { }
        }
        else
        {
            viewer.Watch(performance, frames);
        }
        if (recording is { Frames.Count: > 0 })
        {
            foreach (var (kind, path) in files)
            {
                Write(path, kind == "svg" ? SceneSvg.Text(recording) : ReplayPage.Text(recording));
            }
        }
        return last;
    }

    private static void Write(string path, string text) => AtomicFile.Write(path, stream =>
    {
        using var writer = new StreamWriter(stream, leaveOpen: true);
        writer.Write(text);
    });

    private static void Report(Performance performance, List<Frame> results, (string Kind, string Path)[] files, bool asJson)
    {
        if (asJson)
        {
            Console.Out.WriteLine(FrameJson.Summary(performance, results, files));
            return;
        }
        foreach (var result in results)
        {
            Console.Out.WriteLine(FrameText.Result(performance, result));
        }
        if (results.Count > 1)
        {
            Console.Out.WriteLine($"mean return {FrameText.Amount(results.Average(result => result.Return))}");
        }
        foreach (var (kind, path) in files)
        {
            Console.Out.WriteLine($"{kind} {path}");
        }
    }

    private static Option<double?> Speed() => new("--fps")
    {
        HelpName = "F",
        Description = FormattableString.Invariant($"steps per second, {DefaultSpeed} by default"),
        CustomParser = given =>
        {
            string word = given.Tokens[0].Value;
            if (double.TryParse(word, NumberStyles.Float, CultureInfo.InvariantCulture, out double speed)
                && speed is > 0 and <= MostSpeed)
            {
                return speed;
            }
            given.AddError(FormattableString.Invariant($"option '--fps' cannot be '{word}'; a number up to {MostSpeed} is needed"));
            return null;
        },
    };
}
