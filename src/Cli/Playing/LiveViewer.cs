using Marl.Native.Rl;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Marl.Native.Cli.Playing;

/// <summary>For people: one picture in colors, drawn over and over.</summary>
/// <param name="console">where.</param>
/// <param name="pace">how fast.</param>
internal sealed class LiveViewer(IAnsiConsole console, Pace pace) : IViewer
{
    /// <summary>Below this size a moving picture is no use.</summary>
    public const int LeastWidth = 60, LeastHeight = 18;

    private const int ActionWidth = 16, RewardWidth = 9;

    private readonly LiveScreen screen = new(console);

    /// <inheritdoc/>
    public void Watch(Performance performance, IEnumerable<Frame> frames)
    {
        Rows? last = null;
        screen.Run(() =>
        {
            foreach (var frame in frames)
            {
                last = Picture(performance, frame);
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

    /// <inheritdoc cref="LiveScreen.GiveBack"/>
    public void GiveBack() => screen.GiveBack();

    private Rows Picture(Performance performance, Frame frame)
    {
        string episode = performance.Episodes == 1 ? "" : $", episode {frame.Episode + 1} of {performance.Episodes}";
        string title = $"{performance.Player} in {performance.Spec.Id}, seed {performance.Seed}{episode}";
        Spectre.Console.Rendering.IRenderable[] head = [new Text(title, new Style(decoration: Decoration.Bold))];
        Spectre.Console.Rendering.IRenderable[] sums = [new Text($"step {frame.Step,-5} return {FrameText.Return(frame)}")];
        Spectre.Console.Rendering.IRenderable[] agents = [.. Agents(performance, frame)], help = [.. Help(frame)];
        // The terminal's last line stays free, or it would scroll.
        int room = console.Profile.Height - head.Length - sums.Length - help.Length - 1;
        var scene = SceneText.Lines(frame.Scene, Math.Min(SceneText.MostHeight, room - agents.Length));
        // A tall grid takes the place of the agents' numbers.
        return new Rows([.. head, .. scene.Select(Line), .. sums, .. scene.Length + agents.Length <= room ? agents : [], .. help]);
    }

    private static IEnumerable<Spectre.Console.Rendering.IRenderable> Agents(Performance performance, Frame frame)
    {
        for (int agent = 0; agent < frame.Earned.Length; agent++)
        {
            string action = frame.Step == 0 ? "" : frame.Actions[agent];
            string reward = frame.Step == 0 ? "" : FrameText.Amount(frame.Rewards[agent]);
            var role = SceneRoles.OfTeam(performance.Spec.Agents[agent].Team);
            yield return new Paragraph()
                .Append($" {Performance.Name(agent)} ", Palette(role, fills: true))
                .Append($" {action.PadRight(ActionWidth)}{reward,RewardWidth}   sum {FrameText.Amount(frame.Earned[agent])}");
        }
    }

    private static IEnumerable<Spectre.Console.Rendering.IRenderable> Help(Frame frame)
    {
        if (SceneText.Legend(frame.Scene) is { } legend)
        {
            yield return new Text(legend, Color.Grey);
        }
        if (Pace.Keys is { } keys)
        {
            yield return new Text(keys, Color.Grey);
        }
    }

    private static Paragraph Line(Run[] runs)
    {
        var line = new Paragraph { Overflow = Overflow.Crop };
        foreach (var run in runs)
        {
            line.Append(run.Text, Palette(run.Role, run.Fills));
        }
        return line;
    }

    private static Style Palette(SceneRole? role, bool fills) => (role, fills) switch
    {
        (SceneRole.Agent, true) => new(Color.White, Color.DodgerBlue3, Decoration.Bold),
        (SceneRole.Rival, true) => new(Color.Black, Color.Orange1, Decoration.Bold),
        (SceneRole.Wanted, true) => new(Color.Black, Color.Gold1),
        (SceneRole.Goal, true) => new(Color.White, Color.DarkGreen),
        (SceneRole.Thing, true) => new(Color.Grey70, Color.Grey30),
        (SceneRole.Place, true) => new(Color.Grey42),
        (SceneRole.Agent, _) => new(Color.DodgerBlue1, decoration: Decoration.Bold),
        (SceneRole.Rival, _) => new(Color.Orange1, decoration: Decoration.Bold),
        (SceneRole.Wanted, _) => new(Color.Gold1),
        (SceneRole.Goal, _) => new(Color.Green3),
        (SceneRole.Shelter, _) => new(Color.DarkSeaGreen4),
        (SceneRole.Thing, _) => new(Color.Grey),
        _ => new(Color.Grey35),
    };
}
