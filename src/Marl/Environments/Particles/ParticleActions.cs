namespace Marl.Native.Rl;

/// <summary>What actions mean: an index stands for the vector with a one at its move and a one at its symbol, and a vector stands for a
/// force and a message.</summary>
internal static class ParticleActions
{
    /// <summary>Nothing, then two opposite moves along x, then two along y.</summary>
    public const int Moves = 5;

    /// <summary>Writes the vector of a discrete action: a move, a symbol, or move + 5 symbol.</summary>
    /// <param name="agent">who acts.</param>
    /// <param name="action">0 .. Actions - 1.</param>
    /// <param name="vector">[VectorSize].</param>
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

    /// <summary>The force that <paramref name="vector"/> asks for, in full actions; its first weight means nothing.</summary>
    public static Vector2d Control(ReadOnlySpan<float> vector, ParticleRules rules)
    {
        float first = Weight(vector[1], rules), second = Weight(vector[2], rules);
        float third = Weight(vector[3], rules), fourth = Weight(vector[4], rules);
        return rules.Original ? new(first - second, third - fourth) : new(second - first, fourth - third);
    }

    /// <summary>A weight as it counts: the revision clips to 0..1.</summary>
    public static float Weight(float weight, ParticleRules rules) => rules.Original ? weight : Math.Clamp(weight, 0, 1);
}
