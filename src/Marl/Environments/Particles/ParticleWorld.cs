namespace Marl.Native.Rl;

/// <summary>
/// The physics of the particle environments (Mordatch and Abbeel 2018; Lowe et al. 2017): discs of mass 1 in the plane with control forces, damping and soft
/// contacts, in double precision and in the originals' order of operations. Bodies are the agents, then the landmarks, which do not move.
/// </summary>
internal sealed class ParticleWorld
{
    private const double TimeStep = 0.1, Damping = 0.25, ContactForce = 100, ContactMargin = 0.001;

    private readonly ParticleBody[] bodies;
    private readonly Vector2d[] positions, velocities, forces;
    private readonly (int First, int Second)[] contacts;
    private readonly bool velocityFirst;

    /// <summary>Creates a world whose bodies are at rest at the origin.</summary>
    /// <param name="agents">[A] The agents.</param>
    /// <param name="landmarks">[L] The landmarks.</param>
    /// <param name="velocityFirst">Whether to integrate v, then x with the new v; otherwise x with the old v, then v.</param>
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

    /// <summary>A, the number of agents.</summary>
    public int Agents { get; }

    /// <summary>L, the number of landmarks.</summary>
    public int Landmarks { get; }

    /// <summary>[A + L] The positions of the agents, then of the landmarks.</summary>
    public Span<Vector2d> Positions => positions;

    /// <summary>[A] The velocities of the agents.</summary>
    public Span<Vector2d> Velocities => velocities;

    /// <summary>Returns the position of a landmark.</summary>
    public Vector2d Landmark(int landmark) => positions[Agents + landmark];

    /// <summary>Returns the index of a landmark among the bodies.</summary>
    public int BodyOf(int landmark) => Agents + landmark;

    /// <summary>Returns the distance of the centers of two bodies.</summary>
    public double Distance(int body, int other) => (positions[body] - positions[other]).Length;

    /// <summary>Returns whether two bodies overlap.</summary>
    public bool Overlap(int body, int other) => Distance(body, other) < bodies[body].Size + bodies[other].Size;

    /// <summary>Advances the world by 0.1 units of time.</summary>
    /// <param name="controls">[A] The control forces of the agents, 1 for a full action.</param>
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

    /// <summary>Returns the contact force on the first of two bodies: 100 k log(1 + exp(-(d - m) / k)) along the line between them, with k = 0.001. The force
    /// on the second body is the opposite.</summary>
    /// <param name="apart">The vector from the second to the first body; its length is d. The force is 0 if d = 0, where the originals divide 0 by 0.</param>
    /// <param name="touching">m, the distance at which the bodies touch.</param>
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

    /// <summary>Returns log(1 + e^x) without overflow and without loss of small values.</summary>
    private static double Softplus(double x)
    {
        const double underflow = -746; // e^x is rounded to 0 below
        if (x < underflow)
        {
            return 0;
        }

        return Math.Max(x, 0) + LogOfOnePlus(Math.Exp(-Math.Abs(x)));
    }

    /// <summary>Returns log(1 + y) for y in 0 .. 1: the logarithm of the rounded sum, corrected for the rounding (Kahan).</summary>
    private static double LogOfOnePlus(double y)
    {
        double sum = 1 + y;
        return sum == 1 ? y : Math.Log(sum) * (y / (sum - 1));
    }
}
