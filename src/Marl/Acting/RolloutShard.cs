using System.Runtime.InteropServices;

namespace Marl.Native.Rl;

/// <summary>Options of a rollout.</summary>
/// <param name="BootstrapAction">Whether an action is selected after a truncated episode, to bootstrap from.</param>
/// <param name="Length">Steps of a segment; 0: whole episodes.</param>
/// <param name="Rewards">The rewards to record.</param>
internal readonly record struct RolloutOptions(bool BootstrapAction, int Length, RewardOptions? Rewards);

/// <summary>A group of environments of a <see cref="Rollout"/> whose actions are selected as one batch.</summary>
internal sealed class RolloutShard
{
    private readonly IEnvironment[] environments;
    private readonly EpisodeRecorder[] recorders;
    private readonly int[] episodeIndices;
    private readonly Rng[] environmentRng, actionRng, environmentRngBefore, actionRngBefore;
    private readonly Controller controller;
    private readonly RolloutOptions options;
    private readonly int members;

    // The active rows: row i is episode episodeIndices[index[i]] of the round.
    private readonly int[] index;
    private readonly Episode[] rowEpisodes;
    private readonly Rng[] rngs;

    // For segments: each environment's agent memory, whether a row only needs an action to bootstrap from, and the state before the round.
    private readonly float[][] memory, memoryBefore;
    private readonly bool[] needsBootstrapAction;
    private readonly double[][] snapshotBefore;
    private readonly EpisodeRecorder[] recordersBefore;

    /// <summary>Creates a shard.</summary>
    /// <param name="environments">The environments of this shard.</param>
    /// <param name="played">The indices of the episodes of a round that they play.</param>
    /// <param name="actors">One network, or the members of an ensemble.</param>
    /// <param name="selector">Selects actions from the networks' outputs.</param>
    /// <param name="rng">The generator of all shards, split per episode.</param>
    /// <param name="options">How episodes are played.</param>
    public RolloutShard(ReadOnlySpan<IEnvironment> environments, int[] played, IReadOnlyList<Actor> actors, Exploration selector, Rng rng,
        RolloutOptions options)
    {
        (this.environments, this.episodeIndices, this.options) = (environments.ToArray(), played, options);
        environmentRng = [.. played.Select(i => rng.Split(RngPurpose.Environment, i))];
        actionRng = [.. played.Select(i => rng.Split(RngPurpose.Exploration, i))];
        (environmentRngBefore, actionRngBefore) = (new Rng[played.Length], new Rng[played.Length]);
        var spec = environments[0].Spec;
        int rows = environments.Length, size = spec.SnapshotSize;
        controller = new Controller(actors, selector, spec, rows);
        members = actors.Count;
        (index, rowEpisodes, rngs, needsBootstrapAction) = (new int[rows], new Episode[rows], new Rng[rows], new bool[rows]);
        recorders = Recorders();
        bool segments = options.Length > 0;
        (memory, memoryBefore) = (PerEnvironment<float>(controller.RowMemorySize), PerEnvironment<float>(controller.RowMemorySize));
        snapshotBefore = PerEnvironment<double>(size);
        recordersBefore = segments ? Recorders() : [];

        EpisodeRecorder[] Recorders() => [.. Enumerable.Range(0, rows).Select(_ => new EpisodeRecorder(spec, options.Rewards))];

        T[][] PerEnvironment<T>(int length) => [.. Enumerable.Range(0, segments ? rows : 0).Select(_ => new T[length])];
    }

    /// <summary>Begins a round, and saves the state that <see cref="Rewind"/> restores.</summary>
    public void Begin()
    {
        environmentRng.CopyTo(environmentRngBefore);
        actionRng.CopyTo(actionRngBefore);
        for (int i = 0; i < recordersBefore.Length; i++)
        {
            memory[i].CopyTo(memoryBefore[i]);
            recordersBefore[i].CopyFrom(recorders[i]);
            environments[i].Save(snapshotBefore[i]);
        }
    }

    public void Rewind()
    {
        environmentRngBefore.CopyTo(environmentRng);
        actionRngBefore.CopyTo(actionRng);
        for (int i = 0; i < recordersBefore.Length; i++)
        {
            memoryBefore[i].CopyTo(memory[i]);
            recorders[i].CopyFrom(recordersBefore[i]);
            environments[i].Restore(snapshotBefore[i]);
        }
    }

    public void Play(Episode[] episodes, float exploration, CancellationToken stop)
    {
        controller.UpdateWeights();
        if (options.Length > 0)
        {
            PlaySegments(episodes, exploration, stop);
            return;
        }
        for (int start = 0; start < episodeIndices.Length; start += environments.Length)
        {
            PlayEpisodes(start, Math.Min(environments.Length, episodeIndices.Length - start), episodes, exploration, stop);
        }
    }

    /// <summary>Plays the episodes from <paramref name="start"/> on, one in each environment.</summary>
    private void PlayEpisodes(int start, int active, Episode[] episodes, float exploration, CancellationToken stop)
    {
        for (int row = 0; row < active; row++)
        {
            int i = start + row;
            (index[row], rowEpisodes[row], rngs[row]) = (i, episodes[episodeIndices[i]], actionRng[i]);
            recorders[row].Begin(environments[row], rowEpisodes[row], ref environmentRng[i]);
            rowEpisodes[row].AssignMembers(members, ref rngs[row]);
        }
        controller.Begin(active);
        while (active > 0)
        {
            stop.ThrowIfCancellationRequested();
            controller.Act(rowEpisodes.AsSpan(0, active), exploration, rngs);
            for (int row = active - 1; row >= 0; row--)
            {
                int i = index[row];
                var recorder = recorders[i - start];
                bool continues = !recorder.IsOver && (recorder.Step(ref environmentRng[i]) || options.BootstrapAction && !rowEpisodes[row].Terminated);
                if (!continues)
                {
                    Drop(row, ref active);
                }
            }
        }
    }

    /// <summary>Plays a segment in each environment: continues its episode, and begins others until the segment is complete.</summary>
    private void PlaySegments(Episode[] episodes, float exploration, CancellationToken stop)
    {
        int active = environments.Length;
        controller.BeginSegments(active);
        for (int row = 0; row < active; row++)
        {
            (index[row], rowEpisodes[row], rngs[row], needsBootstrapAction[row]) = (row, episodes[episodeIndices[row]], actionRng[row], false);
            if (recorders[row].IsOver)
            {
                controller.BeginRow(row);
            }
            else
            {
                controller.ResumeRow(row, memory[row]);
            }
            recorders[row].BeginSegment(environments[row], rowEpisodes[row], ref environmentRng[row]);
            controller.RecordStart(row, rowEpisodes[row]);
        }
        while (active > 0)
        {
            stop.ThrowIfCancellationRequested();
            controller.Act(rowEpisodes.AsSpan(0, active), exploration, rngs);
            for (int row = active - 1; row >= 0; row--)
            {
                int i = index[row];
                var (recorder, segment) = (recorders[i], rowEpisodes[row]);
                if (!needsBootstrapAction[row])
                {
                    recorder.StepInSegment(ref environmentRng[i]);
                    if (!recorder.IsOver && segment.Steps == options.Length)
                    {
                        // The next segment continues from here; the bootstrap action does not advance the memory.
                        controller.SaveRow(row, memory[i]);
                    }
                    // An action-value critic bootstraps from an action where an episode was truncated or the segment ends.
                    needsBootstrapAction[row] = options.BootstrapAction && !segment.Terminated && (recorder.IsOver || segment.Steps == options.Length);
                    if (needsBootstrapAction[row])
                    {
                        continue;
                    }
                }
                needsBootstrapAction[row] = false;
                if (segment.Steps == options.Length)
                {
                    Drop(row, ref active);
                }
                else if (recorder.IsOver)
                {
                    recorder.BeginNextEpisode(ref environmentRng[i]);
                    controller.BeginRow(row);
                }
            }
        }
    }

    /// <summary>Removes a row that has finished; the last row moves to its place.</summary>
    private void Drop(int row, ref int active)
    {
        actionRng[index[row]] = rngs[row];
        controller.Drop(row);
        active--;
        (index[row], rowEpisodes[row], rngs[row], needsBootstrapAction[row]) = (index[active], rowEpisodes[active], rngs[active], needsBootstrapAction[active]);
    }

    public void Archive(IArchive archive)
    {
        double[] snapshot = new double[environments[0].Spec.SnapshotSize];
        for (int i = 0; i < environments.Length; i++)
        {
            var scope = archive.Scope($"environment.{episodeIndices[i]}");
            scope.Rng("environmentRng", ref environmentRng[i]);
            scope.Rng("actionRng", ref actionRng[i]);
            if (!archive.IsLoading)
            {
                environments[i].Save(snapshot);
            }
            // Snapshots of long histories end with zeros.
            int used = MemoryMarshal.Cast<double, long>(snapshot).LastIndexOfAnyExcept(0) + 1;
            scope.Value("snapshotLength", ref used, 0, snapshot.Length);
            scope.Array("snapshot", snapshot.AsSpan(0, used));
            if (archive.IsLoading)
            {
                snapshot.AsSpan(used).Clear();
                Restore(i, snapshot);
            }
            if (options.Length > 0)
            {
                recorders[i].Archive(scope.Scope("episode"));
                scope.Array<float>("memory", memory[i]);
            }
        }
    }

    private void Restore(int i, ReadOnlySpan<double> snapshot)
    {
        try
        {
            environments[i].Restore(snapshot);
        }
        catch (Exception error) when (EnvironmentException.IsForeign(error))
        {
            throw new InvalidDataException($"environment {episodeIndices[i]} cannot restore its snapshot: {error.Message}", error);
        }
    }
}
