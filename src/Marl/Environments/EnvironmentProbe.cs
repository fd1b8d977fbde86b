namespace Marl.Native.Rl;

/// <summary>What the checker has found: the first occurrence of each kind of problem.</summary>
internal sealed class EnvironmentFindings
{
    private readonly List<string> _problems = [];
    private readonly HashSet<(string Member, string Problem)> _kinds = [];

    /// <summary>One line each.</summary>
    public IReadOnlyList<string> Problems => _problems;

    /// <summary>Where the checker is.</summary>
    public int Episode { get; set; }

    /// <summary>Where the checker is; 0 is the start of the episode.</summary>
    public int Step { get; set; }

    /// <summary>What it calls: what throws, if something does.</summary>
    public string Member { get; set; } = "create";

    /// <summary>Reports a problem of a member here, unless it was reported before; <paramref name="detail"/> does not make another kind.</summary>
    public void Add(string member, string problem, string detail = "")
    {
        if (_kinds.Add((member, problem)))
            _problems.Add($"episode {Episode}, step {Step}: {member} {problem}{detail}");
    }
}

/// <summary>One instance under the checker's eyes: whatever it writes goes into guarded buffers and is looked at.</summary>
internal sealed class EnvironmentProbe
{
    private readonly IEnvironment _environment;
    private readonly EnvironmentFindings _findings;
    private readonly GuardedBuffer<float>[] _observations;
    private readonly GuardedBuffer<bool>[] _available;
    private readonly GuardedBuffer<float> _state;
    private readonly GuardedBuffer<double> _rewards, _snapshot;
    private Rng _rng;

    /// <summary>Watches <paramref name="environment"/>, whose episodes draw from <paramref name="rng"/>.</summary>
    public EnvironmentProbe(IEnvironment environment, Rng rng, EnvironmentFindings findings)
    {
        (_environment, _rng, _findings) = (environment, rng, findings);
        EnvironmentSpec spec = environment.Spec;
        _observations = [.. spec.Agents.Select(agent => new GuardedBuffer<float>(agent.Observation))];
        _available = [.. spec.Agents.Select(agent => new GuardedBuffer<bool>(agent.Actions))];
        _state = new(spec.StateSize);
        _rewards = new(spec.Agents.Length);
        _snapshot = new(spec.SnapshotSize);
        Actions = new int[spec.Agents.Length];
    }

    /// <summary>[N] the joint action of <see cref="Choose(ref Rng)"/>.</summary>
    public int[] Actions { get; }

    /// <summary>What the last step returned.</summary>
    public StepResult Result { get; private set; }

    /// <summary>Begins an episode and reads what there is to see.</summary>
    public void Reset()
    {
        Result = StepResult.Running;
        _rewards.Span.Clear();
        _findings.Member = nameof(IEnvironment.Reset);
        _environment.Reset(ref _rng);
        Read();
    }

    /// <summary>Advances and reads what there is to see.</summary>
    public void Step(ReadOnlySpan<int> actions)
    {
        _findings.Member = nameof(IEnvironment.Step);
        _rewards.Fill(double.NaN);
        Result = _environment.Step(actions, _rewards.Span, ref _rng);
        if (!Enum.IsDefined(Result))
            _findings.Add(nameof(IEnvironment.Step), "returns something that is no StepResult");
        if (!_rewards.IsIntact(double.NaN))
            _findings.Add(nameof(IEnvironment.Step), "writes outside the rewards");
        foreach (double reward in _rewards.Span)
        {
            if (!double.IsFinite(reward))
                _findings.Add(nameof(IEnvironment.Step), "leaves a reward unwritten or not finite");
        }
        Read();
    }

    /// <summary>Plays a little, to have a past.</summary>
    public void Wander(ref Rng policy, int steps)
    {
        Reset();
        for (int step = 0; step < steps && Result == StepResult.Running; step++)
        {
            Choose(ref policy);
            Step(Actions);
        }
    }

    /// <summary>Goes on where <paramref name="other"/> is.</summary>
    public void TakeOver(EnvironmentProbe other)
    {
        const string save = nameof(IEnvironment.Save);
        GuardedBuffer<double> saved = other._snapshot;
        saved.Fill(double.NaN);
        _findings.Member = save;
        other._environment.Save(saved.Span);
        if (!saved.IsIntact(double.NaN))
            _findings.Add(save, "writes outside the snapshot");
        foreach (double number in saved.Span)
        {
            if (!double.IsFinite(number))
                _findings.Add(save, "leaves a number of the snapshot unwritten or not finite");
        }
        _findings.Member = nameof(IEnvironment.Restore);
        _environment.Restore(saved.Span);
        _findings.Member = save;
        _environment.Save(_snapshot.Span);
        if (!_snapshot.Span.SequenceEqual(saved.Span))
            _findings.Add(save, "after Restore writes something else than was restored");
        _rng = other._rng;
        Result = other.Result;
        other._rewards.Span.CopyTo(_rewards.Span);
        Read();
    }

    /// <summary>Draws an available action for each agent.</summary>
    public void Choose(ref Rng policy)
    {
        for (int agent = 0; agent < Actions.Length; agent++)
            Actions[agent] = Choose(_available[agent].Span, ref policy);
    }

    /// <summary>Draws one of the available actions; 0 if there is none.</summary>
    public static int Choose(ReadOnlySpan<bool> available, ref Rng policy)
    {
        int count = available.Count(true);
        int skip = count == 0 ? 0 : policy.NextInt(count);
        for (int action = 0; action < available.Length; action++)
        {
            if (available[action] && skip-- == 0)
                return action;
        }
        return 0;
    }

    /// <summary>Reports what <paramref name="other"/> shows differently.</summary>
    public void Compare(EnvironmentProbe other, string problem)
    {
        for (int agent = 0; agent < Actions.Length; agent++)
        {
            Require(_observations[agent].Span.SequenceEqual(other._observations[agent].Span), nameof(IEnvironment.Observe));
            Require(_available[agent].Span.SequenceEqual(other._available[agent].Span), nameof(IEnvironment.ReadAvailable));
        }
        Require(_state.Span.SequenceEqual(other._state.Span), nameof(IEnvironment.ReadState));
        Require(_rewards.Span.SequenceEqual(other._rewards.Span), "Step's rewards");
        Require(Result == other.Result, "Step's result");
        Require(_rng.Equals(other._rng), "the number of random draws");

        void Require(bool holds, string member)
        {
            if (!holds)
                _findings.Add(member, problem);
        }
    }

    private void Read()
    {
        for (int i = 0; i < Actions.Length; i++)
        {
            int agent = i;
            Read(nameof(IEnvironment.Observe), _observations[agent], 1e30f, -1e30f, span => _environment.Observe(agent, span));
            Read(nameof(IEnvironment.ReadAvailable), _available[agent], true, false, span => _environment.ReadAvailable(agent, span));
            RequireFinite(nameof(IEnvironment.Observe), _observations[agent].Span);
            if (!_available[agent].Span.Contains(true))
                _findings.Add(nameof(IEnvironment.ReadAvailable), "leaves an agent no action", $" (agent {agent})");
        }
        Read(nameof(IEnvironment.ReadState), _state, 1e30f, -1e30f, span => _environment.ReadState(span));
        RequireFinite(nameof(IEnvironment.ReadState), _state.Span);
    }

    /// <summary>Reads twice over different former contents, which must leave the same.</summary>
    private void Read<T>(string member, GuardedBuffer<T> buffer, T fill, T otherFill, Writer<T> write) where T : unmanaged, IEquatable<T>
    {
        _findings.Member = member;
        buffer.Fill(fill);
        write(buffer.Span);
        bool intact = buffer.IsIntact(fill);
        T[] first = buffer.Span.ToArray();
        buffer.Fill(otherFill);
        write(buffer.Span);
        if (!intact || !buffer.IsIntact(otherFill))
            _findings.Add(member, "writes outside its span");
        for (int i = 0; i < first.Length; i++)
        {
            if (first[i].Equals(buffer.Span[i]))
                continue;
            bool untouched = first[i].Equals(fill) && buffer.Span[i].Equals(otherFill);
            _findings.Add(member, untouched ? "leaves an entry unwritten" : "writes something else when called again", $" (entry {i})");
        }
    }

    private void RequireFinite(string member, ReadOnlySpan<float> values)
    {
        foreach (float value in values)
        {
            if (!float.IsFinite(value))
                _findings.Add(member, "writes a number that is not finite");
        }
    }

    private delegate void Writer<T>(Span<T> span);
}

/// <summary>A buffer with margins that nobody may write to.</summary>
internal sealed class GuardedBuffer<T>(int length) where T : unmanaged, IEquatable<T>
{
    private const int Margin = 8;
    private readonly T[] _memory = new T[length + 2 * Margin];

    /// <summary>[length] between the margins.</summary>
    public Span<T> Span => _memory.AsSpan(Margin, length);

    /// <summary>Sets everything, the margins too.</summary>
    public void Fill(T value) => _memory.AsSpan().Fill(value);

    /// <summary>Do both margins hold only <paramref name="value"/> still?</summary>
    public bool IsIntact(T value) =>
        !_memory.AsSpan(0, Margin).ContainsAnyExcept(value) && !_memory.AsSpan(Margin + length).ContainsAnyExcept(value);
}
