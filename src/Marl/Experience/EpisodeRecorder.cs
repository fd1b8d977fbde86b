using System.Numerics.Tensors;

namespace Marl.Native.Rl;

/// <summary>
/// Steps an environment and records observations, available actions, states, rewards and the end in an <see cref="Episode"/>. Shorter observations are padded
/// with zeros, smaller action spaces with unavailable actions. What is NaN or infinite is not recorded: it is an error of the environment, and names the agent
/// and the step. Each environment has a recorder of its own.
/// </summary>
public sealed class EpisodeRecorder
{
    private readonly EnvironmentSpec spec;
    private readonly ActionLayout layout;
    private readonly RewardRecorder rewards;
    private readonly double[] returns;
    private IEnvironment environment = null!;
    private Episode episode = null!;

    // The state of the current episode, which may have begun in an earlier segment.
    private int steps;
    private bool inProgress;

    /// <summary>Creates a recorder.</summary>
    /// <param name="spec">The specification of the environment.</param>
    /// <param name="options">The rewards to record; by default those of the environment's reward mode.</param>
    /// <exception cref="UsageException">The environment does not support the reward mode.</exception>
    public EpisodeRecorder(EnvironmentSpec spec, RewardOptions? options = null)
    {
        (this.spec, layout, rewards) = (spec, spec.ActionLayout, new RewardRecorder(spec, options ?? new()));
        returns = new double[spec.Teams.Length];
    }

    /// <summary>Whether the episode has ended: it terminated, was truncated, or reached the episode limit.</summary>
    public bool IsOver => !inProgress;

    /// <summary>The number of steps of the current episode.</summary>
    public int Steps => steps;

    /// <summary>[N] The reward of each agent in the last step.</summary>
    public ReadOnlySpan<double> Rewards => rewards.Own;

    /// <summary>Begins to record an episode: writes its first row.</summary>
    /// <param name="environment">The environment, after its reset.</param>
    /// <param name="episode">The episode to overwrite.</param>
    /// <exception cref="ArgumentException">The episode has another number of reward streams.</exception>
    /// <exception cref="EnvironmentException">An observation or the state is NaN or infinite, or an agent has no available action.</exception>
    public void Begin(IEnvironment environment, Episode episode)
    {
        Attach(environment, episode);
        (steps, inProgress) = (0, true);
        returns.AsSpan().Clear();
        Observe();
    }

    /// <summary>Resets an environment and begins to record an episode: writes its first row.</summary>
    /// <param name="environment">The environment.</param>
    /// <param name="episode">The episode to overwrite.</param>
    /// <param name="rng">The random number generator of the environment.</param>
    /// <exception cref="EnvironmentException">The environment failed.</exception>
    public void Begin(IEnvironment environment, Episode episode, ref Rng rng)
    {
        Reset(environment, ref rng);
        Begin(environment, episode);
    }

    /// <summary>Takes the joint action of the current row in the environment and records the result.</summary>
    /// <param name="rng">The random number generator of the environment.</param>
    /// <returns>Whether the episode continues.</returns>
    /// <exception cref="EnvironmentException">The environment failed, or an observation, the state or a reward is NaN or infinite, or an agent has no available
    /// action.</exception>
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

    /// <summary>Begins to record a segment: writes its first row, which continues the current episode or begins a new one.</summary>
    /// <param name="environment">The environment; it is reset if there is no current episode.</param>
    /// <param name="segment">The segment to overwrite.</param>
    /// <param name="rng">The random number generator of the environment.</param>
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

    /// <summary>Takes a step like <see cref="Step"/>, in a segment.</summary>
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

    /// <summary>Begins the next episode of a segment, in the row after the last one of the previous episode.</summary>
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

    /// <summary>Saves or restores the state of the current episode, without that of the environment.</summary>
    internal void Archive(IArchive archive)
    {
        archive.Value("steps", ref steps, 0, spec.EpisodeLimit);
        archive.Value("inProgress", ref inProgress);
        archive.Array<double>("returns", returns);
    }

    /// <summary>Copies the state of the current episode from another recorder.</summary>
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
        Reset(environment, ref rng);
        (steps, inProgress) = (0, true);
        returns.AsSpan().Clear();
        WriteFlags(begins: true);
        Observe();
    }

    /// <summary>Writes the flags of the current row of a segment.</summary>
    private void WriteFlags(bool begins)
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
            throw EnvironmentException.Of(error, spec.Id, "during reset");
        }
    }

    /// <summary>Steps the environment; records the rewards of the current row and the observations of the next one.</summary>
    private StepResult Advance(ref Rng rng)
    {
        int row = episode.Length;
        episode.Reserve(row + 2);
        StepResult result;
        try
        {
            result = rewards.Step(environment, episode, returns, steps + 1, ref rng);
        }
        catch (Exception error) when (EnvironmentException.IsForeign(error))
        {
            throw EnvironmentException.Of(error, spec.Id, EnvironmentException.At(steps + 1));
        }
        steps++;
        episode.Length = row + 1;
        inProgress = result == StepResult.Running && steps < spec.EpisodeLimit;
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
            var available = episode.AvailableActions(row, agent);
            environment.Observe(agent, observation[..size.ObservationSize]);
            RequireFinite(observation[..size.ObservationSize], "the observation of ", agent);
            observation[size.ObservationSize..].Clear();
            environment.ReadAvailable(agent, available[..size.ActionCount]);
            RequireAction(available[..size.ActionCount], agent);
            layout.Pad(size, available);
        }
        if (episode.StateSize > 0)
        {
            environment.ReadState(episode.State(row));
            RequireFinite(episode.State(row), "the state");
        }
    }

    private void RequireFinite(ReadOnlySpan<float> values, string what, int? agent = null)
    {
        if (TensorPrimitives.IsFiniteAll(values))
        {
            return;
        }
        int element = 0;
        while (float.IsFinite(values[element]))
        {
            element++;
        }
        throw EnvironmentException.NotFinite(spec, $"element {element} of {what}", agent, values[element], steps);
    }

    /// <summary>A branch without an available action is an error, except for the end of an episode: there all its actions count as available.</summary>
    private void RequireAction(Span<bool> available, int agent)
    {
        var size = spec.Agents[agent];
        for (int branch = 0; branch < size.BranchCount; branch++)
        {
            RequireChoice(available[size.Branch(branch)], agent);
        }
        available[^size.VectorSize..].Fill(true);
    }

    private void RequireChoice(Span<bool> available, int agent)
    {
        if (available.Contains(true))
        {
            return;
        }
        if (inProgress)
        {
            throw new EnvironmentException(
                $"environment '{spec.Id}' failed {EnvironmentException.At(steps)}: {spec.NameOf(agent)} has no available action; at least one is required");
        }
        available.Fill(true);
    }
}
