namespace Marl.Native.Rl;

/// <summary>
/// Plays episodes: environments in shards, each acting and stepping by itself. An environment plays one episode of a round, or several one after the
/// other. How many workers there are, and so how many shards, changes nothing: every episode of a round has its own streams of chance, and its environment.
/// </summary>
public sealed class Rollout
{
    /// <summary>So many environments act together, unless there is a worker for less: more gain little.</summary>
    private const int Together = 16;

    private readonly Workers workers;
    private readonly Shard[] shards;
    private readonly Action<int, int> play;
    private Episode[] episodes = [];
    private float exploration;

    /// <summary>Rounds of <paramref name="count"/> episodes in <paramref name="environments"/>, E and at most as many, their chance split from
    /// <paramref name="rng"/>: episode i in environment i mod E. With <paramref name="beyond"/> an action is chosen once more where an episode was cut off.</summary>
    /// <exception cref="UsageException">the environments are not alike.</exception>
    public Rollout(ReadOnlySpan<IEnvironment> environments, int count, IReadOnlyList<Actor> actors, Exploration selector,
        Workers workers, Rng rng, bool beyond = false)
    {
        this.workers = workers;
        int all = environments.Length;
        shards = new Shard[Math.Clamp(all / Together, Math.Min(workers.Count, all), all)];
        foreach (var environment in environments)
        {
            if (!environment.Spec.IsLike(environments[0].Spec))
                throw new UsageException($"the environments of '{environments[0].Spec.Id}' are not alike: each must say the same of itself");
        }
        for (int s = 0; s < shards.Length; s++)
        {
            int first = s * all / shards.Length, end = (s + 1) * all / shards.Length;
            int[] played = [.. Enumerable.Range(0, count).Where(i => i % all >= first && i % all < end)];
            shards[s] = new Shard(environments[first..end], played, actors, selector, rng, beyond);
        }
        play = (s, _) => shards[s].Play(episodes, exploration);
    }

    /// <summary>Plays a round and records it. If an environment fails, its exception is thrown, and all chance is as it was before the round.</summary>
    /// <param name="episodes">as many as a round has, written over.</param>
    /// <param name="exploration">see <see cref="Exploration"/>.</param>
    /// <param name="fingerprint">when in training this is.</param>
    public void Play(Episode[] episodes, float exploration, Fingerprint fingerprint = default)
    {
        foreach (var episode in episodes)
        {
            episode.Fingerprint = fingerprint;
        }
        (this.episodes, this.exploration) = (episodes, exploration);
        foreach (var shard in shards)
        {
            shard.Remember();
        }
        try
        {
            workers.Run(shards.Length, play);
        }
        catch
        {
            foreach (var shard in shards)
            {
                shard.Rewind();
            }
            throw;
        }
    }

    /// <summary>Saves or restores environments and streams between rounds.</summary>
    public void Archive(IArchive archive)
    {
        foreach (var shard in shards)
        {
            shard.Archive(archive);
        }
    }

    private sealed class Shard
    {
        private readonly IEnvironment[] environments;
        private readonly int[] played;
        private readonly Rng[] chance, choice, chanceBefore, choiceBefore;
        private readonly Controller controller;
        private readonly double[] rewards, snapshot;
        private readonly bool beyond;
        private readonly int members;

        // The rows still playing: row i is episode played[index[i]] of the round.
        private readonly int[] index;
        private readonly Episode[] playing;
        private readonly Rng[] choosing;

        /// <param name="environments">of this shard.</param>
        /// <param name="played">which episodes of a round they play, so many at a time.</param>
        /// <param name="actors">who act.</param>
        /// <param name="selector">how.</param>
        /// <param name="rng">of all shards.</param>
        /// <param name="beyond">whether an action is chosen once more.</param>
        public Shard(ReadOnlySpan<IEnvironment> environments, int[] played, IReadOnlyList<Actor> actors, Exploration selector, Rng rng, bool beyond)
        {
            (this.environments, this.played, this.beyond) = (environments.ToArray(), played, beyond);
            chance = [.. played.Select(i => rng.Split(RngPurpose.Environment, i))];
            choice = [.. played.Select(i => rng.Split(RngPurpose.Exploration, i))];
            (chanceBefore, choiceBefore) = (new Rng[played.Length], new Rng[played.Length]);
            var spec = environments[0].Spec;
            int rows = environments.Length;
            controller = new Controller(actors, selector, spec, rows);
            members = actors.Count;
            rewards = new double[spec.Agents.Length];
            snapshot = new double[spec.SnapshotSize];
            (index, playing, choosing) = (new int[rows], new Episode[rows], new Rng[rows]);
        }

        public void Remember()
        {
            chance.CopyTo(chanceBefore);
            choice.CopyTo(choiceBefore);
        }

        public void Rewind()
        {
            chanceBefore.CopyTo(chance);
            choiceBefore.CopyTo(choice);
        }

        public void Play(Episode[] episodes, float exploration)
        {
            controller.Freeze();
            for (int start = 0; start < played.Length; start += environments.Length)
            {
                PlayTogether(start, Math.Min(environments.Length, played.Length - start), episodes, exploration);
            }
        }

        /// <summary>Plays the episodes from <paramref name="start"/> on, one in each environment.</summary>
        private void PlayTogether(int start, int active, Episode[] episodes, float exploration)
        {
            for (int row = 0; row < active; row++)
            {
                int i = start + row;
                (index[row], playing[row], choosing[row]) = (i, episodes[played[i]], choice[i]);
                environments[row].Reset(ref chance[i]);
                playing[row].Begin(environments[row]);
                playing[row].Cast(members, ref choosing[row]);
            }
            controller.Begin(active);
            while (active > 0)
            {
                controller.Act(playing.AsSpan(0, active), exploration, choosing);
                for (int row = active - 1; row >= 0; row--)
                {
                    var (i, episode) = (index[row], playing[row]);
                    bool goesOn = !episode.Over && (episode.Step(environments[i - start], rewards, ref chance[i]) || beyond && !episode.Terminated);
                    if (!goesOn)
                    {
                        choice[i] = choosing[row];
                        controller.Drop(row);
                        active--;
                        (index[row], playing[row], choosing[row]) = (index[active], playing[active], choosing[active]);
                    }
                }
            }
        }

        public void Archive(IArchive archive)
        {
            for (int i = 0; i < environments.Length; i++)
            {
                var scope = archive.Scope($"environment.{played[i]}");
                scope.Rng("chance", ref chance[i]);
                scope.Rng("choice", ref choice[i]);
                if (!archive.Loading)
                {
                    environments[i].Save(snapshot);
                }
                scope.Array<double>("snapshot", snapshot);
                if (archive.Loading)
                {
                    environments[i].Restore(snapshot);
                }
            }
        }
    }
}
