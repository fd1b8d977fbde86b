using System.Runtime.InteropServices;

namespace Marl.Native.Rl;

/// <summary>
/// Plays rounds of segments in the memory of a device: environments (<see cref="IBatchEnvironment"/>), the agents' network, sampling and recording. Observations,
/// states and masks are recorded where the learner gathers its batches; the host reads actions, probabilities, rewards and the ends of episodes, once per
/// round. The rounds and the checkpoints are those of <see cref="Rollout"/>. Rewards are checked for NaN and infinity, observations are not.
/// </summary>
internal sealed class DeviceRollout : IRollout
{
    private readonly EnvironmentSpec spec;
    private readonly Worlds worlds;
    private readonly Actor actor;
    private readonly SoftmaxPolicy policy;
    private readonly RoundMemory round;
    private readonly DeviceRolloutLayout layout;
    private readonly Tape tape;
    private readonly Tensor memory, before;
    private readonly int rolloutLength;

    private DeviceRollout(IBatched environment, EnvironmentSpec spec, int count, Actor actor, SoftmaxPolicy policy, RoundMemory round, Rng rng,
        RolloutOptions options)
    {
        (this.spec, this.actor, this.policy, this.round, rolloutLength) = (spec, actor, policy, round, options.Length);
        var rewards = options.Rewards ?? new();
        var mode = rewards.Mode.Of(spec);
        var device = round.Recorded.Device;
        layout = new()
        {
            Count = count,
            Agents = spec.Agents.Length,
            Teams = spec.Teams.Length,
            Streams = rewards.Mode.Streams(spec),
            Actions = spec.ActionCount,
            ObservationSize = spec.ObservationSize,
            StateSize = spec.StateSize,
            RecurrentSize = actor.Agent.StateSize,
            Rows = 2 * options.Length,
            EpisodeLimit = spec.EpisodeLimit,
            Individual = mode == RewardMode.Individual ? 1 : 0,
            MeanReturns = spec.Reward == RewardMode.Mean ? 1 : 0,
            MeanRewards = mode == RewardMode.Mean ? 1 : 0,
            TerminateAtLimit = rewards.TerminateAtLimit ? 1 : 0,
            RecordedObservations = round.OffsetOf(Column.Observations),
            RecordedStates = round.OffsetOf(Column.States),
            RecordedAvailable = round.OffsetOf(Column.Available),
            RecordedActions = round.OffsetOf(Column.Actions),
            RecordedProbabilities = round.OffsetOf(Column.Probabilities),
        };
        layout.Assign(0);
        worlds = environment.CreateWorlds(count, device, layout.End);
        layout.Assign(worlds.Layout.Size);
        memory = worlds.Memory;
        before = device.Zeros(memory.Shape);
        tape = new Tape(device);
        worlds.SetGenerators([.. Enumerable.Range(0, count).Select(i => rng.Split(RngPurpose.Environment, i))],
            [.. Enumerable.Range(0, count).Select(i => rng.Split(RngPurpose.Exploration, i))]);
        Write(layout.TeamOf, [.. spec.Agents.Select(agent => Array.IndexOf(spec.Teams, agent.Team))]);
        Write(layout.SizeOf, [.. spec.Agents.Select(agent => agent.ObservationSize)]);
        Write(worlds.Layout.Results, [.. Enumerable.Repeat((int)StepResult.Terminated, count)]);
    }

    /// <summary>Creates a rollout on the device of a round's memory; returns null if a part of it is not possible there.</summary>
    /// <param name="environment">One of the environments.</param>
    /// <param name="count">The number of environments.</param>
    /// <param name="actors">One network, or the members of an ensemble, with weights on the device.</param>
    /// <param name="selector">Selects actions from the networks' outputs.</param>
    /// <param name="round">The memory to record in; null if there is none.</param>
    /// <param name="rng">The generator that is split per environment.</param>
    /// <param name="options">How episodes are played.</param>
    public static DeviceRollout? TryCreate(IEnvironment environment, int count, IReadOnlyList<Actor> actors, Exploration selector, RoundMemory? round, Rng rng,
        RolloutOptions options)
    {
        bool canRecord = round is not null && round.Recorded.Device.HasDoubles && options is { Length: > 0, BootstrapAction: false }
            && options.Rewards?.Mode.IsDifference() != true;
        return canRecord && environment is IBatched batched && actors.Count == 1 && selector is SoftmaxPolicy policy
            ? new(batched, environment.Spec, count, actors[0], policy, round!, rng, options) : null;
    }

    /// <inheritdoc/>
    public void Play(Episode[] episodes, float exploration, Fingerprint fingerprint, CancellationToken stop)
    {
        memory.CopyTo(before);
        try
        {
            Begin(episodes, fingerprint);
            for (int step = 1; step <= rolloutLength; step++)
            {
                stop.ThrowIfCancellationRequested();
                Step(exploration);
                if (step < rolloutLength)
                {
                    worlds.Reset(all: false);
                    ForEach(new BeginSegment { Worlds = worlds.Layout, Layout = layout });
                    Observe();
                }
            }
            Read(episodes);
        }
        catch
        {
            Rewind();
            throw;
        }
        round.Adopt(episodes);
    }

    /// <inheritdoc/>
    public void Rewind() => before.CopyTo(memory);

    /// <inheritdoc/>
    /// <remarks>The worlds are not in use.</remarks>
    public T RunSuspended<T>(Func<T> action) => action();

    /// <inheritdoc/>
    public void Archive(IArchive archive)
    {
        float[] all = memory.ToArray();
        for (int i = 0; i < layout.Count; i++)
        {
            Archive(archive.Scope($"environment.{i}"), all, i);
        }
        if (archive.IsLoading)
        {
            memory.Device.Write(all, memory);
        }
    }

    /// <summary>Begins the segments, and records the state before them.</summary>
    private void Begin(Episode[] episodes, Fingerprint fingerprint)
    {
        var device = memory.Device;
        device.Fill(round.Recorded, 0f);
        device.Fill(round.Recorded.Slice(layout.RecordedProbabilities, layout.Rows * layout.Count * layout.Agents), 1f);
        device.Fill(memory.Slice(layout.Rewards, layout.End - layout.Rewards), 0f);
        var fingerprints = memory.Slice(layout.Fingerprints, layout.Count * Fingerprint.Size).Reshape(layout.Count, Fingerprint.Size);
        float[] values = new float[fingerprints.Count];
        for (int i = 0; i < layout.Count; i++)
        {
            (values[2 * i], values[2 * i + 1]) = (fingerprint.Progress, fingerprint.Exploration);
            episodes[i].Fingerprint = fingerprint;
        }
        device.Write(values, fingerprints);
        worlds.Reset(all: false);
        ForEach(new BeginSegment { Worlds = worlds.Layout, Layout = layout, First = 1 });
        Observe();
        int agents = layout.Agents, size = agents * layout.RecurrentSize;
        float[] previous = memory.Slice(layout.Previous, layout.Count * agents).ToArray();
        float[] recurrent = memory.Slice(layout.Recurrent, layout.Count * size).ToArray();
        for (int i = 0; i < layout.Count; i++)
        {
            var actions = episodes[i].Ints(Segment.ActionsBefore).All;
            for (int agent = 0; agent < agents; agent++)
            {
                actions[agent] = (int)previous[i * agents + agent];
            }
            if (actor.Agent.StateColumn is { } column)
            {
                recurrent.AsSpan(i * size, size).CopyTo(episodes[i].Floats(column).All);
            }
        }
    }

    /// <summary>Takes a step in every world.</summary>
    private void Step(float exploration)
    {
        var (count, agents) = (layout.Count, layout.Agents);
        using (tape.NoGrad())
        {
            var agent = actor.Agent;
            var recurrent = Section(layout.Recurrent, count, agents, layout.RecurrentSize);
            var input = agent.Input.Build(tape, new InputSource(worlds.Observations.Reshape(1, count, agents, layout.ObservationSize),
                Section(layout.States, 1, count, layout.StateSize), Actions: default, new ActionRows(Section(layout.Previous, count, agents), default),
                Section(layout.Fingerprints, count, Fingerprint.Size))
            {
                ContinueMask = Section(layout.ContinueMask, 1, count, agents),
            });
            var (output, _, after) = agent.Forward(tape.Detached(actor.Parameters), input, tape.Constant(recurrent));
            after.Value.CopyTo(recurrent);
            memory.Device.ForEach(new SampleActions { Worlds = worlds.Layout, Layout = layout, Floor = exploration, OverAll = policy.MaskBeforeSoftmax ? 0 : 1 },
                count, memory, round.Recorded, output.Value);
        }
        worlds.Step();
        ForEach(new RecordStep { Worlds = worlds.Layout, Layout = layout });
        Observe();
    }

    private void Observe()
    {
        worlds.Observe();
        ForEach(new RecordObservations { Worlds = worlds.Layout, Layout = layout });
    }

    /// <summary>Reads what the host needs to know of a round.</summary>
    private void Read(Episode[] episodes)
    {
        var (count, agents, teams, streams) = (layout.Count, layout.Agents, layout.Teams, layout.Streams);
        int[] ints = MemoryMarshal.Cast<float, int>(memory.Slice(layout.Row, 5 * count).ToArray()).ToArray();
        var returns = MemoryMarshal.Cast<float, double>(memory.Slice(layout.EndedReturns, 2 * count * teams).ToArray());
        int rows = ints.AsSpan(0, count).ToArray().Max() + 1;
        float[] rewards = memory.Slice(layout.Rewards, rows * count * streams).ToArray(), flagsRead = memory.Slice(layout.Flags, rows * count).ToArray();
        var flags = MemoryMarshal.Cast<float, int>(flagsRead);
        float[] actions = round.Recorded.Slice(layout.RecordedActions, rows * count * agents).ToArray();
        float[] probabilities = round.Recorded.Slice(layout.RecordedProbabilities, rows * count * agents).ToArray();
        for (int i = 0; i < count; i++)
        {
            var segment = episodes[i];
            (segment.Length, segment.EndedEpisodes, segment.EndedSteps) = (ints[i], ints[count + i], ints[2 * count + i]);
            (segment.InnerEnds, segment.Terminated) = (ints[3 * count + i], ints[4 * count + i] != 0);
            returns.Slice(i * teams, teams).CopyTo(segment.TeamReturns);
            Span<bool> ends = segment.Bools(Segment.Ends).All, terminates = segment.Bools(Segment.Terminates).All, begins = segment.Bools(Segment.Begins).All;
            for (int row = 0; row <= segment.Length; row++)
            {
                int place = row * count + i;
                ends[row] = (flags[place] & DeviceRolloutLayout.Ends) != 0;
                terminates[row] = (flags[place] & DeviceRolloutLayout.Terminates) != 0;
                begins[row] = (flags[place] & DeviceRolloutLayout.Begins) != 0;
                probabilities.AsSpan(place * agents, agents).CopyTo(segment.ProbabilitiesAt(row));
                var chosen = segment.ActionsAt(row);
                for (int agent = 0; agent < agents; agent++)
                {
                    chosen[agent] = (int)actions[place * agents + agent];
                }
                var recorded = segment.RewardsAt(row);
                rewards.AsSpan(place * streams, streams).CopyTo(recorded);
                for (int stream = 0; stream < streams; stream++)
                {
                    if (!float.IsFinite(recorded[stream]))
                    {
                        throw EnvironmentException.NotFinite(spec, "the recorded reward of ", stream, recorded[stream], row + 1);
                    }
                }
            }
        }
    }

    private void Archive(IArchive scope, float[] all, int i)
    {
        var values = new HostMemory(all);
        Rng environmentRng = worlds.Layout.ReadGenerator(values, i), actionRng = worlds.Layout.ReadActionGenerator(values, i);
        scope.Rng("environmentRng", ref environmentRng);
        scope.Rng("actionRng", ref actionRng);
        double[] snapshot = new double[spec.SnapshotSize];
        var state = values.At(worlds.Layout.State(i));
        for (int k = 0; k < snapshot.Length; k++)
        {
            snapshot[k] = state.ReadInt(k * worlds.Layout.Stride);
        }
        // As in Rollout, a snapshot ends with its last element that is not 0.
        int used = MemoryMarshal.Cast<double, long>(snapshot).LastIndexOfAnyExcept(0) + 1;
        scope.Value("snapshotLength", ref used, 0, snapshot.Length);
        scope.Array("snapshot", snapshot.AsSpan(0, used));
        var episode = scope.Scope("episode");
        int steps = values.ReadInt(layout.Steps + i);
        bool inProgress = values.ReadInt(worlds.Layout.Result(i)) == (int)StepResult.Running;
        episode.Value("steps", ref steps, 0, spec.EpisodeLimit);
        episode.Value("inProgress", ref inProgress);
        int agents = layout.Agents, size = agents * layout.RecurrentSize, returns = layout.Returns + 2 * i * layout.Teams;
        episode.Array<double>("returns", MemoryMarshal.Cast<float, double>(all.AsSpan(returns, 2 * layout.Teams)));
        float[] acting = [.. all.AsSpan(layout.Previous + i * agents, agents), .. all.AsSpan(layout.Recurrent + i * size, size)];
        scope.Array<float>("memory", acting);
        if (!scope.IsLoading)
        {
            return;
        }
        worlds.Layout.WriteGenerators(values, i, environmentRng, actionRng);
        snapshot.AsSpan(used).Clear();
        for (int k = 0; k < snapshot.Length; k++)
        {
            state.Write(k * worlds.Layout.Stride, (int)snapshot[k]);
        }
        values.Write(layout.Steps + i, steps);
        values.Write(worlds.Layout.Result(i), inProgress ? (int)StepResult.Running : (int)StepResult.Terminated);
        acting.AsSpan(0, agents).CopyTo(all.AsSpan(layout.Previous + i * agents));
        acting.AsSpan(agents).CopyTo(all.AsSpan(layout.Recurrent + i * size));
    }

    private void ForEach<TBody>(TBody body) where TBody : unmanaged, ILoopBody => memory.Device.ForEach(body, layout.Count, memory, round.Recorded);

    private Tensor Section(int first, int a, int b) => memory.Slice(first, a * b).Reshape(a, b);

    private Tensor Section(int first, int a, int b, int c) => memory.Slice(first, a * b * c).Reshape(a, b, c);

    private void Write(int first, int[] values) => memory.Device.Write(MemoryMarshal.Cast<int, float>(values), memory.Slice(first, values.Length));
}
