namespace Marl.Native.Rl;

/// <summary>
/// Plays episodes: environments in shards, each acting and stepping by itself. An environment plays one episode of a round, or several one after the
/// other. Which worker plays which shard changes nothing: every episode of a round has its own streams of chance.
/// </summary>
public sealed class Rollout
{
    private readonly Workers workers;
    private readonly Shard[] shards;
    private readonly Action<int, int> play;
    private Episode[] episodes = [];
    private float exploration;

    /// <summary>Rounds of <paramref name="count"/> episodes in <paramref name="environments"/>, at most as many, their chance split from
    /// <paramref name="rng"/>. With <paramref name="beyond"/> an action is chosen once more where an episode was cut off.</summary>
    /// <exception cref="UsageException">the environments are not alike.</exception>
    public Rollout(ReadOnlySpan<IEnvironment> environments, int count, int shards, IReadOnlyList<Actor> actors, IActionSelector selector,
        Workers workers, Rng rng, bool beyond = false)
    {
        this.workers = workers;
        this.shards = new Shard[Math.Min(shards, environments.Length)];
        foreach (var environment in environments)
        {
            if (!environment.Spec.IsLike(environments[0].Spec))
                throw new UsageException($"the environments of '{environments[0].Spec.Id}' are not alike: each must say the same of itself");
        }
        for (int s = 0; s < this.shards.Length; s++)
        {
            var (from, end) = Share(environments.Length, s);
            var (first, last) = Share(count, s);
            this.shards[s] = new Shard(environments[from..end], first, last - first, actors, selector, rng, beyond);
        }
        play = (s, _) => this.shards[s].Play(episodes, exploration);

        (int From, int End) Share(int whole, int s) => (s * whole / this.shards.Length, (s + 1) * whole / this.shards.Length);
    }

    /// <summary>Plays a round and records it. If an environment fails, its exception is thrown, and all chance is as it was before the round.</summary>
    /// <param name="episodes">as many as a round has, written over.</param>
    /// <param name="exploration">see <see cref="IActionSelector"/>.</param>
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
        private readonly int first;
        private readonly IEnvironment[] environments;
        private readonly Rng[] chance, choice, chanceBefore, choiceBefore;
        private readonly Controller controller;
        private readonly double[] rewards, snapshot;
        private readonly bool beyond;
        private readonly int members;

        // The rows still playing: row i is episode index[i] of the shard's.
        private readonly int[] index;
        private readonly Episode[] playing;
        private readonly Rng[] choosing;

        public Shard(ReadOnlySpan<IEnvironment> environments, int first, int count, IReadOnlyList<Actor> actors, IActionSelector selector,
            Rng rng, bool beyond)
        {
            (this.first, this.environments, this.beyond) = (first, environments.ToArray(), beyond);
            chance = [.. Enumerable.Range(first, count).Select(i => rng.Split(RngPurpose.Environment, i))];
            choice = [.. Enumerable.Range(first, count).Select(i => rng.Split(RngPurpose.Exploration, i))];
            (chanceBefore, choiceBefore) = (new Rng[count], new Rng[count]);
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
            for (int start = 0; start < chance.Length; start += environments.Length)
            {
                PlayTogether(start, Math.Min(environments.Length, chance.Length - start), episodes, exploration);
            }
        }

        /// <summary>Plays the episodes from <paramref name="start"/> on, one in each environment.</summary>
        private void PlayTogether(int start, int active, Episode[] episodes, float exploration)
        {
            for (int row = 0; row < active; row++)
            {
                int i = start + row;
                (index[row], playing[row], choosing[row]) = (i, episodes[first + i], choice[i]);
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
                var scope = archive.Scope($"environment.{first + i}");
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
