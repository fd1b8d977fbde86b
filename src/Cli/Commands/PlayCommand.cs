using System.CommandLine;
using System.Globalization;
using Marl.Native.Cli.Playing;
using Marl.Native.Nn;
using Marl.Native.Rl;
using Spectre.Console;

namespace Marl.Native.Cli.Commands;

/// <summary>marl play: shows episodes in the terminal, or writes them to files.</summary>
internal static class PlayCommand
{
    private const double DefaultSpeed = 6, MaxSpeed = 1000;

    private static bool CanDraw => Terminal.CanDraw(LiveViewer.MinWidth, LiveViewer.MinHeight);

    public static Command Create()
    {
        Argument<string> player = new("player") { Description = $"{Trained.Forms}, or {Trained.Random} for the uniformly random policy" };
        Option<string?> environment = new("--env")
        {
            HelpName = "id",
            Description = "environment, see marl list environments; by default the one trained in",
        };
        var program = CommonOptions.EnvironmentCommand();
        var episodes = CommonOptions.Integer("--episodes", "N", "number of episodes, 1 by default", minimum: 1);
        var seed = CommonOptions.Integer<ulong>("--seed", "S", "seed of the random number generators; by default the seed of the run, or 1", minimum: 0);
        var fps = Speed();
        var greedy = CommonOptions.Greedy();
        Option<bool> step = new("--step") { Description = "pause after every step until a key is pressed" };
        Option<string?> replay = new("--replay")
        {
            HelpName = "FILE.html",
            Description = "write the episodes as a web page; the terminal shows them only with --fps or --step",
        };
        Option<string?> svg = new("--svg")
        {
            HelpName = "FILE.svg",
            Description = "write the episodes as an animated SVG image; the terminal shows them only with --fps or --step",
        };
        var json = CommonOptions.Json();
        ExampledCommand command = new("play", "Watch episodes of trained agents or of the random policy.",
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
            using var signal = new StopSignal("terminated");
            (string Kind, string Path)[] files = [.. Files(("replay", parsed.GetValue(replay)), ("svg", parsed.GetValue(svg)))];
            Validate(performance, parsed.GetValue(step), files);
            bool isShown = files.Length == 0 || parsed.GetValue(fps) is not null || parsed.GetValue(step);
            var viewer = parsed.GetValue(json) ? new JsonViewer(Console.Out)
                : isShown ? Viewer(performance, parsed.GetValue(fps), parsed.GetValue(step), signal.Token)
                : null;
            signal.BeforeTermination = viewer is LiveViewer live ? live.Restore : null;
            var results = Play(performance, viewer, files, signal.Token);
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
                throw new UsageException($"option '--greedy' applies to trained agents; all actions of '{Trained.Random}' are equally probable");
            }
            var environment = choice.Create(choice.Id ?? throw new UsageException("the environment is missing: marl play random --env <id>"));
            ulong chosen = seed ?? 1;
            var randomRng = new Rng(chosen);
            return new(environment, new RandomPlayer(environment.Spec, randomRng), randomRng) { Player = player, Seed = chosen, Episodes = episodes };
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

    /// <summary>The files to write.</summary>
    private static IEnumerable<(string Kind, string Path)> Files(params (string Kind, string? Path)[] options)
        => options.Where(option => option.Path is not null).Select(option => (option.Kind, option.Path!));

    /// <summary>Checks the options before the first episode is played.</summary>
    /// <exception cref="UsageException">--step is given without a terminal, the folder of a file does not exist, or the environment has no scenes to draw.</exception>
    private static void Validate(Performance performance, bool steps, (string Kind, string Path)[] files)
    {
        if (steps && (!CanDraw || Console.IsInputRedirected))
        {
            throw new UsageException("option '--step' needs a terminal to read keys from");
        }
        foreach (var (kind, path) in files)
        {
            if (!Directory.Exists(Path.GetDirectoryName(Path.GetFullPath(path))))
            {
                throw new UsageException($"'{path}' cannot be written: its folder does not exist");
            }
            if (kind == "svg" && !performance.IsRenderable)
            {
                throw new UsageException($"'{path}' cannot be written: {performance.Spec.Id} has no scenes to draw");
            }
        }
    }

    /// <summary>Creates the live view if the output is a terminal and the environment has scenes to draw; otherwise the plain view, which keeps the pace only in a
    /// terminal and with --fps or --step.</summary>
    private static IViewer Viewer(Performance performance, double? fps, bool steps, CancellationToken stop)
    {
        var pace = new Pace(fps ?? DefaultSpeed, steps, stop);
        return CanDraw && performance.IsRenderable ? new LiveViewer(AnsiConsole.Console, pace)
            : new PlainViewer(Console.Out, CanDraw && (steps || fps is not null) ? pace : null);
    }

    /// <summary>Plays the episodes, shows them in the viewer, if any, and writes the files.</summary>
    /// <returns>The last frame of every episode.</returns>
    private static List<Frame> Play(Performance performance, IViewer? viewer, (string Kind, string Path)[] files, CancellationToken stop)
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
            viewer.Show(performance, frames);
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
                && speed is > 0 and <= MaxSpeed)
            {
                return speed;
            }
            given.AddError(FormattableString.Invariant($"option '--fps' cannot be '{word}'; a positive number up to {MaxSpeed} is required"));
            return null;
        },
    };
}
