namespace Marl.Native.Rl;

/// <summary>
/// A recorded episode: the columns of its schema, in memory that grows with its steps. Rows 0 .. Length hold observations, states and available actions, rows
/// 0 .. Length - 1 actions and rewards; row Length of the actions is the bootstrap action, if the learner requests it
/// (<see cref="ILearner.NeedsBootstrapAction"/>). An <see cref="EpisodeRecorder"/> writes it.
/// </summary>
/// <example>
/// Records an episode in which all agents take their first action:
/// <code>
/// var environment = Catalog.CreateEnvironment("two-step");
/// var (recorder, episode, rng) = (new EpisodeRecorder(environment.Spec), new Episode(environment.Spec), new Rng(1));
/// recorder.Begin(environment, episode, ref rng);
/// do
/// {
///     episode.SetAction(new int[episode.Agents]);
/// }
/// while (recorder.Step(ref rng));
/// Console.WriteLine($"{episode.Length} steps, return {episode.Return}");
/// </code>
/// </example>
public sealed class Episode
{
    /// <summary>The initial capacity in rows.</summary>
    private const int InitialRows = 16;

    private readonly EnvironmentSpec spec;
    private readonly ActionLayout layout;
    private readonly List<ColumnData> columns = [];
    private readonly ColumnData<float> observations, states, probabilities, rewards, fingerprint;
    private readonly ColumnData<float>? continuous;
    private readonly ColumnData<bool> available;
    private readonly ColumnData<int> actions;
    private ColumnData<int>? members;
    private ColumnData<bool>? ends;
    private int capacity, length;

    /// <summary>Creates an empty episode.</summary>
    /// <param name="spec">The specification of the environment.</param>
    /// <param name="rewardStreams">R, the number of reward streams; by default that of the environment's reward mode.</param>
    /// <param name="columns">Additional columns.</param>
    public Episode(EnvironmentSpec spec, int? rewardStreams = null, params IEnumerable<Column> columns)
        : this(new Schema(spec, rewardStreams ?? RewardMode.Natural.Streams(spec), columns))
    {
    }

    internal Episode(Schema schema)
    {
        spec = schema.Spec;
        layout = spec.ActionLayout;
        (Agents, ObservationSize, ActionCount, StateSize) = (spec.Agents.Length, spec.ObservationSize, layout.Size, spec.StateSize);
        RewardStreams = schema.RewardStreams;
        TeamReturns = new double[spec.Teams.Length];
        capacity = (int)Math.Min(InitialRows, spec.EpisodeLimit + 1L);
        foreach (var column in schema.Stored)
        {
            Add(column);
        }
        (observations, states, available, actions) = (Floats(Column.Observations), Floats(Column.States), Bools(Column.Available), Ints(Column.Actions));
        (probabilities, rewards, fingerprint) = (Floats(Column.Probabilities), Floats(Column.Rewards), Floats(Column.Fingerprint));
        continuous = (ColumnData<float>?)Find(Column.ContinuousActions);
    }

    /// <summary>N, the number of agents.</summary>
    public int Agents { get; }

    /// <summary>O, the length of the longest observation.</summary>
    public int ObservationSize { get; }

    /// <summary>A, the size of <see cref="EnvironmentSpec.ActionLayout"/>.</summary>
    public int ActionCount { get; }

    /// <summary>S, the length of the state.</summary>
    public int StateSize { get; }

    /// <summary>R, the number of reward streams: 1 for a common reward of all agents, N if each agent has its own or its team's reward.</summary>
    public int RewardStreams { get; }

    /// <summary>The number of rows before the last one; the number of steps of a complete episode. The setter ensures the capacity.</summary>
    public int Length
    {
        get => length;
        set
        {
            Reserve(checked(value + 1));
            length = value;
        }
    }

    /// <summary>The number of transitions: all rows except for the last one, and for the last rows of episodes that ended within a segment.</summary>
    public int Steps => length - InnerEnds;

    /// <summary>Whether the episode terminated; otherwise it was truncated, and its last state has a value.</summary>
    public bool Terminated { get; set; }

    /// <summary>The training progress when the episode was played.</summary>
    public Fingerprint Fingerprint
    {
        get => new(fingerprint.All[0], fingerprint.All[1]);
        set => (fingerprint.All[0], fingerprint.All[1]) = (value.Progress, value.Exploration);
    }

    /// <summary>[teams, in the order of <see cref="EnvironmentSpec.Teams"/>] The return of each team: the sum of the rewards of its agents, or of their mean
    /// with <see cref="RewardMode.Mean"/>. For a segment the sum over all episodes that ended in it, from their first steps.</summary>
    public double[] TeamReturns { get; }

    /// <summary>The sum of all teams' returns.</summary>
    public double Return => TeamReturns.Sum();

    /// <summary>[Length + 1, N, O] The observations.</summary>
    public Span<float> Observations => observations.Rows(length + 1);

    /// <summary>[Length + 1, S] The states.</summary>
    public Span<float> States => states.Rows(length + 1);

    /// <summary>[Length + 1, N, A] Which actions were available.</summary>
    public Span<bool> Available => available.Rows(length + 1);

    /// <summary>[Length + 1, N] The indices of discrete actions, or [Length + 1, N, K] those of K branches; 0 if actions are continuous.</summary>
    public Span<int> Actions => actions.Rows(length + 1);

    /// <summary>[Length + 1, N] The probability of each action under the behavior policy.</summary>
    public Span<float> Probabilities => probabilities.Rows(length + 1);

    /// <summary>[Length, R] The rewards.</summary>
    public Span<float> Rewards => rewards.Rows(length);

    /// <summary>[N] The ensemble member of each agent; empty without ensembles.</summary>
    public Span<int> Members => members is null ? [] : members.All;

    /// <summary>Returns all rows of a column with float elements.</summary>
    /// <exception cref="ArgumentException">The episode has no such column, or its elements have another type.</exception>
    public Span<float> this[Column column] => Floats(column).Rows(RowsOf(column));

    /// <summary>The number of choices of the largest branch; 1 if actions are continuous.</summary>
    internal int ActionLimit => Math.Max(1, layout.BranchSize);

    /// <summary>The columns.</summary>
    internal IReadOnlyList<ColumnData> Stored => columns;

    /// <summary>The maximum number of steps of a complete episode.</summary>
    internal int Limit => spec.EpisodeLimit;

    /// <summary>The device memory that has a copy of the episode in its <see cref="Slot"/>; null if there is none.</summary>
    internal EpisodeMemory? Memory { get; set; }

    /// <summary>The index of the episode in <see cref="Memory"/>.</summary>
    internal int Slot { get; set; }

    /// <summary>The number of episodes that ended in it: 1 for an episode, any number for a segment.</summary>
    internal int EndedEpisodes { get; set; } = 1;

    /// <summary>The number of steps of the episodes that ended in it, from their first steps.</summary>
    internal int EndedSteps { get => ends is null ? length : field; set; }

    /// <summary>The number of rows of a segment, except for its last one, that are the last row of an episode.</summary>
    internal int InnerEnds { get; set; }

    /// <summary>Returns an agent's observation in a row [O].</summary>
    public Span<float> Observation(int row, int agent) => observations.All.Slice((row * Agents + agent) * ObservationSize, ObservationSize);

    /// <summary>Returns the state in a row [S].</summary>
    public Span<float> State(int row) => states.Row(row);

    /// <summary>Returns which actions were available to an agent in a row [A], in the <see cref="EnvironmentSpec.ActionLayout"/>.</summary>
    public Span<bool> AvailableActions(int row, int agent) => available.All.Slice((row * Agents + agent) * ActionCount, ActionCount);

    /// <summary>Returns the indices of all agents' discrete actions in a row [N], or [N, K] those of all branches.</summary>
    public Span<int> ActionsAt(int row) => actions.Row(row);

    /// <summary>Returns the choices of an agent in all branches in a row [K].</summary>
    internal Span<int> BranchesAt(int row, int agent) => layout.Branches == 0 ? [] : actions.Row(row).Slice(agent * layout.Branches, layout.Branches);

    /// <summary>Returns an agent's continuous action in a row [D].</summary>
    public Span<float> ContinuousAction(int row, int agent) => continuous!.All.Slice((row * Agents + agent) * layout.VectorSize, layout.VectorSize);

    /// <summary>Returns the probabilities of all agents' actions in a row [N].</summary>
    internal Span<float> ProbabilitiesAt(int row) => probabilities.Row(row);

    /// <summary>Returns the rewards of the step from a row [R].</summary>
    internal Span<float> RewardsAt(int row) => rewards.Row(row);

    /// <summary>Returns the joint action in a row.</summary>
    public JointAction JointAction(int row) => Rl.JointAction.Create(layout.Branches == 0 ? [] : ActionsAt(row), layout.Branches,
        continuous is null ? [] : continuous.Row(row), layout.VectorSize);

    /// <summary>Adds a column; has no effect if the episode has it.</summary>
    public void Add(Column column)
    {
        if (Find(column) is not null)
        {
            return;
        }
        var data = ColumnData.Create(column, column.RowShape(spec, RewardStreams).Count, capacity);
        columns.Add(data);
        members = column == Column.Members ? (ColumnData<int>)data : members;
        ends = column == Segment.Ends ? (ColumnData<bool>)data : ends;
    }

    /// <summary>Samples the ensemble member of each agent for this episode (Lowe et al. 2017, section 4.3).</summary>
    /// <param name="count">K, the size of the ensembles; has no effect if it is 1.</param>
    /// <param name="rng">The random number generator.</param>
    public void AssignMembers(int count, ref Rng rng)
    {
        if (count == 1)
        {
            return;
        }
        Add(Column.Members);
        foreach (ref int member in Members)
        {
            member = rng.NextInt(count);
        }
    }

    /// <summary>Returns the number of available actions of an agent, or of elements of continuous actions, summed over all steps.</summary>
    public int CountAvailableActions(int agent)
    {
        int count = 0;
        for (int row = 0; row < length; row++)
        {
            count += AvailableActions(row, agent).Count(true);
        }
        return count;
    }

    /// <summary>Sets the actions of the current row, <see cref="Length"/>.</summary>
    public void SetAction(JointAction joint)
    {
        for (int agent = 0; agent < Agents; agent++)
        {
            SetAction(agent, joint);
        }
    }

    /// <summary>Sets the action of an agent in the current row, <see cref="Length"/>, to that in a joint action.</summary>
    public void SetAction(int agent, JointAction joint)
    {
        joint.Branches(agent).CopyTo(BranchesAt(length, agent));
        if (continuous is not null)
        {
            joint.Vector(agent).CopyTo(ContinuousAction(length, agent));
        }
    }

    /// <summary>Ensures the capacity for a number of rows; it grows by doubling.</summary>
    internal void Reserve(int rows)
    {
        if (rows <= capacity)
        {
            return;
        }
        long doubled = Math.Max(rows, 2L * capacity), limit = spec.EpisodeLimit + 1L;
        capacity = (int)Math.Min(rows <= limit ? Math.Min(doubled, limit) : doubled, Array.MaxLength);
        foreach (var column in columns)
        {
            column.Reserve(capacity);
        }
    }

    /// <summary>Returns the data of a column; null if the episode does not have it.</summary>
    internal ColumnData? Find(Column column)
    {
        foreach (var data in columns)
        {
            if (data.Column == column)
            {
                return data;
            }
        }
        return null;
    }

    internal ColumnData<float> Floats(Column column) => Of<float>(column);

    internal ColumnData<bool> Bools(Column column) => Of<bool>(column);

    internal ColumnData<int> Ints(Column column) => Of<int>(column);

    /// <summary>Returns the number of rows of a column.</summary>
    internal int RowsOf(Column column) => column.PerEpisode ? 1 : column.HasFinalRow ? length + 1 : length;

    /// <summary>Finds the next contiguous range of transitions.</summary>
    /// <param name="first">The row at which the search begins; receives the row at which the next search begins.</param>
    /// <param name="rows">Receives the range.</param>
    /// <returns>Whether there are transitions.</returns>
    internal bool NextTransitions(ref int first, out Range rows)
    {
        int begin = first;
        while (begin < length && IsEnd(begin))
        {
            begin++;
        }
        int end = begin;
        while (end < length && !IsEnd(end))
        {
            end = ends is null ? length : end + 1;
        }
        (first, rows) = (end, begin..end);
        return begin < end;
    }

    /// <summary>Returns whether a row is the last one of an episode, in which no transition begins.</summary>
    internal bool IsEnd(int row) => row >= length || ends is not null && ends.All[row];

    private ColumnData<T> Of<T>(Column column) where T : unmanaged => Find(column) as ColumnData<T>
        ?? throw new ArgumentException($"this episode has no column '{column}' of {typeof(T).Name} elements");
}
