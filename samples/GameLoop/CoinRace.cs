using Marl.Native;
using Marl.Native.Rl;

namespace GameLoop;

/// <summary>The game: two players in a square compete for a coin. It does not use environments: it passes observations to the policies and executes their actions.</summary>
public sealed class CoinRace(params Policy[] players)
{
    private readonly (float X, float Y)[] places = [(0.1f, 0.1f), (0.9f, 0.9f)];
    private readonly float[] observation = new float[2];
    private readonly int[] action = new int[1];
    private (float X, float Y) coin = (0.5f, 0.5f);
    private Rng rng = new(1);

    /// <summary>The number of coins of each player.</summary>
    public int[] Coins { get; } = new int[2];

    /// <summary>Runs one tick: each player observes, acts and moves. It allocates nothing.</summary>
    public void Tick()
    {
        for (int player = 0; player < players.Length; player++)
        {
            ref var place = ref places[player];
            Seeker.Observe(place, coin, observation);
            players[player].Act(observation, available: [], action, ref rng);
            place = Seeker.Move(place, action[0]);
            if (Seeker.Distance(place, coin) < Seeker.Reach)
            {
                Coins[player]++;
                coin = (rng.NextSingle(), rng.NextSingle());
            }
        }
    }
}

/// <summary>The environment of the training: one agent moves to a goal. Training and game share the observations and the rules of motion.</summary>
public sealed class Seeker : IEnvironment
{
    /// <summary>The distance at which the goal is reached.</summary>
    public const float Reach = 0.05f;

    private const float Speed = 0.03f;
    private const int Limit = 60;
    private (float X, float Y) place, goal;
    private int time;

    /// <inheritdoc/>
    public EnvironmentSpec Spec { get; } = EnvironmentSpec.Uniform("seeker", agents: 1, observationSize: 2, actionCount: 5, Limit, snapshotSize: 5);

    /// <summary>Writes the observation: the goal relative to the position.</summary>
    public static void Observe((float X, float Y) place, (float X, float Y) goal, Span<float> observation)
        => (observation[0], observation[1]) = (4f * (goal.X - place.X), 4f * (goal.Y - place.Y));

    /// <summary>Returns the next position. Actions: 0 stay, 1 right, 2 left, 3 up, 4 down.</summary>
    public static (float X, float Y) Move((float X, float Y) place, int action) => (
        Math.Clamp(place.X + (action == 1 ? Speed : action == 2 ? -Speed : 0f), 0f, 1f),
        Math.Clamp(place.Y + (action == 3 ? Speed : action == 4 ? -Speed : 0f), 0f, 1f));

    /// <summary>Returns the Euclidean distance.</summary>
    public static float Distance((float X, float Y) a, (float X, float Y) b) => MathF.Sqrt((a.X - b.X) * (a.X - b.X) + (a.Y - b.Y) * (a.Y - b.Y));

    /// <inheritdoc/>
    public void Reset(ref Rng rng) => (place, goal, time) = ((rng.NextSingle(), rng.NextSingle()), (rng.NextSingle(), rng.NextSingle()), 0);

    /// <inheritdoc/>
    public void Observe(int agent, Span<float> observation) => Observe(place, goal, observation);

    /// <inheritdoc/>
    public StepResult Step(JointAction actions, Span<double> rewards, ref Rng rng)
    {
        float before = Distance(place, goal);
        place = Move(place, actions[0]);
        float after = Distance(place, goal);
        rewards[0] = 10 * (before - after); // progress
        return after < Reach ? StepResult.Terminated : ++time == Limit ? StepResult.Truncated : StepResult.Running;
    }

    /// <inheritdoc/>
    public void Save(Span<double> s) => (s[0], s[1], s[2], s[3], s[4]) = (place.X, place.Y, goal.X, goal.Y, time);

    /// <inheritdoc/>
    public void Restore(ReadOnlySpan<double> s) => (place, goal, time) = (((float)s[0], (float)s[1]), ((float)s[2], (float)s[3]), (int)s[4]);
}
