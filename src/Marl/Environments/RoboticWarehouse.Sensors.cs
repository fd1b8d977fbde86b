using System.Runtime.Intrinsics;

namespace Marl.Native.Rl;

/// <content>Observations. A cell has one of 32 codes, whose features are computed once.</content>
internal sealed partial class RoboticWarehouse
{
    // [32, 8]: 0, agent, its direction (4, one-hot), shelf, requested. The leading 0 pads seven features to the width of a vector.
    private static readonly float[] cellFeatures = CreateCellFeatures();

    /// <inheritdoc/>
    public void Observe(int agent, Span<float> observation)
    {
        ref readonly var self = ref agents[agent];
        int range = config.SensorRange, position = observation.Length;
        // Each store writes one float before its cell; writing from back to front, the next store overwrites it.
        for (int row = range; row >= -range; row--)
        {
            int middle = self.Cell + row * plan.Stride;
            for (int cell = middle + range; cell >= middle - range; cell--)
            {
                position -= CellSize;
                Vector256.Create(cellFeatures, 8 * cellCodes[cell]).CopyTo(observation.Slice(position - 1, 8));
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

    /// <summary>Updates the element of <see cref="cellCodes"/> for a cell that changed.</summary>
    private void UpdateCell(int cell)
    {
        int agent = agentAt[cell], shelf = shelfAt[cell];
        cellCodes[cell] = CellCode(agent != NoAgent, agent == NoAgent ? 0 : agents[agent - 1].Direction, shelf != NoShelf, requested[shelf]);
    }

    /// <summary>Returns the row of <see cref="cellFeatures"/> with these features.</summary>
    private static byte CellCode(bool agent, int direction, bool shelf, bool requested)
        => (byte)(direction | (agent ? 4 : 0) | (shelf ? 8 : 0) | (requested ? 16 : 0));

    private static float[] CreateCellFeatures()
    {
        float[] table = new float[32 * 8];
        for (int code = 0; code < 32; code++)
        {
            var row = table.AsSpan(8 * code, 8);
            row[1] = code >> 2 & 1;
            row[2 + (code & 3)] = 1;
            row[6] = code >> 3 & 1;
            row[7] = code >> 4 & 1;
        }
        return table;
    }
}
