using System.Globalization;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;

namespace Marl.Native.Bench;

/// <summary>A column computed from the mean time of a case and from what its process reported.</summary>
/// <param name="name">the head of the column.</param>
/// <param name="legend">what it says, for the list under the table.</param>
/// <param name="format">of the number.</param>
/// <param name="rate">from the report and the mean time in seconds; 0 is shown as a dash.</param>
internal sealed class RateColumn(string name, string legend, string format, Func<CaseReport, double, double> rate) : IColumn
{
    /// <summary>What a kernel's table has besides times.</summary>
    public static IColumn[] All { get; } =
    [
        new RateColumn("SIMD", "widest register of the process, bits (0: scalar)", "0", (report, _) => report.Bits),
        new RateColumn("GFLOP/s", "operations of the formula per nanosecond", "0.0##",
            (report, seconds) => report.Work.Operations / seconds / 1e9),
        new RateColumn("% peak", "share of the peak of fused multiply-adds, measured in the same process", "0.0",
            (report, seconds) => 100 * report.Work.Operations / seconds / report.Peak),
        new RateColumn("GB/s", "bytes that must be read and written, per nanosecond", "0.0##",
            (report, seconds) => report.Work.Bytes / seconds / 1e9),
    ];

    /// <inheritdoc/>
    public string Id => ColumnName;

    /// <inheritdoc/>
    public string ColumnName => name;

    /// <inheritdoc/>
    public string Legend => legend;

    /// <inheritdoc/>
    public bool AlwaysShow => true;

    /// <inheritdoc/>
    public ColumnCategory Category => ColumnCategory.Metric;

    /// <inheritdoc/>
    public int PriorityInCategory => Array.IndexOf(All, this);

    /// <inheritdoc/>
    public bool IsNumeric => true;

    /// <inheritdoc/>
    public UnitType UnitType => UnitType.Dimensionless;

    /// <inheritdoc/>
    public bool IsAvailable(Summary summary) => true;

    /// <inheritdoc/>
    public bool IsDefault(Summary summary, BenchmarkCase benchmarkCase) => false;

    /// <inheritdoc/>
    public string GetValue(Summary summary, BenchmarkCase benchmarkCase)
    {
        var report = summary[benchmarkCase];
        if (report?.ResultStatistics is not { } statistics
            || CaseReport.Parse(report.ExecuteResults.SelectMany(result => result.StandardOutput)) is not { } said)
        {
            return "NA";
        }
        double value = rate(said, statistics.Mean / 1e9);
        return value == 0 && name != "SIMD" ? "-" : value.ToString(format, CultureInfo.InvariantCulture);
    }

    /// <inheritdoc/>
    public string GetValue(Summary summary, BenchmarkCase benchmarkCase, SummaryStyle style) => GetValue(summary, benchmarkCase);
}
