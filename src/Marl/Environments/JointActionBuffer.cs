namespace Marl.Native.Rl;

/// <summary>A joint action that is set agent by agent.</summary>
internal sealed class JointActionBuffer(EnvironmentSpec spec)
{
    private readonly ActionLayout layout = spec.ActionLayout;
    private readonly int[] indices = new int[spec.Agents.Length * spec.ActionLayout.Branches];
    private readonly float[] vectors = new float[spec.Agents.Length * spec.ActionLayout.VectorSize];

    /// <summary>The joint action; it follows the buffer.</summary>
    public JointAction Joint => JointAction.Create(indices, layout.Branches, vectors, layout.VectorSize);

    /// <summary>Returns the choices [K] of an agent.</summary>
    public Span<int> Branches(int agent) => indices.AsSpan(agent * layout.Branches, layout.Branches);

    /// <summary>Returns the vector [D] of an agent.</summary>
    public Span<float> Vector(int agent) => vectors.AsSpan(agent * layout.VectorSize, layout.VectorSize);

    /// <summary>Sets the action of an agent to that of agent <paramref name="other"/> in <paramref name="actions"/>, which may have fewer branches and
    /// elements.</summary>
    public void Set(int agent, JointAction actions, int other)
    {
        actions.Branches(other).CopyTo(Branches(agent));
        if (actions.VectorSize > 0)
        {
            actions.Vector(other).CopyTo(Vector(agent));
        }
    }
}
