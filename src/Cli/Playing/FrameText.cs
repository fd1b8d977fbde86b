using System.Globalization;
using Marl.Native.Rl;

namespace Marl.Native.Cli.Playing;

/// <summary>Formats frames as text.</summary>
internal static class FrameText
{
    /// <summary>Returns the line of a frame: "step 3  A north 0  B load 0.25  return 0.25"</summary>
    public static string Line(Performance performance, Frame frame) => frame.Step == 0
        ? $"episode {frame.Episode + 1}"
        : string.Join("  ",
        [
            $"step {frame.Step}",
            .. frame.Actions.Select((action, agent) => $"{performance.NameOf(agent)} {action} {Amount(frame.Rewards[agent])}"),
            $"return {Return(frame)}",
        ]);

    /// <summary>Returns the line of an episode: "episode 1  return 0.5 after 12 steps  A 0.25  B 0.25"</summary>
    public static string Result(Performance performance, Frame last) => string.Join("  ",
    [
        $"episode {last.Episode + 1}",
        $"return {Return(last)} after {last.Step} steps{(last.Result == StepResult.Running ? ", stopped" : "")}",
        .. last.AgentReturns.Select((value, agent) => $"{performance.NameOf(agent)} {Amount(value)}"),
    ]);

    /// <summary>Returns the return: "12.5", or "12.5 (by team 20, -7.5)" with several teams.</summary>
    public static string Return(Frame frame)
    {
        string teams = frame.TeamReturns.Length > 1 ? $" (by team {string.Join(", ", frame.TeamReturns.Select(Amount))})" : "";
        return Amount(frame.Return) + teams;
    }

    /// <summary>Formats a reward or return with at most four decimals.</summary>
    public static string Amount(double value) => value.ToString("0.####", CultureInfo.InvariantCulture);
}
