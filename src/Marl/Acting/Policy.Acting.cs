namespace Marl.Native.Rl;

/// <content>Acting.</content>
public sealed partial class Policy
{
    /// <summary>Begins an episode: clears previous actions and recurrent states. In an ensemble each agent plays a newly drawn member.</summary>
    /// <param name="rng">The random number generator.</param>
    public void Begin(ref Rng rng)
    {
        using var call = Enter();
        controller.Begin(1);
        current.AssignMembers(Description.EnsembleSize, ref rng);
    }

    /// <summary>Selects the agents' actions for their current observations in an environment. Call it once per step: recurrent networks advance.</summary>
    /// <param name="environment">The environment.</param>
    /// <param name="rng">The random number generator of stochastic policies (<see cref="PolicyDescription.Stochastic"/>).</param>
    /// <returns>The joint action, valid until the next call.</returns>
    /// <exception cref="ArgumentException">The environment's agents are not those that the policy was trained for, or an agent has no available
    /// action.</exception>
    /// <exception cref="InvalidOperationException">Another call is running.</exception>
    public JointAction Act(IEnvironment environment, ref Rng rng)
    {
        RequireCompatible(environment);
        using var call = Enter();
        for (int agent = 0; agent < agents; agent++)
        {
            var size = Description.Agents[agent];
            if (!seesState)
            {
                environment.Observe(agent, current.Observation(0, agent)[..size.ObservationSize]);
            }
            if (!isContinuous)
            {
                environment.ReadAvailable(agent, current.AvailableActions(0, agent)[..size.ActionCount]);
            }
        }
        if (seesState)
        {
            environment.ReadState(current.State(0));
        }
        Step(ref rng, logits: default);
        return current.JointAction(0);
    }

    /// <summary>Selects the agents' discrete actions for given observations. Call it once per step, and <see cref="Begin"/> at the start of an episode:
    /// recurrent networks advance.</summary>
    /// <param name="observations">Observations [N, O], row-major; may be empty if the agents' input is the state.</param>
    /// <param name="available">Mask of available actions [N, A], at least one per agent; empty: all are available.</param>
    /// <param name="actions">Receives the index of each agent's action [N].</param>
    /// <param name="rng">The random number generator of stochastic policies (<see cref="PolicyDescription.Stochastic"/>).</param>
    /// <param name="state">The state [S], if it is the agents' input (<see cref="AgentOptions.Observation"/>); otherwise ignored.</param>
    /// <param name="logits">Receives the network's outputs [N, A], see <see cref="Logits"/>; may be empty.</param>
    /// <exception cref="ArgumentException">A span has the wrong length, or an agent has no available action.</exception>
    /// <exception cref="InvalidOperationException">Actions are continuous, or another call is running.</exception>
    public void Act(ReadOnlySpan<float> observations, ReadOnlySpan<bool> available, Span<int> actions, ref Rng rng, ReadOnlySpan<float> state = default,
        Span<float> logits = default)
    {
        RequireActionKind(continuous: false);
        RequireInput(observations, state);
        RequireRows("available", available.Length, actionCount, mayBeEmpty: true);
        RequireLength("actions", actions.Length, agents);
        RequireRows("logits", logits.Length, actionCount, mayBeEmpty: true);
        using var call = Enter();
        SetInput(observations, state);
        for (int agent = 0; agent < agents; agent++)
        {
            var own = current.AvailableActions(0, agent)[..Description.Agents[agent].ActionCount];
            if (available.IsEmpty)
            {
                own.Fill(true);
                continue;
            }
            available.Slice(agent * actionCount, own.Length).CopyTo(own);
        }
        Step(ref rng, logits);
        current.ActionsAt(0).CopyTo(actions);
    }

    /// <summary>Computes the agents' continuous actions for given observations. Call it once per step, and <see cref="Begin"/> at the start of an episode:
    /// recurrent networks advance.</summary>
    /// <param name="observations">Observations [N, O], row-major; may be empty if the agents' input is the state.</param>
    /// <param name="actions">Receives the actions [N, A]; 0 in the padding.</param>
    /// <param name="rng">The random number generator.</param>
    /// <param name="state">The state [S], if it is the agents' input (<see cref="AgentOptions.Observation"/>); otherwise ignored.</param>
    /// <param name="logits">Receives the network's outputs before tanh [N, A], see <see cref="Logits"/>; may be empty.</param>
    /// <exception cref="ArgumentException">A span has the wrong length.</exception>
    /// <exception cref="InvalidOperationException">Actions are discrete, or another call is running.</exception>
    public void Act(ReadOnlySpan<float> observations, Span<float> actions, ref Rng rng, ReadOnlySpan<float> state = default, Span<float> logits = default)
    {
        RequireActionKind(continuous: true);
        RequireInput(observations, state);
        RequireRows("actions", actions.Length, actionCount);
        RequireRows("logits", logits.Length, actionCount, mayBeEmpty: true);
        using var call = Enter();
        SetInput(observations, state);
        Step(ref rng, logits);
        for (int agent = 0; agent < agents; agent++)
        {
            current.ContinuousAction(0, agent).CopyTo(actions[(agent * actionCount)..]);
        }
    }

    /// <summary>
    /// Computes the network's outputs for given observations without taking a step: action values, logits of a stochastic policy, or continuous actions
    /// before tanh. The episode's memory does not change. To get the outputs of a step that is taken, pass a span to
    /// <see cref="Act(ReadOnlySpan{float}, ReadOnlySpan{bool}, Span{int}, ref Rng, ReadOnlySpan{float}, Span{float})"/>.
    /// </summary>
    /// <param name="observations">Observations [N, O], row-major; may be empty if the agents' input is the state.</param>
    /// <param name="logits">Receives the outputs [N, A], undefined in the padding. In an ensemble each agent's outputs are those of the member that it
    /// plays.</param>
    /// <param name="state">The state [S], if it is the agents' input (<see cref="AgentOptions.Observation"/>); otherwise ignored.</param>
    /// <exception cref="ArgumentException">A span has the wrong length.</exception>
    /// <exception cref="InvalidOperationException">Another call is running.</exception>
    public void Logits(ReadOnlySpan<float> observations, Span<float> logits, ReadOnlySpan<float> state = default)
    {
        RequireInput(observations, state);
        RequireRows("logits", logits.Length, actionCount);
        using var call = Enter();
        SetInput(observations, state);
        controller.Outputs(in current, logits);
    }

    /// <summary>Sets the actions of the last step, if others than the selected ones were executed. Needed only if the previous action is part of the agents'
    /// input (<see cref="AgentOptions.LastAction"/>).</summary>
    /// <param name="actions">The index of each agent's action [N].</param>
    /// <exception cref="ArgumentException">The span has the wrong length, or an index is out of range.</exception>
    /// <exception cref="InvalidOperationException">No step of the episode has been taken, actions are continuous, or another call is running.</exception>
    public void SetLastActions(ReadOnlySpan<int> actions)
    {
        RequireActionKind(continuous: false);
        RequireLength("actions", actions.Length, agents);
        for (int agent = 0; agent < agents; agent++)
        {
            if ((uint)actions[agent] >= (uint)Description.Agents[agent].ActionCount)
            {
                throw new ArgumentException($"actions: agent {agent} has the actions 0 to {Description.Agents[agent].ActionCount - 1}; {actions[agent]} was given");
            }
        }
        SetLastActions(JointAction.Create(actions));
    }

    /// <summary>Sets the continuous actions of the last step, if others than the selected ones were executed.</summary>
    /// <param name="actions">The continuous actions [N, A].</param>
    /// <exception cref="ArgumentException">The span has the wrong length.</exception>
    /// <exception cref="InvalidOperationException">No step of the episode has been taken, actions are discrete, or another call is running.</exception>
    public void SetLastActions(ReadOnlySpan<float> actions)
    {
        RequireActionKind(continuous: true);
        RequireRows("actions", actions.Length, actionCount);
        SetLastActions(JointAction.Create(actions, actionCount));
    }

    private void SetLastActions(JointAction actions)
    {
        using var call = Enter();
        if (controller.IsFirstStep)
        {
            throw new InvalidOperationException("there are no previous actions: no step of the episode has been taken");
        }
        controller.SetLastActions(actions);
    }

    /// <summary>Selects actions for the observations in <see cref="current"/>.</summary>
    private void Step(ref Rng rng, Span<float> logits)
    {
        // Checked before the memory changes.
        for (int agent = 0; agent < agents && !isContinuous; agent++)
        {
            if (!current.AvailableActions(0, agent).Contains(true))
            {
                throw new ArgumentException($"available: agent {agent} has no available action; at least one is required");
            }
        }
        controller.Act(new ReadOnlySpan<Episode>(in current), exploration: 0f, new Span<Rng>(ref rng), logits);
    }

    private void SetInput(ReadOnlySpan<float> observations, ReadOnlySpan<float> state)
    {
        if (seesState)
        {
            state.CopyTo(current.State(0));
            return;
        }
        // Padding stays 0.
        for (int agent = 0; agent < agents; agent++)
        {
            observations.Slice(agent * observationSize, Description.Agents[agent].ObservationSize).CopyTo(current.Observation(0, agent));
        }
    }

    private void RequireInput(ReadOnlySpan<float> observations, ReadOnlySpan<float> state)
    {
        RequireRows("observations", observations.Length, observationSize, mayBeEmpty: seesState);
        if (seesState)
        {
            RequireLength("state", state.Length, Description.StateSize, " (the agents' input)");
        }
    }

    private void RequireRows(string name, int length, int width, bool mayBeEmpty = false)
    {
        if (length != agents * width && !(mayBeEmpty && length == 0))
        {
            throw new ArgumentException($"{name}: {agents * width} elements, {agents} agents of {width}, are required; {length} were given");
        }
    }

    private static void RequireLength(string name, int length, int needed, string why = "")
    {
        if (length != needed)
        {
            throw new ArgumentException($"{name}: {needed} elements{why} are required; {length} were given");
        }
    }

    private void RequireActionKind(bool continuous)
    {
        if (continuous != isContinuous)
        {
            throw new InvalidOperationException(isContinuous ? $"the actions of {Description} are continuous: Span<float> actions are required"
                : $"the actions of {Description} are discrete: a mask, which may be empty, and Span<int> actions are required");
        }
    }

    /// <summary>Marks the policy as in use until the result is disposed of.</summary>
    /// <exception cref="InvalidOperationException">Another call is running.</exception>
    private Call Enter() => !Interlocked.Exchange(ref isBusy, true) ? new Call(this)
        : throw new InvalidOperationException("this policy is in use by another call: it serves one episode and one thread at a time; use policy.Clone()");

    private readonly ref struct Call(Policy policy)
    {
        public void Dispose() => Volatile.Write(ref policy.isBusy, false);
    }
}
