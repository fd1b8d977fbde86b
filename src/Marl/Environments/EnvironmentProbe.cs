namespace Marl.Native.Rl;

/// <summary>What the checker has found: the first occurrence of each kind of problem.</summary>
internal sealed class EnvironmentFindings
{
    private readonly List<string> problems = [];
    private readonly HashSet<(string Member, string Problem)> kinds = [];

    /// <summary>One line each.</summary>
    public IReadOnlyList<string> Problems => problems;

    /// <summary>Where the checker is.</summary>
    public int Episode { get; set; }

    /// <summary>Where the checker is; 0 is the start of the episode.</summary>
    public int Step { get; set; }

    /// <summary>What it calls: what throws, if something does.</summary>
    public string Member { get; set; } = "create";

    /// <summary>Reports a problem of a member here, unless it was reported before; <paramref name="detail"/> does not make another kind.</summary>
    public void Add(string member, string problem, string detail = "")
    {
        if (kinds.Add((member, problem)))
        {
            problems.Add($"episode {Episode}, step {Step}: {member} {problem}{detail}");
        }
    }
}

/// <summary>One instance under the checker's eyes: whatever it writes goes into guarded buffers and is looked at.</summary>
internal sealed class EnvironmentProbe
{
    private readonly IEnvironment environment;
    private readonly EnvironmentFindings findings;
    private readonly GuardedBuffer<float>[] observations;
    private readonly GuardedBuffer<bool>[] available;
    private readonly GuardedBuffer<float> state;
    private readonly GuardedBuffer<double> rewards, snapshot;
    private readonly RandomActions actions;
    private readonly int agents;
    private Rng rng;

    /// <summary>Watches <paramref name="environment"/>, whose episodes draw from <paramref name="rng"/>.</summary>
    public EnvironmentProbe(IEnvironment environment, Rng rng, EnvironmentFindings findings)
    {
        (this.environment, this.rng, this.findings) = (environment, rng, findings);
        var spec = environment.Spec;
        observations = [.. spec.Agents.Select(agent => new GuardedBuffer<float>(agent.ObservationSize))];
        this.available = [.. spec.Agents.Select(agent => new GuardedBuffer<bool>(agent.ActionCount))];
        state = new(spec.StateSize);
        this.rewards = new(spec.Agents.Length);
        this.snapshot = new(spec.SnapshotSize);
        (actions, agents) = (new RandomActions(spec), spec.Agents.Length);
    }

    /// <summary>The joint action of <see cref="SampleActions(ref Rng)"/>.</summary>
    public JointAction Joint => actions.Joint;

    /// <summary>What the last step returned.</summary>
    public StepResult Result { get; private set; }

    /// <summary>Begins an episode and reads what there is to see.</summary>
    public void Reset()
    {
        Result = StepResult.Running;
        rewards.Span.Clear();
        findings.Member = nameof(IEnvironment.Reset);
        environment.Reset(ref rng);
        Read();
    }

    /// <summary>Advances and reads what there is to see.</summary>
    public void Step(JointAction actions)
    {
        findings.Member = nameof(IEnvironment.Step);
        rewards.Fill(double.NaN);
        Result = environment.Step(actions, rewards.Span, ref rng);
        if (!Enum.IsDefined(Result))
        {
            findings.Add(nameof(IEnvironment.Step), "returns something that is no StepResult");
        }

        if (!rewards.IsIntact(double.NaN))
        {
            findings.Add(nameof(IEnvironment.Step), "writes outside the rewards");
        }

        foreach (double reward in rewards.Span)
        {
            if (!double.IsFinite(reward))
            {
                findings.Add(nameof(IEnvironment.Step), "leaves a reward unwritten or not finite");
            }
        }
        Read();
    }

    /// <summary>Plays a little, to have a past.</summary>
    public void PlayRandomSteps(ref Rng policy, int steps)
    {
        Reset();
        for (int step = 0; step < steps && Result == StepResult.Running; step++)
        {
            SampleActions(ref policy);
            Step(Joint);
        }
    }

    /// <summary>Goes on where <paramref name="other"/> is.</summary>
    public void RestoreFrom(EnvironmentProbe other)
    {
        const string save = nameof(IEnvironment.Save);
        var saved = other.snapshot;
        saved.Fill(double.NaN);
        findings.Member = save;
        other.environment.Save(saved.Span);
        if (!saved.IsIntact(double.NaN))
        {
            findings.Add(save, "writes outside the snapshot");
        }

        foreach (double number in saved.Span)
        {
            if (!double.IsFinite(number))
            {
                findings.Add(save, "leaves a number of the snapshot unwritten or not finite");
            }
        }
        findings.Member = nameof(IEnvironment.Restore);
        environment.Restore(saved.Span);
        findings.Member = save;
        environment.Save(snapshot.Span);
        if (!snapshot.Span.SequenceEqual(saved.Span))
        {
            findings.Add(save, "after Restore writes something else than was restored");
        }

        rng = other.rng;
        Result = other.Result;
        other.rewards.Span.CopyTo(rewards.Span);
        Read();
    }

    /// <summary>Draws an available action for each agent.</summary>
    public void SampleActions(ref Rng policy)
    {
        for (int agent = 0; agent < agents; agent++)
        {
            actions.Sample(agent, available[agent].Span, ref policy);
        }
    }

    /// <summary>Reports what <paramref name="other"/> shows differently.</summary>
    public void Compare(EnvironmentProbe other, string problem)
    {
        for (int agent = 0; agent < agents; agent++)
        {
            Require(observations[agent].Span.SequenceEqual(other.observations[agent].Span), nameof(IEnvironment.Observe));
            Require(available[agent].Span.SequenceEqual(other.available[agent].Span), nameof(IEnvironment.ReadAvailable));
        }
        Require(state.Span.SequenceEqual(other.state.Span), nameof(IEnvironment.ReadState));
        Require(rewards.Span.SequenceEqual(other.rewards.Span), "Step's rewards");
        Require(Result == other.Result, "Step's result");
        Require(rng.Equals(other.rng), "the number of random draws");

        void Require(bool holds, string member)
        {
            if (!holds)
            {
                findings.Add(member, problem);
            }
        }
    }

    private void Read()
    {
        for (int i = 0; i < agents; i++)
        {
            int agent = i;
            Read(nameof(IEnvironment.Observe), observations[agent], 1e30f, -1e30f, span => environment.Observe(agent, span));
            Read(nameof(IEnvironment.ReadAvailable), available[agent], true, false, span => environment.ReadAvailable(agent, span));
            RequireFinite(nameof(IEnvironment.Observe), observations[agent].Span);
            if (!available[agent].Span.Contains(true))
            {
                findings.Add(nameof(IEnvironment.ReadAvailable), "leaves an agent no action", $" (agent {agent})");
            }

            if (environment.Spec.IsContinuous && available[agent].Span.Contains(false))
            {
                findings.Add(nameof(IEnvironment.ReadAvailable), "leaves out a number of an action", $" (agent {agent})");
            }
        }
        Read(nameof(IEnvironment.ReadState), state, 1e30f, -1e30f, span => environment.ReadState(span));
        RequireFinite(nameof(IEnvironment.ReadState), state.Span);
    }

    /// <summary>Reads twice over different former contents, which must leave the same.</summary>
    private void Read<T>(string member, GuardedBuffer<T> buffer, T fill, T otherFill, Writer<T> write) where T : unmanaged, IEquatable<T>
    {
        findings.Member = member;
        buffer.Fill(fill);
        write(buffer.Span);
        bool intact = buffer.IsIntact(fill);
        var first = buffer.Span.ToArray();
        buffer.Fill(otherFill);
        write(buffer.Span);
        if (!intact || !buffer.IsIntact(otherFill))
        {
            findings.Add(member, "writes outside its span");
        }

        for (int i = 0; i < first.Length; i++)
        {
            if (first[i].Equals(buffer.Span[i]))
            {
                continue;
            }

            bool untouched = first[i].Equals(fill) && buffer.Span[i].Equals(otherFill);
            findings.Add(member, untouched ? "leaves an entry unwritten" : "writes something else when called again", $" (entry {i})");
        }
    }

    private void RequireFinite(string member, ReadOnlySpan<float> values)
    {
        foreach (float value in values)
        {
            if (!float.IsFinite(value))
            {
                findings.Add(member, "writes a number that is not finite");
            }
        }
    }

    private delegate void Writer<T>(Span<T> span);
}

/// <summary>A joint action drawn uniformly: of what is available, or of what is within the bounds.</summary>
internal sealed class RandomActions(EnvironmentSpec spec)
{
    private readonly int[] indices = new int[spec.Agents.Length];
    private readonly float[] vectors = spec.IsContinuous ? new float[spec.Agents.Length * spec.ActionCount] : [];
    private readonly int width = spec.ActionCount;

    /// <summary>What was drawn last.</summary>
    public JointAction Joint => vectors.Length > 0 ? JointAction.Create(vectors, width) : indices;

    /// <summary>Draws for an agent; index 0 if nothing is available.</summary>
    public void Sample(int agent, ReadOnlySpan<bool> available, ref Rng rng)
    {
        if (spec.Agents[agent].Box is { } box)
        {
            foreach (ref float number in vectors.AsSpan(agent * width, spec.Agents[agent].ActionCount))
            {
                number = rng.NextSingle(box.Low, box.High);
            }

            return;
        }
        int count = available.Count(true), skip = count == 0 ? 0 : rng.NextInt(count);
        indices[agent] = 0;
        for (int action = 0; action < available.Length; action++)
        {
            if (available[action] && skip-- == 0)
            {
                indices[agent] = action;
            }
        }
    }
}

/// <summary>A buffer with margins that nobody may write to.</summary>
internal sealed class GuardedBuffer<T>(int length) where T : unmanaged, IEquatable<T>
{
    private const int Margin = 8;
    private readonly T[] memory = new T[length + 2 * Margin];

    /// <summary>[length] between the margins.</summary>
    public Span<T> Span => memory.AsSpan(Margin, length);

    /// <summary>Sets everything, the margins too.</summary>
    public void Fill(T value) => memory.AsSpan().Fill(value);

    /// <summary>Do both margins hold only <paramref name="value"/> still?</summary>
    public bool IsIntact(T value)
        => !memory.AsSpan(0, Margin).ContainsAnyExcept(value) && !memory.AsSpan(Margin + length).ContainsAnyExcept(value);
}
