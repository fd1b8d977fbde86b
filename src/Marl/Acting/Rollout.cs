namespace Marl.Native.Rl;

/// <summary>
/// Plays episodes: environments in shards, each acting and stepping by itself, one episode per environment and round. Which worker
/// plays which shard changes nothing: every environment has its own streams of chance.
/// </summary>
public sealed class Rollout
{
    private readonly Workers workers;
    private readonly Shard[] shards;
    private readonly Action<int, int> play;
    private Episode[] episodes = [];
    private float exploration;

    /// <summary>Environments from <paramref name="create"/>, their chance split from <paramref name="rng"/>.</summary>
    public Rollout(Func<IEnvironment> create, int environments, int shards, Agent agent, Parameters parameters, IActionSelector selector, Workers workers, Rng rng)
    {
        this.workers = workers;
        this.shards = new Shard[Math.Min(shards, environments)];
        for (int s = 0; s < this.shards.Length; s++)
        {
            int first = s * environments / this.shards.Length, end = (s + 1) * environments / this.shards.Length;
            this.shards[s] = new Shard(create, first, end - first, agent, parameters, selector, rng);
        }
        play = (s, _) => this.shards[s].Play(episodes, exploration);
    }

    /// <summary>Plays one episode in every environment and records it.</summary>
    /// <param name="episodes">one per environment, written over.</param>
    /// <param name="exploration">see <see cref="IActionSelector"/>.</param>
    public void Play(Episode[] episodes, float exploration)
    {
        (this.episodes, this.exploration) = (episodes, exploration);
        workers.Run(shards.Length, play);
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
        private readonly Rng[] chance, choice;
        private readonly Controller controller;
        private readonly double[] rewards, snapshot;

        // The rows still playing: row i is environment index[i].
        private readonly int[] index;
        private readonly Episode[] playing;
        private readonly Rng[] choosing;

        public Shard(Func<IEnvironment> create, int first, int count, Agent agent, Parameters parameters, IActionSelector selector, Rng rng)
        {
            this.first = first;
            environments = [.. Enumerable.Range(0, count).Select(_ => create())];
            chance = [.. Enumerable.Range(first, count).Select(i => rng.Split(RngPurpose.Environment, i))];
            choice = [.. Enumerable.Range(first, count).Select(i => rng.Split(RngPurpose.Exploration, i))];
            var spec = environments[0].Spec;
            controller = new Controller(agent, parameters, selector, spec, count);
            rewards = new double[spec.Agents.Length];
            snapshot = new double[spec.SnapshotSize];
            (index, playing, choosing) = (new int[count], new Episode[count], new Rng[count]);
        }

        public void Play(Episode[] episodes, float exploration)
        {
            int active = environments.Length;
            for (int i = 0; i < active; i++)
            {
                (index[i], playing[i], choosing[i]) = (i, episodes[first + i], choice[i]);
                environments[i].Reset(ref chance[i]);
                playing[i].Begin(environments[i]);
            }
            controller.Begin(active);
            while (active > 0)
            {
                controller.Act(playing.AsSpan(0, active), exploration, choosing);
                for (int row = active - 1; row >= 0; row--)
                {
                    int i = index[row];
                    if (!playing[row].Step(environments[i], rewards, ref chance[i]))
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
