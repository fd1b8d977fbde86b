using Marl.Native.Nn;
using Marl.Native.Rl;
using Spectre.Console;
using IRenderable = Spectre.Console.Rendering.IRenderable;

namespace Marl.Native.Cli.Playing;

/// <summary>Shows a live view of episodes in a terminal.</summary>
/// <param name="console">The terminal.</param>
/// <param name="pace">The time between frames.</param>
internal sealed class LiveViewer(IAnsiConsole console, Pace pace) : IViewer
{
    /// <summary>The minimum size of the terminal.</summary>
    public const int MinWidth = 40, MinHeight = 16;

    private const int MaxNameWidth = 12, ActionWidth = 16, RewardWidth = 8;

    private readonly LiveScreen screen = new(console);

    /// <inheritdoc/>
    public void Show(Performance performance, IEnumerable<Frame> frames)
    {
        Rows? last = null;
        screen.Run(() =>
        {
            foreach (var frame in frames)
            {
                last = Layout(performance, frame);
                screen.Draw(last);
                if (!performance.IsLast(frame) && !pace.Next())
                {
                    return;
                }
            }
        });
        if (last is not null)
        {
            console.Write(last);
        }
    }

    /// <inheritdoc cref="LiveScreen.Restore"/>
    public void Restore() => screen.Restore();

    /// <summary>Lays out a frame; every element is one line of the terminal.</summary>
    private Rows Layout(Performance performance, Frame frame)
    {
        string episode = performance.Episodes == 1 ? "" : $", episode {frame.Episode + 1} of {performance.Episodes}";
        string title = $"{performance.Player} in {Printable.Of(performance.Spec.Id, maxLength: 200)}, seed {performance.Seed}{episode}";
        int width = console.Profile.Width;
        IRenderable[] head = [Words(title, width, new Style(decoration: Decoration.Bold))];
        IRenderable[] sums = [Words($"step {frame.Step,-5} return {FrameText.Return(frame)}", width)];
        IRenderable[] agents = [.. Agents(performance, frame, width)], help = [.. Help(performance, frame, width)];
        // The last line of the terminal stays empty, because writing it would scroll.
        int room = console.Profile.Height - head.Length - sums.Length - help.Length - 1;
        var scene = SceneText.Lines(frame.Scene, Math.Min(Math.Min(SceneText.MaxHeight, width / 2), room - agents.Length));
        // The rows of the agents are left out if the grid needs their lines.
        return new Rows([.. head, .. scene.Select(Line), .. sums, .. scene.Length + agents.Length <= room ? agents : [], .. help]);
    }

    private static IEnumerable<IRenderable> Agents(Performance performance, Frame frame, int width)
    {
        string[] names = [.. Enumerable.Range(0, frame.AgentReturns.Length).Select(performance.NameOf)];
        int nameWidth = Math.Min(MaxNameWidth, names.Max(name => name.Length));
        bool named = performance.Spec.Agents.Any(agent => agent.Name is not null);
        for (int agent = 0; agent < names.Length; agent++)
        {
            string name = named ? $" {names[agent].PadRight(nameWidth)[..nameWidth]}" : "";
            string action = frame.Step == 0 ? "" : frame.Actions[agent];
            string reward = frame.Step == 0 ? "" : FrameText.Amount(frame.Rewards[agent]);
            string badge = $" {Performance.Letter(agent)} ";
            string text = $"{name} {action.PadRight(ActionWidth)[..ActionWidth]}{reward,RewardWidth}  return {FrameText.Amount(frame.AgentReturns[agent])}";
            yield return new Paragraph()
                .Append(badge, Palette(new(badge, SceneRoles.OfTeam(performance.Spec.Agents[agent].Team), Fills: true, agent)))
                .Append(Crop(text, width - badge.Length));
        }
    }

    private static IEnumerable<IRenderable> Help(Performance performance, Frame frame, int width)
        => SceneText.Wrap(SceneText.Legend(frame.Scene, performance), width).Concat(SceneText.Wrap(Pace.Keys, width))
            .Select(line => Words(line, width, Color.Grey));

    private static Text Words(string text, int width, Style? style = null) => new(Crop(text, width), style);

    private static string Crop(string text, int width) => text.Length <= width ? text : text[..Math.Max(0, width)];

    private static Paragraph Line(Run[] runs)
    {
        var line = new Paragraph { Overflow = Overflow.Crop };
        foreach (var run in runs)
        {
            line.Append(run.Text, Palette(run));
        }
        return line;
    }

    private static Style Palette(Run run)
    {
        if (run.Agent is int agent)
        {
            var (fill, ink) = AgentColors.Of(agent);
            var decoration = Decoration.Bold | (run is { Role: SceneRole.Opponent, Fills: true } ? Decoration.Underline : Decoration.None);
            return run.Fills ? new(Color.FromHex(ink), Color.FromHex(fill), decoration) : new(Color.FromHex(fill), decoration: decoration);
        }
        return (run.Role, run.Fills) switch
        {
            (SceneRole.Target, true) => new(Color.Black, Color.Gold1),
            (SceneRole.Goal, true) => new(Color.White, Color.DarkGreen),
            (SceneRole.Item, true) => new(Color.Grey70, Color.Grey30),
            (SceneRole.Floor, true) => new(Color.Grey70),
            (SceneRole.Target, _) => new(Color.Gold1),
            (SceneRole.Goal, _) => new(Color.Green3),
            (SceneRole.Shelter, _) => new(Color.DarkSeaGreen4),
            (SceneRole.Item, _) => new(Color.Grey),
            _ => new(Color.Grey35),
        };
    }
}
