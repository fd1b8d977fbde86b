using System.Runtime.InteropServices;

namespace Marl.Native.Rl;

/// <summary>How episodes are played.</summary>
/// <param name="BootstrapAction">whether an action is chosen once more where an episode was truncated.</param>
/// <param name="Length">steps of a segment; 0: whole episodes.</param>
/// <param name="Rewards">what is recorded of rewards.</param>
internal readonly record struct RolloutOptions(bool BootstrapAction, int Length, RewardOptions? Rewards);

/// <summary>Some environments of a <see cref="Rollout"/>, which act together.</summary>
internal sealed class RolloutShard
{
    private readonly IEnvironment[] environments;
    private readonly EpisodeRecorder[] recorders;
    private readonly int[] played;
    private readonly Rng[] environmentRng, actionRng, environmentRngBefore, actionRngBefore;
    private readonly Controller controller;
    private readonly RolloutOptions options;
    private readonly int members;

    // The rows still playing: row i is episode played[index[i]] of the round.
    private readonly int[] index;
    private readonly Episode[] playing;
    private readonly Rng[] choosing;

    // Of segments: what the agents of each environment remember, whether a row only asks for an action to bootstrap from, and all as it was before the round.
    private readonly float[][] memory, memoryBefore;
    private readonly bool[] asks;
    private readonly double[][] snapshotBefore;
    private readonly EpisodeRecorder[] recordersBefore;

    /// <param name="environments">of this shard.</param>
    /// <param name="played">which episodes of a round they play, as many at a time.</param>
    /// <param name="actors">what acts.</param>
    /// <param name="selector">how.</param>
    /// <param name="rng">of all shards.</param>
    /// <param name="options">how episodes are played.</param>
    public RolloutShard(ReadOnlySpan<IEnvironment> environments, int[] played, IReadOnlyList<Actor> actors, Exploration selector, Rng rng, RolloutOptions options)
    {
        (this.environments, this.played, this.options) = (environments.ToArray(), played, options);
        environmentRng = [.. played.Select(i => rng.Split(RngPurpose.Environment, i))];
        actionRng = [.. played.Select(i => rng.Split(RngPurpose.Exploration, i))];
        (environmentRngBefore, actionRngBefore) = (new Rng[played.Length], new Rng[played.Length]);
        var spec = environments[0].Spec;
        int rows = environments.Length, size = spec.SnapshotSize;
        controller = new Controller(actors, selector, spec, rows);
        members = actors.Count;
        (index, playing, choosing, asks) = (new int[rows], new Episode[rows], new Rng[rows], new bool[rows]);
        recorders = Recorders();
        bool segments = options.Length > 0;
        (memory, memoryBefore) = (PerEnvironment<float>(controller.RowSize), PerEnvironment<float>(controller.RowSize));
        snapshotBefore = PerEnvironment<double>(size);
        recordersBefore = segments ? Recorders() : [];

        EpisodeRecorder[] Recorders() => [.. Enumerable.Range(0, rows).Select(_ => new EpisodeRecorder(spec, options.Rewards))];

        T[][] PerEnvironment<T>(int length) => [.. Enumerable.Range(0, segments ? rows : 0).Select(_ => new T[length])];
    }

    /// <summary>A round begins; <see cref="Rewind"/> goes back to here.</summary>
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
        for (int start = 0; start < played.Length; start += environments.Length)
        {
            PlayTogether(start, Math.Min(environments.Length, played.Length - start), episodes, exploration, stop);
        }
    }

    /// <summary>Plays the episodes from <paramref name="start"/> on, one in each environment.</summary>
    private void PlayTogether(int start, int active, Episode[] episodes, float exploration, CancellationToken stop)
    {
        for (int row = 0; row < active; row++)
        {
            int i = start + row;
            (index[row], playing[row], choosing[row]) = (i, episodes[played[i]], actionRng[i]);
            recorders[row].Begin(environments[row], playing[row], ref environmentRng[i]);
            playing[row].AssignMembers(members, ref choosing[row]);
        }
        controller.Begin(active);
        while (active > 0)
        {
            stop.ThrowIfCancellationRequested();
            controller.Act(playing.AsSpan(0, active), exploration, choosing);
            for (int row = active - 1; row >= 0; row--)
            {
                int i = index[row];
                var recorder = recorders[i - start];
                bool goesOn = !recorder.Over && (recorder.Step(ref environmentRng[i]) || options.BootstrapAction && !playing[row].Terminated);
                if (!goesOn)
                {
                    Drop(row, ref active);
                }
            }
        }
    }

    /// <summary>Plays a segment in each environment: goes on with the episode that is under way there, and begins others until there are enough steps.</summary>
    private void PlaySegments(Episode[] episodes, float exploration, CancellationToken stop)
    {
        int active = environments.Length;
        controller.BeginSegments(active);
        for (int row = 0; row < active; row++)
        {
            (index[row], playing[row], choosing[row], asks[row]) = (row, episodes[played[row]], actionRng[row], false);
            if (recorders[row].Over)
            {
                controller.BeginRow(row);
            }
            else
            {
                controller.ResumeRow(row, memory[row]);
            }
            recorders[row].BeginSegment(environments[row], playing[row], ref environmentRng[row]);
            controller.RecordStart(row, playing[row]);
        }
        while (active > 0)
        {
            stop.ThrowIfCancellationRequested();
            controller.Act(playing.AsSpan(0, active), exploration, choosing);
            for (int row = active - 1; row >= 0; row--)
            {
                int i = index[row];
                var (recorder, segment) = (recorders[i], playing[row]);
                if (!asks[row])
                {
                    recorder.StepInSegment(ref environmentRng[i]);
                    if (!recorder.Over && segment.Steps == options.Length)
                    {
                        // The next segment goes on from here, whatever is asked for now.
                        controller.SaveRow(row, memory[i]);
                    }
                    // A critic that values actions bootstraps from one where an episode was truncated, or the segment ends.
                    asks[row] = options.BootstrapAction && !segment.Terminated && (recorder.Over || segment.Steps == options.Length);
                    if (asks[row])
                    {
                        continue;
                    }
                }
                asks[row] = false;
                if (segment.Steps == options.Length)
                {
                    Drop(row, ref active);
                }
                else if (recorder.Over)
                {
                    recorder.BeginNext(ref environmentRng[i]);
                    controller.BeginRow(row);
                }
            }
        }
    }

    /// <summary>A row has played its episode; the last one takes its place.</summary>
    private void Drop(int row, ref int active)
    {
        actionRng[index[row]] = choosing[row];
        controller.Drop(row);
        active--;
        (index[row], playing[row], choosing[row], asks[row]) = (index[active], playing[active], choosing[active], asks[active]);
    }

    public void Archive(IArchive archive)
    {
        double[] snapshot = new double[environments[0].Spec.SnapshotSize];
        for (int i = 0; i < environments.Length; i++)
        {
            var scope = archive.Scope($"environment.{played[i]}");
            scope.Rng("chance", ref environmentRng[i]);
            scope.Rng("choice", ref actionRng[i]);
            if (!archive.Loading)
            {
                environments[i].Save(snapshot);
            }
            // Snapshots of long histories end with zeros.
            int used = MemoryMarshal.Cast<double, long>(snapshot).LastIndexOfAnyExcept(0) + 1;
            scope.Value("snapshotLength", ref used);
            if (used < 0 || used > snapshot.Length)
            {
                throw new InvalidDataException($"environment {played[i]} has a snapshot of {used} elements; its own have {snapshot.Length}");
            }
            scope.Array("snapshot", snapshot.AsSpan(0, used));
            if (archive.Loading)
            {
                snapshot.AsSpan(used).Clear();
                environments[i].Restore(snapshot);
            }
            if (options.Length > 0)
            {
                recorders[i].Archive(scope.Scope("episode"));
                scope.Array<float>("memory", memory[i]);
            }
        }
    }
}
