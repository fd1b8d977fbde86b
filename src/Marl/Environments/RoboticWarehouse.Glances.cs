namespace Marl.Native.Rl;

/// <content>What there can be to see in a cell: 32 cases, written out once.</content>
public sealed partial class RoboticWarehouse
{
    private static readonly float[] glances = WriteGlances();

    /// <summary>[32, 8]: nothing, agent, its direction (4, one-hot), shelf, requested; the first only makes eight of seven.</summary>
    private static ReadOnlySpan<float> Glances => glances;

    /// <summary>The row of <see cref="Glances"/> that shows this.</summary>
    private static byte GlanceOf(bool agent, int direction, bool shelf, bool requested) =>
        (byte)(direction | (agent ? 4 : 0) | (shelf ? 8 : 0) | (requested ? 16 : 0));

    private static float[] WriteGlances()
    {
        var table = new float[32 * 8];
        for (int glance = 0; glance < 32; glance++)
        {
            Span<float> row = table.AsSpan(8 * glance, 8);
            row[1] = glance >> 2 & 1;
            row[2 + (glance & 3)] = 1;
            row[6] = glance >> 3 & 1;
            row[7] = glance >> 4 & 1;
        }
        return table;
    }
}
