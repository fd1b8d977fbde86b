namespace Marl.Native.Rl;

/// <summary>
/// Plays rounds of episodes or segments in environments that are grouped into shards, which threads run concurrently. An environment plays one or more
/// episodes of a round in sequence, or a segment of fixed length in which episodes end and begin. The result does not depend on the number of threads or
/// shards: every episode of a round has its own environment and random number generators.
/// </summary>
internal sealed class Rollout : IRollout
{
    /// <summary>The maximum number of environments per shard, about; larger batches gain little.</summary>
    private const int MaxEnvironmentsPerShard = 16;

    private readonly Workers workers;
    private readonly RolloutShard[] shards;
    private readonly Action<int, int> play;
    private Episode[] episodes = [];
    private float exploration;
    private CancellationToken stop;

    /// <summary>Creates a rollout of <paramref name="count"/> episodes per round. Episode i is played in environment i mod E, E the number of
    /// environments.</summary>
    /// <param name="environments">Environments with the same specification, at most <paramref name="count"/>.</param>
    /// <param name="count">Episodes per round; for segments the number of environments.</param>
    /// <param name="actors">One network, or the members of an ensemble.</param>
    /// <param name="selector">Selects actions from the networks' outputs.</param>
    /// <param name="workers">The threads that run the shards.</param>
    /// <param name="rng">The generator that is split per episode.</param>
    /// <param name="bootstrapAction">Whether an action is selected after a truncated episode, to bootstrap from.</param>
    /// <param name="rolloutLength">Steps of a segment; 0: whole episodes.</param>
    /// <param name="rewards">The rewards to record; by default the environment's own.</param>
    /// <exception cref="UsageException">The environments have different specifications, or do not have such rewards.</exception>
    public Rollout(ReadOnlySpan<IEnvironment> environments, int count, IReadOnlyList<Actor> actors, Exploration selector,
        Workers workers, Rng rng, bool bootstrapAction = false, int rolloutLength = 0, RewardOptions? rewards = null)
    {
        if (rolloutLength > 0 && (count != environments.Length || actors.Count > 1))
        {
            throw new ArgumentException("segments are played by one policy, one in each environment");
        }
        this.workers = workers;
        int all = environments.Length;
        shards = new RolloutShard[Math.Clamp(all / MaxEnvironmentsPerShard, Math.Min(workers.Count, all), all)];
        foreach (var environment in environments)
        {
            if (!environment.Spec.IsEquivalentTo(environments[0].Spec))
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

    /// <inheritdoc/>
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

    /// <inheritdoc/>
    public void Rewind()
    {
        foreach (var shard in shards)
        {
            shard.Rewind();
        }
    }

    /// <inheritdoc/>
    public T RunSuspended<T>(Func<T> action)
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

    /// <inheritdoc/>
    public void Archive(IArchive archive)
    {
        foreach (var shard in shards)
        {
            shard.Archive(archive);
        }
    }
}
