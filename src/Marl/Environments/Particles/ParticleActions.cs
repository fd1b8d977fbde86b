namespace Marl.Native.Rl;

/// <summary>Converts discrete actions to action vectors, with a 1 at the move and a 1 at the symbol, and action vectors to forces and messages.</summary>
internal static class ParticleActions
{
    /// <summary>The number of moves: none, two along x and two along y.</summary>
    public const int Moves = 5;

    /// <summary>Writes the vector of a discrete action: a move, a symbol, or move + 5 symbol.</summary>
    /// <param name="agent">The agent.</param>
    /// <param name="action">The action, 0 .. <see cref="ParticleAgent.ActionCount"/> - 1.</param>
    /// <param name="vector">[<see cref="ParticleAgent.VectorSize"/>] Receives the vector.</param>
    public static void Expand(ParticleAgent agent, int action, Span<float> vector)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)action, (uint)agent.ActionCount, nameof(action));
        vector.Clear();
        if (agent.Body.Movable && agent.Symbols > 0)
        {
            vector[action % Moves] = 1;
            vector[Moves + action / Moves] = 1;
        }
        else
        {
            vector[action] = 1;
        }
    }

    /// <summary>Returns the force of an action vector, 1 for a full action; the weight of the move "none" is ignored.</summary>
    public static Vector2d Control(ReadOnlySpan<float> vector, ParticleRules rules)
    {
        float first = Weight(vector[1], rules), second = Weight(vector[2], rules);
        float third = Weight(vector[3], rules), fourth = Weight(vector[4], rules);
        return rules.Original ? new(first - second, third - fourth) : new(second - first, fourth - third);
    }

    /// <summary>Returns a weight clipped to 0 .. 1, or the weight itself under the original rules.</summary>
    public static float Weight(float weight, ParticleRules rules) => rules.Original ? weight : Math.Clamp(weight, 0, 1);
}
