namespace Marl.Native.Rl;

/// <summary>
/// Plays episodes or segments: environments in shards, each acting and stepping by itself. An environment plays one episode of a round, or several one after the
/// other; or a segment of fixed length, in which episodes end and begin. The number of workers, and so of shards, changes nothing: every episode of a round has
/// its own streams of random numbers, and its environment.
/// </summary>
internal sealed class Rollout
{
    /// <summary>Environments that act together, unless there is a worker for less: more gain little.</summary>
    private const int MostPerShard = 16;

    private readonly Workers workers;
    private readonly RolloutShard[] shards;
    private readonly Action<int, int> play;
    private Episode[] episodes = [];
    private float exploration;
    private CancellationToken stop;

    /// <summary>Rounds of <paramref name="count"/> episodes in <paramref name="environments"/>, E and at most as many, their random numbers split from
    /// <paramref name="rng"/>: episode i in environment i mod E.</summary>
    /// <param name="environments">alike.</param>
    /// <param name="count">episodes of a round; of segments as many as there are environments.</param>
    /// <param name="actors">what acts.</param>
    /// <param name="selector">how.</param>
    /// <param name="workers">play the shards.</param>
    /// <param name="rng">split.</param>
    /// <param name="bootstrapAction">whether an action is chosen once more where an episode was truncated.</param>
    /// <param name="rolloutLength">steps of a segment; 0: whole episodes.</param>
    /// <param name="rewards">what is recorded of rewards; by default the environment's own.</param>
    /// <exception cref="UsageException">the environments are not alike, or do not have such rewards.</exception>
    public Rollout(ReadOnlySpan<IEnvironment> environments, int count, IReadOnlyList<Actor> actors, Exploration selector,
        Workers workers, Rng rng, bool bootstrapAction = false, int rolloutLength = 0, RewardOptions? rewards = null)
    {
        if (rolloutLength > 0 && (count != environments.Length || actors.Count > 1))
        {
            throw new ArgumentException("segments are played by one policy, one in each environment");
        }
        this.workers = workers;
        int all = environments.Length;
        shards = new RolloutShard[Math.Clamp(all / MostPerShard, Math.Min(workers.Count, all), all)];
        foreach (var environment in environments)
        {
            if (!environment.Spec.IsLike(environments[0].Spec))
            {
                throw new UsageException($"the environments of '{environments[0].Spec.Id}' are not alike: each must say the same of itself");
            }
        }
        for (int s = 0; s < shards.Length; s++)
        {
            int first = s * all / shards.Length, end = (s + 1) * all / shards.Length;
            int[] played = [.. Enumerable.Range(0, count).Where(i => i % all >= first && i % all < end)];
            shards[s] = new RolloutShard(environments[first..end], played, actors, selector, rng, new(bootstrapAction, rolloutLength, rewards));
        }
        play = (s, _) => shards[s].Play(episodes, exploration, stop);
    }

    /// <summary>Plays a round and records it. If an environment fails, or the round is stopped, the exception is thrown, and everything is as it was before the
    /// round, but for what the environment holds outside of its snapshot.</summary>
    /// <param name="episodes">as many as a round has, written over.</param>
    /// <param name="exploration">see <see cref="Exploration"/>.</param>
    /// <param name="fingerprint">when in training this is.</param>
    /// <param name="stop">ends the round before its next step.</param>
    /// <exception cref="OperationCanceledException">the round was stopped.</exception>
    public void Play(Episode[] episodes, float exploration, Fingerprint fingerprint = default, CancellationToken stop = default)
    {
        foreach (var episode in episodes)
        {
            episode.Fingerprint = fingerprint;
        }
        (this.episodes, this.exploration, this.stop) = (episodes, exploration, stop);
        foreach (var shard in shards)
        {
            shard.Begin();
        }
        try
        {
            workers.Run(shards.Length, play, stop);
        }
        catch
        {
            Rewind();
            throw;
        }
    }

    /// <summary>Goes back to where the last round began.</summary>
    public void Rewind()
    {
        foreach (var shard in shards)
        {
            shard.Rewind();
        }
    }

    /// <summary>Does something else with the environments, and puts the episodes that are under way back.</summary>
    internal T Lend<T>(Func<T> action)
    {
        foreach (var shard in shards)
        {
            shard.Begin();
        }
        try
        {
            return action();
        }
        finally
        {
            Rewind();
        }
    }

    /// <summary>Saves or restores environments, episodes under way and streams between rounds.</summary>
    public void Archive(IArchive archive)
    {
        foreach (var shard in shards)
        {
            shard.Archive(archive);
        }
    }
}
