using System.Runtime.Intrinsics;

namespace Marl.Native.Rl;

/// <content>What agents see. In a cell there are 32 things to see, written out once.</content>
internal sealed partial class RoboticWarehouse
{
    // [32, 8]: nothing, agent, its direction (4, one-hot), shelf, requested; the first only makes eight of seven.
    private static readonly float[] cellFeatures = CreateCellFeatures();

    /// <inheritdoc/>
    public void Observe(int agent, Span<float> observation)
    {
        ref readonly var self = ref agents[agent];
        int range = config.SensorRange, place = observation.Length;
        // A glance is stored with one float in front of it, so from back to front each covers what the one behind it wrote too much.
        for (int row = range; row >= -range; row--)
        {
            int middle = self.Cell + row * plan.Stride;
            for (int cell = middle + range; cell >= middle - range; cell--)
            {
                place -= CellSize;
                Vector256.Create(cellFeatures, 8 * cellCodes[cell]).CopyTo(observation.Slice(place - 1, 8));
            }
        }
        var own = observation[..SelfSize];
        own.Clear();
        own[0] = plan.X(self.Cell);
        own[1] = plan.Y(self.Cell);
        own[2] = self.Carried != NoShelf ? 1 : 0;
        own[3 + self.Direction] = 1;
        own[3 + Directions] = plan.Floor[self.Cell] == Ground.Highway ? 1 : 0;
    }

    private void UpdateAllCells()
    {
        for (int cell = 0; cell < cellCodes.Length; cell++)
        {
            UpdateCell(cell);
        }
    }

    /// <summary>Makes <see cref="cellCodes"/> true again where something changed.</summary>
    private void UpdateCell(int cell)
    {
        int agent = agentAt[cell], shelf = shelfAt[cell];
        cellCodes[cell] = CellCode(agent != NoAgent, agent == NoAgent ? 0 : agents[agent - 1].Direction, shelf != NoShelf, requested[shelf]);
    }

    /// <summary>The row of <see cref="cellFeatures"/> that shows this.</summary>
    private static byte CellCode(bool agent, int direction, bool shelf, bool requested)
        => (byte)(direction | (agent ? 4 : 0) | (shelf ? 8 : 0) | (requested ? 16 : 0));

    private static float[] CreateCellFeatures()
    {
        float[] table = new float[32 * 8];
        for (int glance = 0; glance < 32; glance++)
        {
            var row = table.AsSpan(8 * glance, 8);
            row[1] = glance >> 2 & 1;
            row[2 + (glance & 3)] = 1;
            row[6] = glance >> 3 & 1;
            row[7] = glance >> 4 & 1;
        }
        return table;
    }
}
