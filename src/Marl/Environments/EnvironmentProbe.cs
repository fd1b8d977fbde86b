namespace Marl.Native.Rl;

/// <summary>The findings of the checker: the first occurrence of each kind of problem.</summary>
internal sealed class EnvironmentFindings
{
    private readonly List<string> problems = [];
    private readonly HashSet<(string Member, string Problem)> kinds = [];

    /// <summary>The problems, one line each.</summary>
    public IReadOnlyList<string> Problems => problems;

    /// <summary>The current episode.</summary>
    public int Episode { get; set; }

    /// <summary>The current step; 0 after the reset.</summary>
    public int Step { get; set; }

    /// <summary>The member that is being called, to which exceptions are attributed.</summary>
    public string Member { get; set; } = "create";

    /// <summary>Adds a problem at the current step, unless the member has the same problem, with any <paramref name="detail"/>.</summary>
    public void Add(string member, string problem, string detail = "")
    {
        if (kinds.Add((member, problem)))
        {
            problems.Add($"episode {Episode}, step {Step}: {member} {problem}{detail}");
        }
    }
}

/// <summary>An instance under test; its outputs are written into guarded buffers and checked.</summary>
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

    /// <summary>Creates a probe of <paramref name="environment"/>, which uses the random numbers of <paramref name="rng"/>.</summary>
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

    /// <summary>The joint action that <see cref="SampleActions(ref Rng)"/> sampled.</summary>
    public JointAction Joint => actions.Joint;

    /// <summary>The result of the last step.</summary>
    public StepResult Result { get; private set; }

    /// <summary>Begins an episode and reads all outputs.</summary>
    public void Reset()
    {
        Result = StepResult.Running;
        rewards.Span.Clear();
        findings.Member = nameof(IEnvironment.Reset);
        environment.Reset(ref rng);
        Read();
    }

    /// <summary>Takes a step and reads all outputs.</summary>
    public void Step(JointAction actions)
    {
        findings.Member = nameof(IEnvironment.Step);
        rewards.Fill(double.NaN);
        Result = environment.Step(actions, rewards.Span, ref rng);
        if (!Enum.IsDefined(Result))
        {
            findings.Add(nameof(IEnvironment.Step), "returns an undefined StepResult");
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

    /// <summary>Plays up to <paramref name="steps"/> random steps of an episode.</summary>
    public void PlayRandomSteps(ref Rng policy, int steps)
    {
        Reset();
        for (int step = 0; step < steps && Result == StepResult.Running; step++)
        {
            SampleActions(ref policy);
            Step(Joint);
        }
    }

    /// <summary>Restores the state of <paramref name="other"/>.</summary>
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

        foreach (double value in saved.Span)
        {
            if (!double.IsFinite(value))
            {
                findings.Add(save, "leaves an element of the snapshot unwritten or not finite");
            }
        }
        findings.Member = nameof(IEnvironment.Restore);
        environment.Restore(saved.Span);
        findings.Member = save;
        environment.Save(snapshot.Span);
        if (!snapshot.Span.SequenceEqual(saved.Span))
        {
            findings.Add(save, "after Restore writes a different snapshot");
        }

        rng = other.rng;
        Result = other.Result;
        other.rewards.Span.CopyTo(rewards.Span);
        Read();
    }

    /// <summary>Samples an available action for each agent.</summary>
    public void SampleActions(ref Rng policy)
    {
        for (int agent = 0; agent < agents; agent++)
        {
            actions.Sample(agent, available[agent].Span, ref policy);
        }
    }

    /// <summary>Reports the outputs that differ from those of <paramref name="other"/>.</summary>
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
            var size = environment.Spec.Agents[agent];
            if (Result == StepResult.Running && !size.CanAct(available[agent].Span))
            {
                findings.Add(nameof(IEnvironment.ReadAvailable), "has no available action for an agent", $" (agent {agent})");
            }

            if (available[agent].Span[^size.VectorSize..].Contains(false))
            {
                findings.Add(nameof(IEnvironment.ReadAvailable), "masks an element of a continuous action", $" (agent {agent})");
            }
        }
        Read(nameof(IEnvironment.ReadState), state, 1e30f, -1e30f, span => environment.ReadState(span));
        RequireFinite(nameof(IEnvironment.ReadState), state.Span);
    }

    /// <summary>Reads twice into buffers with different contents; the results must be equal.</summary>
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
            findings.Add(member, untouched ? "leaves an entry unwritten" : "writes a different value when called again", $" (entry {i})");
        }
    }

    private void RequireFinite(string member, ReadOnlySpan<float> values)
    {
        foreach (float value in values)
        {
            if (!float.IsFinite(value))
            {
                findings.Add(member, "writes a value that is not finite");
            }
        }
    }

    private delegate void Writer<T>(Span<T> span);
}

/// <summary>Samples joint actions uniformly: from the available actions of each branch, and within the bounds of continuous actions.</summary>
internal sealed class RandomActions(EnvironmentSpec spec)
{
    private readonly JointActionBuffer actions = new(spec);

    /// <summary>The last sample.</summary>
    public JointAction Joint => actions.Joint;

    /// <summary>Samples the action of an agent; 0 in a branch in which no action is available.</summary>
    /// <param name="agent">The index of the agent.</param>
    /// <param name="available">[<see cref="AgentSpec.ActionCount"/>] The mask; not used for continuous actions.</param>
    /// <param name="rng">The random number generator.</param>
    public void Sample(int agent, ReadOnlySpan<bool> available, ref Rng rng)
    {
        var size = spec.Agents[agent];
        for (int branch = 0; branch < size.BranchCount; branch++)
        {
            actions.Branches(agent)[branch] = Sample(available[size.Branch(branch)], ref rng);
        }
        if (size.Box is { } box)
        {
            foreach (ref float value in actions.Vector(agent)[..size.VectorSize])
            {
                value = rng.NextSingle(box.Low, box.High);
            }
        }
    }

    private static int Sample(ReadOnlySpan<bool> available, ref Rng rng)
    {
        int count = available.Count(true), skip = count == 0 ? 0 : rng.NextInt(count), sample = 0;
        for (int action = 0; action < available.Length; action++)
        {
            if (available[action] && skip-- == 0)
            {
                sample = action;
            }
        }
        return sample;
    }
}

/// <summary>A buffer with margins that must not be written to.</summary>
internal sealed class GuardedBuffer<T>(int length) where T : unmanaged, IEquatable<T>
{
    private const int Margin = 8;
    private readonly T[] memory = new T[length + 2 * Margin];

    /// <summary>[length] The elements between the margins.</summary>
    public Span<T> Span => memory.AsSpan(Margin, length);

    /// <summary>Sets all elements, including the margins.</summary>
    public void Fill(T value) => memory.AsSpan().Fill(value);

    /// <summary>Returns whether all elements of both margins equal <paramref name="value"/>.</summary>
    public bool IsIntact(T value)
        => !memory.AsSpan(0, Margin).ContainsAnyExcept(value) && !memory.AsSpan(Margin + length).ContainsAnyExcept(value);
}
