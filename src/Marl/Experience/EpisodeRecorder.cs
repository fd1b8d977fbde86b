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
    private bool underWay;

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
    public bool Over => !underWay;

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
        Open(environment, episode);
        (steps, underWay) = (0, true);
        returns.AsSpan().Clear();
        Observe();
    }

    /// <summary>Resets an environment and records the first row.</summary>
    /// <param name="environment">stepped from now on.</param>
    /// <param name="episode">written over.</param>
    /// <param name="rng">random numbers of the environment.</param>
    /// <exception cref="EnvironmentException">the environment failed.</exception>
    public void Begin(IEnvironment environment, Episode episode, ref Rng rng)
    {
        Reset(environment, ref rng);
        Begin(environment, episode);
    }

    /// <summary>Takes the joint action of the present row in the environment and records the outcome.</summary>
    /// <param name="rng">random numbers of the environment.</param>
    /// <returns>whether the episode goes on.</returns>
    /// <exception cref="EnvironmentException">the environment failed.</exception>
    public bool Step(ref Rng rng)
    {
        var result = Advance(ref rng);
        episode.Terminated = rewards.IsTerminal(result, Over);
        returns.CopyTo(episode.TeamReturns.AsSpan());
        if (Over)
        {
            episode.Choices(episode.Length).Clear();
        }
        return !Over;
    }

    /// <summary>Records the first row of a segment: of the episode under way, or of a new one.</summary>
    /// <param name="environment">reset where no episode is under way.</param>
    /// <param name="segment">written over.</param>
    /// <param name="rng">random numbers of the environment.</param>
    internal void BeginSegment(IEnvironment environment, Episode segment, ref Rng rng)
    {
        Open(environment, segment);
        (segment.Ended, segment.EndedSteps, segment.InnerEnds) = (0, 0, 0);
        if (!underWay)
        {
            BeginEpisode(ref rng);
            return;
        }
        Mark(begins: false);
        Observe();
    }

    /// <summary>The same as <see cref="Step"/> in a segment, in which episodes may end.</summary>
    internal bool StepInSegment(ref Rng rng)
    {
        int row = episode.Length;
        var result = Advance(ref rng);
        bool terminated = rewards.IsTerminal(result, Over);
        episode.Bools(Segment.Terminates).All[row] = terminated;
        episode.Terminated = terminated;
        Mark(begins: false);
        episode.Choices(episode.Length).Clear();
        if (Over)
        {
            episode.Bools(Segment.Ends).All[episode.Length] = true;
            (episode.Ended, episode.EndedSteps) = (episode.Ended + 1, episode.EndedSteps + steps);
            for (int team = 0; team < returns.Length; team++)
            {
                episode.TeamReturns[team] += returns[team];
            }
        }
        return !Over;
    }

    /// <summary>Begins the next episode, in the row after the last one of the episode before.</summary>
    internal void BeginNext(ref Rng rng)
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
        archive.Value("underWay", ref underWay);
        archive.Array<double>("returns", returns);
    }

    /// <summary>Takes over the episode under way of another recorder.</summary>
    internal void CopyFrom(EpisodeRecorder other)
    {
        (steps, underWay) = (other.steps, other.underWay);
        other.returns.CopyTo(returns.AsSpan());
    }

    private void Open(IEnvironment environment, Episode episode)
    {
        (this.environment, this.episode) = (environment, episode);
        rewards.Prepare(episode);
        (episode.Length, episode.Terminated) = (0, false);
        episode.TeamReturns.AsSpan().Clear();
    }

    private void BeginEpisode(ref Rng rng)
    {
        Reset(environment, ref rng);
        (steps, underWay) = (0, true);
        returns.AsSpan().Clear();
        Mark(begins: true);
        Observe();
    }

    /// <summary>Flags of the present row of a segment.</summary>
    private void Mark(bool begins)
    {
        episode.Bools(Segment.Begins).All[episode.Length] = begins;
        episode.Bools(Segment.Ends).All[episode.Length] = false;
    }

    private void Reset(IEnvironment environment, ref Rng rng)
    {
        try
        {
            environment.Reset(ref rng);
        }
        catch (Exception error) when (EnvironmentException.IsForeign(error))
        {
            throw EnvironmentException.Of(error, spec.Id, "at its reset");
        }
    }

    /// <summary>A step of the environment: rewards of the present row, observations of the next.</summary>
    private StepResult Advance(ref Rng rng)
    {
        int row = episode.Length;
        episode.Reserve(row + 2);
        StepResult result;
        try
        {
            result = rewards.Step(environment, episode, returns, ref rng);
        }
        catch (Exception error) when (EnvironmentException.IsForeign(error))
        {
            throw EnvironmentException.Of(error, spec.Id, $"at step {steps + 1} of an episode");
        }
        steps++;
        episode.Length = row + 1;
        underWay = result == StepResult.Running && steps < spec.EpisodeLimit;
        Observe();
        return result;
    }

    private void Observe()
    {
        try
        {
            ObserveAll();
        }
        catch (Exception error) when (EnvironmentException.IsForeign(error))
        {
            throw EnvironmentException.Of(error, spec.Id, $"when observed after {steps} steps of an episode");
        }
    }

    private void ObserveAll()
    {
        int row = episode.Length;
        for (int agent = 0; agent < spec.Agents.Length; agent++)
        {
            var size = spec.Agents[agent];
            var observation = episode.Observation(row, agent);
            var available = episode.AvailableTo(row, agent);
            environment.Observe(agent, observation[..size.Observation]);
            observation[size.Observation..].Clear();
            environment.ReadAvailable(agent, available[..size.Actions]);
            available[size.Actions..].Clear();
        }
        if (episode.StateSize > 0)
        {
            environment.ReadState(episode.State(row));
        }
    }
}
