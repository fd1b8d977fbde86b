namespace Marl.Native.Rl;

/// <summary>
/// The physics of the particle worlds (Mordatch and Abbeel 2018; Lowe et al. 2017): discs of mass 1 in the plane, driven by their own
/// forces, slowed by damping, held apart by soft contacts. All in double precision and in the originals' order of operations.
/// Bodies are the agents, then the landmarks, which stay where they are.
/// </summary>
internal sealed class ParticleWorld
{
    private const double TimeStep = 0.1, Damping = 0.25, ContactForce = 100, ContactMargin = 0.001;

    private readonly ParticleBody[] bodies;
    private readonly Vector2d[] positions, velocities, forces;
    private readonly (int First, int Second)[] contacts;
    private readonly bool velocityFirst;

    /// <summary>Sets up bodies at rest, all at the origin.</summary>
    /// <param name="agents">[A] those that may move.</param>
    /// <param name="landmarks">[L] those that never do.</param>
    /// <param name="velocityFirst">integrate v, then x with the new v; else x with the old v, then v.</param>
    public ParticleWorld(IReadOnlyList<ParticleBody> agents, IReadOnlyList<ParticleBody> landmarks, bool velocityFirst)
    {
        this.velocityFirst = velocityFirst;
        Agents = agents.Count;
        Landmarks = landmarks.Count;
        bodies = [.. agents, .. landmarks];
        positions = new Vector2d[bodies.Length];
        forces = new Vector2d[bodies.Length];
        velocities = new Vector2d[Agents];
        contacts = [.. from first in Enumerable.Range(0, Agents)
                       from second in Enumerable.Range(first + 1, bodies.Length - first - 1)
                       where bodies[first].Collides && bodies[second].Collides
                       select (first, second)];
    }

    /// <summary>A, their number.</summary>
    public int Agents { get; }

    /// <summary>L, their number.</summary>
    public int Landmarks { get; }

    /// <summary>[A + L] of the agents, then of the landmarks.</summary>
    public Span<Vector2d> Positions => positions;

    /// <summary>[A].</summary>
    public Span<Vector2d> Velocities => velocities;

    /// <summary>Where a landmark lies.</summary>
    public Vector2d Landmark(int landmark) => positions[Agents + landmark];

    /// <summary>The index of a landmark among the bodies.</summary>
    public int BodyOf(int landmark) => Agents + landmark;

    /// <summary>How far two bodies' centers are apart.</summary>
    public double Distance(int body, int other) => (positions[body] - positions[other]).Length;

    /// <summary>Do two bodies overlap?</summary>
    public bool Touch(int body, int other) => Distance(body, other) < bodies[body].Size + bodies[other].Size;

    /// <summary>Advances by 0.1 units of time.</summary>
    /// <param name="controls">[A] what the agents want, 1 for a full action.</param>
    public void Step(ReadOnlySpan<Vector2d> controls)
    {
        for (int agent = 0; agent < Agents; agent++)
        {
            forces[agent] = controls[agent] * bodies[agent].Acceleration;
        }

        foreach (var (first, second) in contacts)
        {
            var push = Contact(positions[first] - positions[second], bodies[first].Size + bodies[second].Size);
            forces[first] += push;
            forces[second] -= push;
        }
        for (int agent = 0; agent < Agents; agent++)
        {
            if (bodies[agent].Movable)
            {
                Integrate(ref positions[agent], ref velocities[agent], forces[agent], bodies[agent].MaxSpeed);
            }
        }
    }

    /// <summary>The force on the first of two bodies, the opposite of that on the second: 100 k log(1 + exp(-(d - m) / k)) along the line
    /// between them, k = 0.001. It begins softly just outside of touching.</summary>
    /// <param name="apart">from the second to the first; their distance is d. None if they lie on one point, where there is no direction
    /// (the originals divide 0 by 0).</param>
    /// <param name="touching">m, the distance at which they touch.</param>
    internal static Vector2d Contact(Vector2d apart, double touching)
    {
        double distance = apart.Length;
        double penetration = Softplus(-(distance - touching) / ContactMargin) * ContactMargin;
        return penetration == 0 || distance == 0 ? default : apart * ContactForce / distance * penetration;
    }

    private void Integrate(ref Vector2d position, ref Vector2d velocity, Vector2d force, double maxSpeed)
    {
        if (!velocityFirst)
        {
            position += velocity * TimeStep;
        }

        velocity = velocity * (1 - Damping) + force * TimeStep;
        double speed = velocity.Length;
        if (speed > maxSpeed)
        {
            velocity = velocity / speed * maxSpeed;
        }

        if (velocityFirst)
        {
            position += velocity * TimeStep;
        }
    }

    /// <summary>log(1 + e^x), without overflow above and without loss of small values below.</summary>
    private static double Softplus(double x)
    {
        const double underflow = -746; // e^x rounds to 0 from here on
        if (x < underflow)
        {
            return 0;
        }

        return Math.Max(x, 0) + LogOfOnePlus(Math.Exp(-Math.Abs(x)));
    }

    /// <summary>log(1 + y) for y in 0..1: the logarithm of the rounded sum, corrected for the rounding (Kahan).</summary>
    private static double LogOfOnePlus(double y)
    {
        double sum = 1 + y;
        return sum == 1 ? y : Math.Log(sum) * (y / (sum - 1));
    }
}
