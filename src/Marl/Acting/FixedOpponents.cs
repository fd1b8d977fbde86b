namespace Marl.Native.Rl;

/// <summary>
/// One team of an environment whose other teams are played by a fixed policy: training in it learns a best response to that policy. Its agents are those of the
/// team, in their order; state, time limit and rewards are those of the environment.
/// </summary>
internal class FixedOpponents : IEnvironment, IDisposable
{
    private const string Family = "against";

    private readonly IEnvironment environment;
    private readonly Policy opponents;
    private readonly int[] teamAgents;
    private readonly JointActionBuffer allActions;
    private readonly double[] allRewards;

    private FixedOpponents(string id, IEnvironment environment, Policy opponents, int team)
    {
        var spec = environment.Spec;
        int[] teams = spec.Teams;
        if (teams.Length == 1)
        {
            throw new ArgumentException($"{spec.Id} has no opponents: all agents are one team");
        }
        if (team < 0 || team >= teams.Length)
        {
            throw new ArgumentException($"{spec.Id} has no team {team}; its teams are 0 to {teams.Length - 1}");
        }
        opponents.RequireCompatible(environment);
        (this.environment, this.opponents, allActions) = (environment, opponents, new JointActionBuffer(spec));
        teamAgents = [.. Enumerable.Range(0, spec.Agents.Length).Where(agent => spec.Agents[agent].Team == teams[team])];
        allRewards = new double[spec.Agents.Length];
        Spec = spec with { Id = id, Agents = [.. teamAgents.Select(agent => spec.Agents[agent])], SnapshotSize = spec.SnapshotSize + opponents.MemorySize };
    }

    /// <inheritdoc/>
    public EnvironmentSpec Spec { get; }

    /// <summary>Creates an environment of one team of <paramref name="environment"/> against <paramref name="opponents"/>.</summary>
    /// <param name="id">The <see cref="EnvironmentSpec.Id"/>.</param>
    /// <param name="environment">The environment of all teams; disposed of with the result.</param>
    /// <param name="opponents">The policy of all other teams; it remembers its episode and must not be used elsewhere.</param>
    /// <param name="team">The index in <see cref="EnvironmentSpec.Teams"/> of the team that is not played by the policy.</param>
    /// <exception cref="ArgumentException">The environment has no such team or no other one, or the policy was trained for other agents.</exception>
    public static FixedOpponents Create(string id, IEnvironment environment, Policy opponents, int team = 0)
        => environment is IRenderable ? new Renderable(id, environment, opponents, team) : new FixedOpponents(id, environment, opponents, team);

    /// <summary>Creates the environment of an id <c>against:RUN[?team=K]</c>; null for other ids.</summary>
    /// <param name="id">The id.</param>
    /// <param name="create">Creates the environment that the policy was trained in.</param>
    internal static IEnvironment? TryCreate(EnvironmentId id, Func<EnvironmentId, IEnvironment> create)
    {
        if (id.Name != Family)
        {
            return null;
        }

        int team = id.Integer("team", min: 0) ?? 0;
        id.EnsureAllRead(hasLayout: true);
        if (id.Layout.Length == 0)
        {
            throw id.Error("the path of a run or of a policy must follow the colon");
        }

        try
        {
            var opponents = Policy.Load(PathOf(id));
            return Create(EnvironmentId.WithFullPath(id.Text), create(id.Inner(opponents.Description.Environment)), opponents, team);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or InvalidDataException or ArgumentException)
        {
            throw id.Error(error.Message);
        }
    }

    /// <summary>Returns the environment that the policy of an id <c>against:RUN</c> was trained in; null for other ids, and without a policy.</summary>
    /// <param name="text">The id.</param>
    internal static string? EnvironmentOf(string text)
    {
        if (!text.StartsWith(Family + ":", StringComparison.Ordinal))
        {
            return null;
        }
        try
        {
            return Policy.Load(PathOf(new EnvironmentId(text))).Description.Environment;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or InvalidDataException or ArgumentException or UsageException)
        {
            return null; // Creating the environment reports the problem.
        }
    }

    private static string PathOf(EnvironmentId id) => Directory.Exists(id.Layout) ? Path.Combine(id.Layout, Policy.FileName) : id.Layout;

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
        for (int agent = 0; agent < allRewards.Length; agent++)
        {
            allActions.Set(agent, theirs, agent);
        }
        for (int i = 0; i < teamAgents.Length; i++)
        {
            allActions.Set(teamAgents[i], actions, i);
        }
        var result = environment.Step(allActions.Joint, allRewards, ref rng);
        for (int i = 0; i < teamAgents.Length; i++)
        {
            rewards[i] = allRewards[teamAgents[i]];
        }
        return result;
    }

    /// <inheritdoc/>
    public void Observe(int agent, Span<float> observation) => environment.Observe(teamAgents[agent], observation);

    /// <inheritdoc/>
    public void ReadState(Span<float> state) => environment.ReadState(state);

    /// <inheritdoc/>
    public void ReadAvailable(int agent, Span<bool> available) => environment.ReadAvailable(teamAgents[agent], available);

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

    /// <summary>The same for environments that can be rendered. Agents have their index in the team; opponents have no index.</summary>
    private sealed class Renderable(string id, IEnvironment environment, Policy opponents, int team)
        : FixedOpponents(id, environment, opponents, team), IRenderable
    {
        private readonly IRenderable renderable = (IRenderable)environment;

        public Scene? Render() => renderable.Render() switch
        {
            GridScene grid => grid with { Sprites = [.. grid.Sprites.Select(sprite => sprite with { Agent = LocalIndex(sprite.Agent) })] },
            PlaneScene plane => plane with { Discs = [.. plane.Discs.Select(disc => disc with { Agent = LocalIndex(disc.Agent) })] },
            var other => other,
        };

        public string ActionName(int agent, int action) => renderable.ActionName(teamAgents[agent], action);

        public string RoleName(SceneRole role) => renderable.RoleName(role);

        private int? LocalIndex(int? agent) => agent is int number && Array.IndexOf(teamAgents, number) is >= 0 and var here ? here : null;
    }
}
