namespace Marl.Native.Rl;

/// <summary>
/// Steps an environment and records what happens in an <see cref="Episode"/>: observations, available actions, state, rewards, and the end. Agents that observe or
/// can do less than others are padded here: with zeros, and with unavailable actions. One recorder belongs to one environment.
/// </summary>
public sealed class EpisodeRecorder
{
    private readonly EnvironmentSpec spec;
    private readonly RewardRecorder rewards;
    private readonly double[] returns;
    private IEnvironment environment = null!;
    private Episode episode = null!;

    // Of the episode under way, which may have begun in an earlier segment.
    private int steps;
    private bool inProgress;

    /// <summary>For environments of <paramref name="spec"/>.</summary>
    /// <param name="spec">the environment.</param>
    /// <param name="options">what is recorded of rewards; by default the environment's own.</param>
    /// <exception cref="UsageException">the environment has no such rewards.</exception>
    public EpisodeRecorder(EnvironmentSpec spec, RewardOptions? options = null)
    {
        (this.spec, rewards) = (spec, new RewardRecorder(spec, options ?? new()));
        returns = new double[spec.Teams.Length];
    }

    /// <summary>Whether the episode has ended: it terminated, was truncated, or reached the limit.</summary>
    public bool IsOver => !inProgress;

    /// <summary>Steps of the episode under way.</summary>
    public int Steps => steps;

    /// <summary>[N] each agent's own reward of the last step.</summary>
    public ReadOnlySpan<double> Rewards => rewards.Own;

    /// <summary>Records the first row of an environment that was just reset.</summary>
    /// <param name="environment">stepped from now on.</param>
    /// <param name="episode">written over.</param>
    /// <exception cref="ArgumentException">the episode has room for other rewards.</exception>
    public void Begin(IEnvironment environment, Episode episode)
    {
        Attach(environment, episode);
        (steps, inProgress) = (0, true);
        returns.AsSpan().Clear();
        Observe();
    }

    /// <summary>Takes the joint action of the present row in the environment and records the outcome.</summary>
    /// <param name="rng">random numbers of the environment.</param>
    /// <returns>whether the episode goes on.</returns>
    public bool Step(ref Rng rng)
    {
        var result = Advance(ref rng);
        episode.Terminated = rewards.IsTerminal(result, IsOver);
        returns.CopyTo(episode.TeamReturns.AsSpan());
        if (IsOver)
        {
            episode.ActionsAt(episode.Length).Clear();
        }
        return !IsOver;
    }

    /// <summary>Records the first row of a segment: of the episode under way, or of a new one.</summary>
    /// <param name="environment">reset where no episode is under way.</param>
    /// <param name="segment">written over.</param>
    /// <param name="rng">random numbers of the environment.</param>
    internal void BeginSegment(IEnvironment environment, Episode segment, ref Rng rng)
    {
        Attach(environment, segment);
        (segment.EndedEpisodes, segment.EndedSteps, segment.InnerEnds) = (0, 0, 0);
        if (!inProgress)
        {
            BeginEpisode(ref rng);
            return;
        }
        WriteFlags(begins: false);
        Observe();
    }

    /// <summary>The same as <see cref="Step"/> in a segment, in which episodes may end.</summary>
    internal bool StepInSegment(ref Rng rng)
    {
        int row = episode.Length;
        var result = Advance(ref rng);
        bool terminated = rewards.IsTerminal(result, IsOver);
        episode.Bools(Segment.Terminates).All[row] = terminated;
        episode.Terminated = terminated;
        WriteFlags(begins: false);
        episode.ActionsAt(episode.Length).Clear();
        if (IsOver)
        {
            episode.Bools(Segment.Ends).All[episode.Length] = true;
            (episode.EndedEpisodes, episode.EndedSteps) = (episode.EndedEpisodes + 1, episode.EndedSteps + steps);
            for (int team = 0; team < returns.Length; team++)
            {
                episode.TeamReturns[team] += returns[team];
            }
        }
        return !IsOver;
    }

    /// <summary>Begins the next episode, in the row after the last one of the episode before.</summary>
    internal void BeginNextEpisode(ref Rng rng)
    {
        int last = episode.Length;
        episode.RewardsAt(last).Clear();
        episode.ProbabilitiesAt(last).Fill(1f);
        episode.Bools(Segment.Terminates).All[last] = false;
        episode.InnerEnds++;
        episode.Length++;
        BeginEpisode(ref rng);
    }

    /// <summary>Saves or restores the episode under way, but for the environment.</summary>
    internal void Archive(IArchive archive)
    {
        archive.Value("steps", ref steps);
        archive.Value("underWay", ref inProgress);
        archive.Array<double>("returns", returns);
    }

    /// <summary>Takes over the episode under way of another recorder.</summary>
    internal void CopyFrom(EpisodeRecorder other)
    {
        (steps, inProgress) = (other.steps, other.inProgress);
        other.returns.CopyTo(returns.AsSpan());
    }

    private void Attach(IEnvironment environment, Episode episode)
    {
        (this.environment, this.episode) = (environment, episode);
        rewards.Prepare(episode);
        (episode.Length, episode.Terminated) = (0, false);
        episode.TeamReturns.AsSpan().Clear();
    }

    private void BeginEpisode(ref Rng rng)
    {
        environment.Reset(ref rng);
        (steps, inProgress) = (0, true);
        returns.AsSpan().Clear();
        WriteFlags(begins: true);
        Observe();
    }

    /// <summary>Flags of the present row of a segment.</summary>
    private void WriteFlags(bool begins)
    {
        episode.Bools(Segment.Begins).All[episode.Length] = begins;
        episode.Bools(Segment.Ends).All[episode.Length] = false;
    }

    /// <summary>A step of the environment: rewards of the present row, observations of the next.</summary>
    private StepResult Advance(ref Rng rng)
    {
        int row = episode.Length;
        episode.Reserve(row + 2);
        var result = rewards.Step(environment, episode, returns, ref rng);
        steps++;
        episode.Length = row + 1;
        inProgress = result == StepResult.Running && steps < spec.EpisodeLimit;
        Observe();
        return result;
    }

    private void Observe()
    {
        int row = episode.Length;
        for (int agent = 0; agent < spec.Agents.Length; agent++)
        {
            var size = spec.Agents[agent];
            var observation = episode.Observation(row, agent);
            var available = episode.AvailableActions(row, agent);
            environment.Observe(agent, observation[..size.ObservationSize]);
            observation[size.ObservationSize..].Clear();
            environment.ReadAvailable(agent, available[..size.ActionCount]);
            available[size.ActionCount..].Clear();
        }
        if (episode.StateSize > 0)
        {
            environment.ReadState(episode.State(row));
        }
    }
}
