namespace Marl.Native.Rl;

/// <summary>
/// What was recorded of an episode: the columns of its schema, in memory that grows with its steps. Rows 0 .. Length hold what was observed, rows
/// 0 .. Length - 1 actions and rewards; row Length of the actions is the action to bootstrap from, for learners that ask for it
/// (<see cref="ILearner.NeedsNextAction"/>). An <see cref="EpisodeRecorder"/> writes it.
/// </summary>
public sealed class Episode
{
    /// <summary>Rows that there is room for at first.</summary>
    private const int InitialRows = 16;

    private readonly EnvironmentSpec spec;
    private readonly List<ColumnData> columns = [];
    private readonly ColumnData<float> observations, states, probabilities, rewards, fingerprint;
    private readonly ColumnData<float>? continuous;
    private readonly ColumnData<bool> available;
    private readonly ColumnData<int> actions;
    private ColumnData<int>? members;
    private ColumnData<bool>? ends;
    private int capacity, length;

    /// <summary>An empty episode.</summary>
    /// <param name="spec">the environment.</param>
    /// <param name="rewardStreams">R; by default that of the environment's own rewards.</param>
    /// <param name="columns">more than the common ones.</param>
    public Episode(EnvironmentSpec spec, int? rewardStreams = null, params IEnumerable<Column> columns)
        : this(new Schema(spec, rewardStreams ?? RewardMode.Natural.Streams(spec), columns))
    {
    }

    internal Episode(Schema schema)
    {
        spec = schema.Spec;
        (Agents, ObservationSize, ActionCount, StateSize) = (spec.Agents.Length, spec.ObservationSize, spec.ActionCount, spec.StateSize);
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

    /// <summary>N</summary>
    public int Agents { get; }

    /// <summary>O, the longest observation.</summary>
    public int ObservationSize { get; }

    /// <summary>A, the most actions, or elements of a continuous action.</summary>
    public int ActionCount { get; }

    /// <summary>S</summary>
    public int StateSize { get; }

    /// <summary>R: 1 for a common reward of all, N where each agent has its own or its team's.</summary>
    public int RewardStreams { get; }

    /// <summary>Rows before the last one: of a whole episode, the steps taken. Setting it makes room.</summary>
    public int Length
    {
        get => length;
        set
        {
            Reserve(checked(value + 1));
            length = value;
        }
    }

    /// <summary>Transitions: all rows but the last, and but the last ones of episodes that ended within a segment.</summary>
    public int Steps => length - InnerEnds;

    /// <summary>Whether it terminated; otherwise it was truncated and its last state has a value.</summary>
    public bool Terminated { get; set; }

    /// <summary>When in training it was played.</summary>
    public Fingerprint Fingerprint
    {
        get => new(fingerprint.All[0], fingerprint.All[1]);
        set => (fingerprint.All[0], fingerprint.All[1]) = (value.Progress, value.Exploration);
    }

    /// <summary>[teams, in the order of <see cref="EnvironmentSpec.Teams"/>] the sum of a team's rewards: of its agents' or, where the environment
    /// says so, of their mean. Of a segment: of all episodes that ended in it, from their beginnings.</summary>
    public double[] TeamReturns { get; }

    /// <summary>The teams' returns together.</summary>
    public double Return => TeamReturns.Sum();

    /// <summary>[Length + 1, N, O]</summary>
    public Span<float> Observations => observations.Rows(length + 1);

    /// <summary>[Length + 1, S]</summary>
    public Span<float> States => states.Rows(length + 1);

    /// <summary>[Length + 1, N, A]</summary>
    public Span<bool> Available => available.Rows(length + 1);

    /// <summary>[Length + 1, N] the indices of actions; 0 where actions are continuous.</summary>
    public Span<int> Actions => actions.Rows(length + 1);

    /// <summary>[Length + 1, N] the probability with which each action was chosen.</summary>
    public Span<float> Probabilities => probabilities.Rows(length + 1);

    /// <summary>[Length, R]</summary>
    public Span<float> Rewards => rewards.Rows(length);

    /// <summary>[N] which member of its ensemble of policies each agent played; empty where there is but one.</summary>
    public Span<int> Members => members is null ? [] : members.All;

    /// <summary>A column of float elements: its rows, one after the other.</summary>
    /// <exception cref="ArgumentException">the episode has no such column, or its elements are others.</exception>
    public Span<float> this[Column column] => Floats(column).Rows(RowsOf(column));

    /// <summary>Its columns.</summary>
    internal IReadOnlyList<ColumnData> Stored => columns;

    /// <summary>Most steps that it can have as a whole episode.</summary>
    internal int Limit => spec.EpisodeLimit;

    /// <summary>Where else it is, in its <see cref="Slot"/>; none: only here.</summary>
    internal EpisodeMemory? Memory { get; set; }

    /// <inheritdoc cref="Memory"/>
    internal int Slot { get; set; }

    /// <summary>Episodes that ended in it: 1, or any number of a segment.</summary>
    internal int EndedEpisodes { get; set; } = 1;

    /// <summary>Steps of the episodes that ended in it, from their beginnings.</summary>
    internal int EndedSteps { get => ends is null ? length : field; set; }

    /// <summary>Of a segment, rows before the last one that are the last of an episode.</summary>
    internal int InnerEnds { get; set; }

    /// <summary>What an agent observed at a row, [O].</summary>
    public Span<float> Observation(int row, int agent) => observations.All.Slice((row * Agents + agent) * ObservationSize, ObservationSize);

    /// <summary>The state at a row, [S].</summary>
    public Span<float> State(int row) => states.Row(row);

    /// <summary>Which actions an agent had at a row, [A].</summary>
    public Span<bool> AvailableActions(int row, int agent) => available.All.Slice((row * Agents + agent) * ActionCount, ActionCount);

    /// <summary>The indices of all agents' actions at a row, [N].</summary>
    public Span<int> ActionsAt(int row) => actions.Row(row);

    /// <summary>The continuous action of an agent at a row, [A].</summary>
    public Span<float> ContinuousAction(int row, int agent) => continuous!.All.Slice((row * Agents + agent) * ActionCount, ActionCount);

    /// <summary>The probabilities with which all agents' actions at a row were chosen, [N].</summary>
    internal Span<float> ProbabilitiesAt(int row) => probabilities.Row(row);

    /// <summary>The rewards of the step from a row, [R].</summary>
    internal Span<float> RewardsAt(int row) => rewards.Row(row);

    /// <summary>All agents' actions at a row.</summary>
    public JointAction JointAction(int row) => continuous is null ? ActionsAt(row) : Rl.JointAction.Create(continuous.Row(row), ActionCount);

    /// <summary>Adds a column, where the episode does not have it yet.</summary>
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

    /// <summary>Draws the member of its ensemble that each agent plays in this episode (Lowe et al. 2017, section 4.3).</summary>
    /// <param name="count">K; of one, nothing is drawn.</param>
    /// <param name="rng">random numbers.</param>
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

    /// <summary>How many actions an agent had, or elements of continuous ones, over all steps.</summary>
    public int CountAvailableActions(int agent)
    {
        int count = 0;
        for (int row = 0; row < length; row++)
        {
            count += AvailableActions(row, agent).Count(true);
        }
        return count;
    }

    /// <summary>Sets the actions of the present row.</summary>
    public void SetAction(JointAction joint)
    {
        for (int agent = 0; agent < Agents; agent++)
        {
            SetAction(agent, joint);
        }
    }

    /// <summary>Sets an agent's action of the present row to that in a joint action.</summary>
    public void SetAction(int agent, JointAction joint)
    {
        if (continuous is null)
        {
            ActionsAt(length)[agent] = joint[agent];
            return;
        }
        joint.Vector(agent).CopyTo(ContinuousAction(length, agent));
    }

    /// <summary>Makes room for so many rows, in steps that double.</summary>
    internal void Reserve(int rows)
    {
        if (rows <= capacity)
        {
            return;
        }
        long doubled = Math.Max(rows, 2L * capacity), all = spec.EpisodeLimit + 1L;
        capacity = (int)Math.Min(rows <= all ? Math.Min(doubled, all) : doubled, Array.MaxLength);
        foreach (var column in columns)
        {
            column.Reserve(capacity);
        }
    }

    /// <summary>The column, or none.</summary>
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

    /// <summary>The rows that the episode has of a column.</summary>
    internal int RowsOf(Column column) => column.PerEpisode ? 1 : column.HasFinalRow ? length + 1 : length;

    /// <summary>The next rows from <paramref name="first"/> on that are transitions without a gap.</summary>
    /// <returns>whether there are any; then the range, and where to look for more.</returns>
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

    /// <summary>Whether no transition begins in a row: the last one of an episode.</summary>
    internal bool IsEnd(int row) => row >= length || ends is not null && ends.All[row];

    private ColumnData<T> Of<T>(Column column) where T : unmanaged => Find(column) as ColumnData<T>
        ?? throw new ArgumentException($"this episode has no column '{column}' of {typeof(T).Name} elements");
}
