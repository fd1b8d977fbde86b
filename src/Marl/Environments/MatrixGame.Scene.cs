using System.Globalization;

namespace Marl.Native.Rl;

/// <content>The scene: the payoff matrix, with a row for each action of agent 0 and a column for each joint action of the other agents. Headers name the actions;
/// the agents are at their chosen actions, and the payoff of the joint action is the target.</content>
public sealed partial class MatrixGame : IRenderable
{
    /// <summary>The size of the largest matrix that has a scene.</summary>
    private const int MaxRows = 40, MaxColumns = 40;

    private bool IsCommon => Spec.Reward == RewardMode.Mean;

    /// <inheritdoc/>
    public Scene? Render()
    {
        var agents = Spec.Agents;
        int rows = agents[0].ActionCount, columns = agents.Skip(1).Aggregate(1, (count, agent) => count * agent.ActionCount), top = Math.Max(1, agents.Length - 1);
        if (rows > MaxRows || columns > MaxColumns)
        {
            return null;
        }
        List<Sprite> sprites = [];
        for (int cell = 0; cell < rows * columns; cell++)
        {
            sprites.Add(new(SceneRole.Floor, top + cell / columns, 1 + cell % columns) { Label = Payoff(cell) });
        }
        for (int row = 0; row < rows; row++)
        {
            sprites.Add(new(SceneRole.Item, top + row, 0) { Label = Text(row) });
        }
        for (int agent = 1; agent < agents.Length; agent++)
        {
            for (int column = 0; column < columns; column++)
            {
                sprites.Add(new(SceneRole.Item, agent - 1, 1 + column) { Label = Text(ActionOf(agent, column)) });
            }
        }
        if (State(MatrixGameRules.ChosenElement) - 1 is >= 0 and var joint)
        {
            int row = joint / columns, column = joint % columns;
            sprites.Add(new(SceneRole.Target, top + row, 1 + column) { Label = Payoff(joint) });
            sprites.Add(new(SceneRole.Agent, top + row, 0) { Agent = 0, Label = Text(row) });
            for (int agent = 1; agent < agents.Length; agent++)
            {
                sprites.Add(new(SceneRole.Agent, agent - 1, 1 + column) { Agent = agent, Label = Text(ActionOf(agent, joint)) });
            }
        }
        return new GridScene(top + rows, 1 + columns, sprites);
    }

    /// <inheritdoc/>
    public string RoleName(SceneRole role) => role switch
    {
        SceneRole.Floor => IsCommon ? "payoff" : "payoffs (one per agent)",
        SceneRole.Item => "action",
        SceneRole.Target => "payoff of the joint action",
        _ => "agent (number: action)",
    };

    /// <summary>Returns the payoff of a joint action: one number if it is common, otherwise one per agent.</summary>
    private string Payoff(int cell) => string.Join(", ", IsCommon ? [Text(PayoffOf(0, cell))] : Spec.Agents.Select((_, agent) => Text(PayoffOf(agent, cell))));

    /// <summary>Returns the action of an agent in a joint action, which is a row-major index over the agents.</summary>
    private int ActionOf(int agent, int joint)
    {
        for (int other = Spec.Agents.Length - 1; other > agent; other--)
        {
            joint /= Spec.Agents[other].ActionCount;
        }
        return joint % Spec.Agents[agent].ActionCount;
    }

    private static string Text(double number) => number.ToString("0.####", CultureInfo.InvariantCulture);
}
