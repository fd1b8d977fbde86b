namespace Marl.Native.Cli.Playing;

/// <summary>The colors of agents: six of the color-blind safe palette of Okabe and Ito ("Color Universal Design", 2008). They repeat from the seventh agent on;
/// agents also have letters.</summary>
internal static class AgentColors
{
    private static readonly (string Fill, string Ink)[] colors =
    [
        ("#0072b2", "#ffffff"), ("#d55e00", "#ffffff"), ("#009e73", "#ffffff"), ("#cc79a7", "#1f2328"), ("#56b4e9", "#1f2328"), ("#e69f00", "#1f2328"),
    ];

    /// <summary>Returns the color of an agent and the color of text on it, as #rrggbb.</summary>
    public static (string Fill, string Ink) Of(int agent) => colors[agent % colors.Length];
}
