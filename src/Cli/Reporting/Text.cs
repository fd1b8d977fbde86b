using System.Globalization;
using Marl.Native.Rl;

namespace Marl.Native.Cli.Reporting;

/// <summary>Runs in words, the same whatever the culture.</summary>
internal static class Text
{
    /// <summary>"qmix on lbf:8x8-2p-2f, seed 1, 200,000 steps"</summary>
    public static string Title(RunConfiguration run)
        => $"{run.Algorithm} on {run.Environment}, seed {run.Training.Seed}, {Count(run.Training.Steps)} steps";

    /// <summary>How a run ended, and where it is.</summary>
    public static IEnumerable<string> Summary(TrainingSummary summary, string folder) =>
    [
        $"{Count(summary.Steps)} steps in {Duration(summary.Seconds)}, {Count(summary.StepsPerSecond)} steps/s",
        $"return {Number(summary.ReturnMean)}, at best {Number(summary.ReturnMax)}{Teams(summary.TeamReturnMeans)}",
        $"weights sha256 {summary.WeightsSha256}",
        $"run {folder}",
    ];

    /// <summary>", by team 12.5, -3" where there are several teams, else nothing.</summary>
    public static string Teams(double[] returns) => returns.Length > 1 ? $", by team {string.Join(", ", returns.Select(Number))}" : "";

    /// <summary>"16,260"</summary>
    public static string Count(double value) => value.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>Four digits that matter: "0.9312", "12.31", "0.0001234", "1.2E+06".</summary>
    public static string Number(double value) => value.ToString("G4", CultureInfo.InvariantCulture);

    /// <summary>"1 h 02 min", "3 min 05 s", "7.2 s"</summary>
    public static string Duration(double seconds)
    {
        var time = TimeSpan.FromSeconds(seconds);
        return time.TotalHours >= 1 ? $"{(int)time.TotalHours} h {time.Minutes:00} min"
            : time.TotalMinutes >= 1 ? $"{time.Minutes} min {time.Seconds:00} s"
            : string.Create(CultureInfo.InvariantCulture, $"{seconds:0.0} s");
    }
}
