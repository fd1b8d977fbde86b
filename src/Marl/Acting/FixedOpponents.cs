namespace Marl.Native.Rl;

/// <summary>
/// One team of an environment, whose other teams a policy plays that learns no more: training in it seeks a best response to that policy. Its agents are
/// those of the team, in their order; state, time limit and rewards are the environment's.
/// </summary>
internal class FixedOpponents : IEnvironment, IDisposable
{
    private readonly IEnvironment environment;
    private readonly Policy opponents;
    private readonly int[] ours;
    private readonly int[] choices;
    private readonly float[] vectors;
    private readonly double[] earned;
    private readonly int width;

    private FixedOpponents(string id, IEnvironment environment, Policy opponents, int team)
    {
        var spec = environment.Spec;
        int[] teams = spec.Teams;
        if (teams.Length == 1)
        {
            throw new ArgumentException($"all agents of {spec.Id} are one team: there are no opponents");
        }
        if (team < 0 || team >= teams.Length)
        {
            throw new ArgumentException($"{spec.Id} has no team {team}; its teams are 0 to {teams.Length - 1}");
        }
        opponents.RequireFit(environment);
        (this.environment, this.opponents, width) = (environment, opponents, spec.ActionCount);
        ours = [.. Enumerable.Range(0, spec.Agents.Length).Where(agent => spec.Agents[agent].Team == teams[team])];
        choices = new int[spec.Agents.Length];
        vectors = spec.IsContinuous ? new float[choices.Length * width] : [];
        earned = new double[choices.Length];
        Spec = spec with { Id = id, Agents = [.. ours.Select(agent => spec.Agents[agent])], SnapshotSize = spec.SnapshotSize + opponents.MemorySize };
    }

    /// <inheritdoc/>
    public EnvironmentSpec Spec { get; }

    /// <summary>A team of <paramref name="environment"/> against <paramref name="opponents"/>.</summary>
    /// <param name="id">what <see cref="EnvironmentSpec.Id"/> shall be.</param>
    /// <param name="environment">where they meet; it is disposed of with this one.</param>
    /// <param name="opponents">act for all other teams; they remember their own past, so no other environment may have the same.</param>
    /// <param name="team">whose part is left to play: 0 is the first of <see cref="EnvironmentSpec.Teams"/>.</param>
    /// <exception cref="ArgumentException">the environment has no such team or no other one, or the policy was trained for other agents.</exception>
    public static FixedOpponents Create(string id, IEnvironment environment, Policy opponents, int team = 0)
        => environment is IRenderable ? new Pictured(id, environment, opponents, team) : new FixedOpponents(id, environment, opponents, team);

    /// <param name="id">the id.</param>
    /// <param name="create">makes the environment that the policy was trained in.</param>
    internal static IEnvironment? TryCreate(EnvironmentId id, Func<string, IEnvironment> create)
    {
        if (id.Name != "against")
        {
            return null;
        }

        int team = id.Integer("team", min: 0) ?? 0;
        id.EnsureAllRead(hasLayout: true);
        if (id.Layout.Length == 0)
        {
            throw id.Error("the path of a run or of a policy must stand after the colon");
        }

        string path = Directory.Exists(id.Layout) ? Path.Combine(id.Layout, Policy.FileName) : id.Layout;
        try
        {
            var opponents = Policy.Load(path);
            return Create(id.Text, create(opponents.Description.Environment), opponents, team);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or InvalidDataException or ArgumentException)
        {
            throw id.Error(error.Message);
        }
    }

    /// <inheritdoc/>
    public void Reset(ref Rng rng)
    {
        environment.Reset(ref rng);
        opponents.Begin(ref rng);
    }

    /// <inheritdoc/>
    public StepResult Step(JointAction actions, Span<double> rewards, ref Rng rng)
    {
        var theirs = opponents.Act(environment, ref rng);
        for (int agent = 0; agent < choices.Length; agent++)
        {
            SetAction(agent, theirs, agent);
        }
        for (int i = 0; i < ours.Length; i++)
        {
            SetAction(ours[i], actions, i);
        }
        var result = environment.Step(vectors.Length == 0 ? choices : JointAction.Create(vectors, width), earned, ref rng);
        for (int i = 0; i < ours.Length; i++)
        {
            rewards[i] = earned[ours[i]];
        }
        return result;
    }

    /// <inheritdoc/>
    public void Observe(int agent, Span<float> observation) => environment.Observe(ours[agent], observation);

    /// <inheritdoc/>
    public void ReadState(Span<float> state) => environment.ReadState(state);

    /// <inheritdoc/>
    public void ReadAvailable(int agent, Span<bool> available) => environment.ReadAvailable(ours[agent], available);

    /// <inheritdoc/>
    public void Save(Span<double> snapshot)
    {
        int own = environment.Spec.SnapshotSize;
        environment.Save(snapshot[..own]);
        opponents.SaveMemory(snapshot[own..]);
    }

    /// <inheritdoc/>
    public void Restore(ReadOnlySpan<double> snapshot)
    {
        int own = environment.Spec.SnapshotSize;
        environment.Restore(snapshot[..own]);
        opponents.RestoreMemory(snapshot[own..]);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        (environment as IDisposable)?.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>An agent of the environment does what another one does in a joint action.</summary>
    private void SetAction(int agent, JointAction actions, int other)
    {
        if (vectors.Length == 0)
        {
            choices[agent] = actions[other];
            return;
        }
        actions.Vector(other).CopyTo(vectors.AsSpan(agent * width));
    }

    /// <summary>One of an environment that can be seen. Agents have the numbers that they have here; opponents have none.</summary>
    private sealed class Pictured(string id, IEnvironment environment, Policy opponents, int team) : FixedOpponents(id, environment, opponents, team), IRenderable
    {
        private readonly IRenderable pictured = (IRenderable)environment;

        public Scene? Render() => pictured.Render() switch
        {
            GridScene grid => grid with { Sprites = [.. grid.Sprites.Select(sprite => sprite with { Agent = Here(sprite.Agent) })] },
            PlaneScene plane => plane with { Discs = [.. plane.Discs.Select(disc => disc with { Agent = Here(disc.Agent) })] },
            var other => other,
        };

        public string ActionName(int agent, int action) => pictured.ActionName(ours[agent], action);

        public string RoleName(SceneRole role) => pictured.RoleName(role);

        private int? Here(int? agent) => agent is int number && Array.IndexOf(ours, number) is >= 0 and var here ? here : null;
    }
}
