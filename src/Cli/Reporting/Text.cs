using System.Globalization;
using Marl.Native.Nn;
using Marl.Native.Rl;

namespace Marl.Native.Cli.Reporting;

/// <summary>Formats runs and numbers as text, independent of the culture.</summary>
internal static class Text
{
    private const int DaysPerYear = 365, MaxNameLength = 200;

    /// <summary>"qmix on lbf:8x8-2p-2f, seed 1, 200,000 steps"</summary>
    public static string Title(RunConfiguration run)
        => $"{run.Algorithm} on {Printable.Of(run.Environment, MaxNameLength)}, seed {run.Training.Seed}, {Count(run.Training.Steps)} steps";

    /// <summary>Says what a second Ctrl-C does.</summary>
    public const string StopAgain = "Ctrl-C again: quit without saving";

    /// <summary>Returns the lines of a summary: speed, returns, hash of the weights, folder, and the command to watch the policy.</summary>
    public static IEnumerable<string> Summary(TrainingSummary summary, string folder) =>
    [
        $"{Count(summary.Steps)} steps in {Duration(summary.Seconds)}, {Count(summary.StepsPerSecond)} steps/s",
        double.IsNaN(summary.ReturnMean) ? "not evaluated yet"
            : $"return {Number(summary.ReturnMean)}, best {Number(summary.ReturnMax)}{Teams(summary.TeamReturnMeans)}",
        $"weights sha256 {summary.WeightsSha256}",
        $"run {folder}",
        $"watch it: {Command("play", folder, summary.Environment)}",
    ];

    /// <summary>Returns a command line for the folder of a run: "marl play runs/x", with --env-cmd if the environment is an external program.</summary>
    public static string Command(string verb, string folder, string environment)
        => $"marl {verb} {Quoted(folder)}{(ExternalEnvironment.CommandOf(environment) is { } program ? $" --env-cmd {Quoted(program)}" : "")}";

    /// <summary>Quotes a text for a shell, if necessary.</summary>
    public static string Quoted(string path) => path.All(c => char.IsAsciiLetterOrDigit(c) || "/._-+=:@%".Contains(c)) ? path : $"'{path.Replace("'", @"'\''")}'";

    /// <summary>Returns ", by team 12.5, -3"; empty if there is only one team.</summary>
    public static string Teams(double[] returns) => returns.Length > 1 ? $", by team {string.Join(", ", returns.Select(Number))}" : "";

    /// <summary>Formats a count: "16,260".</summary>
    public static string Count(double value) => value.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>Formats a number with four significant digits: "0.9312", "12.31", "0.0001234", "1.2E+06". Absolute values below 1e-9 are "0".</summary>
    public static string Number(double value) => (Math.Abs(value) < 1e-9 ? 0 : value).ToString("G4", CultureInfo.InvariantCulture);

    /// <summary>Formats a duration: "over a year", "12 d 03 h", "1 h 02 min", "3 min 05 s", "7.2 s"</summary>
    public static string Duration(double seconds)
    {
        if (!(seconds < DaysPerYear * 24 * 3600.0))
        {
            return "over a year";
        }
        var time = TimeSpan.FromSeconds(seconds);
        return time.TotalDays >= 2 ? $"{time.Days} d {time.Hours:00} h"
            : time.TotalHours >= 1 ? $"{(int)time.TotalHours} h {time.Minutes:00} min"
            : time.TotalMinutes >= 1 ? $"{time.Minutes} min {time.Seconds:00} s"
            : string.Create(CultureInfo.InvariantCulture, $"{seconds:0.0} s");
    }
}
