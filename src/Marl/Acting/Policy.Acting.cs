namespace Marl.Native.Rl;

/// <content>Acting.</content>
public sealed partial class Policy
{
    /// <summary>An episode begins: the agents forget the one before. Of an ensemble each agent plays another member, drawn anew.</summary>
    /// <param name="rng">random numbers.</param>
    public void Begin(ref Rng rng)
    {
        using var call = Enter();
        controller.Begin(1);
        present.AssignMembers(Description.EnsembleSize, ref rng);
    }

    /// <summary>The agents' actions for what they observe in an environment now. Call it once per step: recurrent agents remember.</summary>
    /// <param name="environment">the environment.</param>
    /// <param name="rng">random numbers, for agents that sample their actions (<see cref="PolicyDescription.Stochastic"/>).</param>
    /// <returns>overwritten by the next call.</returns>
    /// <exception cref="ArgumentException">the environment has other agents than the policy was trained for, or an agent has no available action.</exception>
    /// <exception cref="InvalidOperationException">another call is running.</exception>
    public JointAction Act(IEnvironment environment, ref Rng rng)
    {
        RequireFit(environment);
        using var call = Enter();
        for (int agent = 0; agent < agents; agent++)
        {
            var size = Description.Agents[agent];
            if (!seesState)
            {
                environment.Observe(agent, present.Observation(0, agent)[..size.Observation]);
            }
            if (!isContinuous)
            {
                environment.ReadAvailable(agent, present.AvailableTo(0, agent)[..size.Actions]);
            }
        }
        if (seesState)
        {
            environment.ReadState(present.State(0));
        }
        Step(ref rng, logits: default);
        return present.JointAction(0);
    }

    /// <summary>The agents' actions for given observations. Call it once per step, and <see cref="Begin"/> where an episode begins: recurrent agents remember.</summary>
    /// <param name="observations">[N, O], row by row; may be empty where agents see the state instead.</param>
    /// <param name="available">[N, A] which actions each agent may take, at least one; empty: all.</param>
    /// <param name="actions">[N] receives the index of each agent's action.</param>
    /// <param name="rng">random numbers, for agents that sample their actions (<see cref="PolicyDescription.Stochastic"/>).</param>
    /// <param name="state">[S], where agents see the state (<see cref="AgentOptions.Observation"/>); otherwise not read.</param>
    /// <param name="logits">[N, A] receives what the actions were chosen from, see <see cref="Logits"/>; may be empty.</param>
    /// <exception cref="ArgumentException">a length does not fit, which the message says; or an agent has no available action.</exception>
    /// <exception cref="InvalidOperationException">actions are continuous, or another call is running.</exception>
    public void Act(ReadOnlySpan<float> observations, ReadOnlySpan<bool> available, Span<int> actions, ref Rng rng, ReadOnlySpan<float> state = default,
        Span<float> logits = default)
    {
        RequireKind(continuous: false);
        RequireInput(observations, state);
        RequireRows("available", available.Length, actionCount, mayBeEmpty: true);
        RequireLength("actions", actions.Length, agents);
        RequireRows("logits", logits.Length, actionCount, mayBeEmpty: true);
        using var call = Enter();
        SetInput(observations, state);
        for (int agent = 0; agent < agents; agent++)
        {
            var own = present.AvailableTo(0, agent)[..Description.Agents[agent].Actions];
            if (available.IsEmpty)
            {
                own.Fill(true);
                continue;
            }
            available.Slice(agent * actionCount, own.Length).CopyTo(own);
        }
        Step(ref rng, logits);
        present.Choices(0).CopyTo(actions);
    }

    /// <summary>The same of agents whose actions are continuous.</summary>
    /// <param name="observations">[N, O], row by row; may be empty where agents see the state instead.</param>
    /// <param name="actions">[N, A] receives the actions; 0 in the padding.</param>
    /// <param name="rng">random numbers.</param>
    /// <param name="state">[S], where agents see the state (<see cref="AgentOptions.Observation"/>); otherwise not read.</param>
    /// <param name="logits">[N, A] receives what the actions were computed from, see <see cref="Logits"/>; may be empty.</param>
    /// <exception cref="ArgumentException">a length does not fit, which the message says.</exception>
    /// <exception cref="InvalidOperationException">actions are discrete, or another call is running.</exception>
    public void Act(ReadOnlySpan<float> observations, Span<float> actions, ref Rng rng, ReadOnlySpan<float> state = default, Span<float> logits = default)
    {
        RequireKind(continuous: true);
        RequireInput(observations, state);
        RequireRows("actions", actions.Length, actionCount);
        RequireRows("logits", logits.Length, actionCount, mayBeEmpty: true);
        using var call = Enter();
        SetInput(observations, state);
        Step(ref rng, logits);
        for (int agent = 0; agent < agents; agent++)
        {
            present.ContinuousAction(0, agent).CopyTo(actions[(agent * actionCount)..]);
        }
    }

    /// <summary>
    /// The outputs of the network that the next action would be chosen from: action values, logits of a stochastic policy, or continuous actions before tanh. Nothing
    /// is remembered: the next call of <see cref="Act(ReadOnlySpan{float}, ReadOnlySpan{bool}, Span{int}, ref Rng, ReadOnlySpan{float}, Span{float})"/> sees the same past. To get
    /// the outputs of the step that is taken, give that call a span for them; to act otherwise than it chose, tell the agents (<see cref="SetLastActions(ReadOnlySpan{int})"/>).
    /// </summary>
    /// <param name="observations">[N, O], row by row; may be empty where agents see the state instead.</param>
    /// <param name="logits">[N, A] receives them; padding has no meaning. Of an ensemble each agent's are those of the member that it plays.</param>
    /// <param name="state">[S], where agents see the state (<see cref="AgentOptions.Observation"/>); otherwise not read.</param>
    /// <exception cref="ArgumentException">a length does not fit, which the message says.</exception>
    /// <exception cref="InvalidOperationException">another call is running.</exception>
    public void Logits(ReadOnlySpan<float> observations, Span<float> logits, ReadOnlySpan<float> state = default)
    {
        RequireInput(observations, state);
        RequireRows("logits", logits.Length, actionCount);
        using var call = Enter();
        SetInput(observations, state);
        controller.Outputs(in present, logits);
    }

    /// <summary>Says what the agents did in the last step, where it was not what the policy chose: somebody else acted, or an action was sampled from the logits.
    /// Only agents that see their last action (<see cref="AgentOptions.LastAction"/>) need it.</summary>
    /// <param name="actions">[N] the indices of the actions.</param>
    /// <exception cref="ArgumentException">the length does not fit, or there is no such action.</exception>
    /// <exception cref="InvalidOperationException">no step has been taken, actions are continuous, or another call is running.</exception>
    public void SetLastActions(ReadOnlySpan<int> actions)
    {
        RequireKind(continuous: false);
        RequireLength("actions", actions.Length, agents);
        for (int agent = 0; agent < agents; agent++)
        {
            if ((uint)actions[agent] >= (uint)Description.Agents[agent].Actions)
            {
                throw new ArgumentException($"actions: agent {agent} has the actions 0 to {Description.Agents[agent].Actions - 1}; {actions[agent]} was given");
            }
        }
        SetLastActions(JointAction.Create(actions));
    }

    /// <inheritdoc cref="SetLastActions(ReadOnlySpan{int})"/>
    /// <param name="actions">[N, A] the continuous actions.</param>
    /// <exception cref="InvalidOperationException">no step has been taken, actions are discrete, or another call is running.</exception>
    public void SetLastActions(ReadOnlySpan<float> actions)
    {
        RequireKind(continuous: true);
        RequireRows("actions", actions.Length, actionCount);
        SetLastActions(JointAction.Create(actions, actionCount));
    }

    private void SetLastActions(JointAction actions)
    {
        using var call = Enter();
        if (controller.IsFirstStep)
        {
            throw new InvalidOperationException("there are no last actions: no step of the episode has been taken");
        }
        controller.SetLastActions(actions);
    }

    /// <summary>Acts on what is in <see cref="present"/>.</summary>
    private void Step(ref Rng rng, Span<float> logits)
    {
        // Refused here, before anything is remembered.
        for (int agent = 0; agent < agents && !isContinuous; agent++)
        {
            if (!present.AvailableTo(0, agent).Contains(true))
            {
                throw new ArgumentException($"available: agent {agent} has no available action; at least one is needed");
            }
        }
        controller.Act(new ReadOnlySpan<Episode>(in present), exploration: 0f, new Span<Rng>(ref rng), logits);
    }

    private void SetInput(ReadOnlySpan<float> observations, ReadOnlySpan<float> state)
    {
        if (seesState)
        {
            state.CopyTo(present.State(0));
            return;
        }
        // Padding stays 0.
        for (int agent = 0; agent < agents; agent++)
        {
            observations.Slice(agent * observationSize, Description.Agents[agent].Observation).CopyTo(present.Observation(0, agent));
        }
    }

    private void RequireInput(ReadOnlySpan<float> observations, ReadOnlySpan<float> state)
    {
        RequireRows("observations", observations.Length, observationSize, mayBeEmpty: seesState);
        if (seesState)
        {
            RequireLength("state", state.Length, Description.StateSize, ", for the agents see the state,");
        }
    }

    private void RequireRows(string name, int length, int width, bool mayBeEmpty = false)
    {
        if (length != agents * width && !(mayBeEmpty && length == 0))
        {
            throw new ArgumentException($"{name}: {agents * width} elements, {agents} agents of {width}, are needed; {length} were given");
        }
    }

    private static void RequireLength(string name, int length, int needed, string why = "")
    {
        if (length != needed)
        {
            throw new ArgumentException($"{name}: {needed} elements{why} are needed; {length} were given");
        }
    }

    private void RequireKind(bool continuous)
    {
        if (continuous != isContinuous)
        {
            throw new InvalidOperationException(isContinuous ? $"the actions of {Description} are continuous: Span<float> actions are needed"
                : $"the actions of {Description} are discrete: a mask, which may be empty, and Span<int> actions are needed");
        }
    }

    /// <summary>A call begins, and ends when the result is disposed of.</summary>
    /// <exception cref="InvalidOperationException">another one is running.</exception>
    private Call Enter() => !Interlocked.Exchange(ref isBusy, true) ? new Call(this)
        : throw new InvalidOperationException("this policy is in use by another call: it remembers one episode, for one thread at a time. Give each thread its own: policy.Clone()");

    private readonly ref struct Call(Policy policy)
    {
        public void Dispose() => Volatile.Write(ref policy.isBusy, false);
    }
}
