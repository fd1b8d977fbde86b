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
            if (layout.Branches > 0)
            {
                var available = current.AvailableActions(0, agent);
                environment.ReadAvailable(agent, available[..size.ActionCount]);
                layout.Pad(size, available);
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
    /// <param name="available">Mask of available actions [N, A], at least one per branch; empty: all are available.</param>
    /// <param name="actions">Receives the index of each agent's action [N], or its choices in all branches [N, K].</param>
    /// <param name="rng">The random number generator of stochastic policies (<see cref="PolicyDescription.Stochastic"/>).</param>
    /// <param name="state">The state [S], if it is the agents' input (<see cref="AgentOptions.Observation"/>); otherwise ignored.</param>
    /// <param name="logits">Receives the network's outputs [N, A], see <see cref="Logits"/>; may be empty.</param>
    /// <exception cref="ArgumentException">A span has the wrong length, or an agent has no available action.</exception>
    /// <exception cref="InvalidOperationException">Actions are continuous or have a continuous part, or another call is running.</exception>
    public void Act(ReadOnlySpan<float> observations, ReadOnlySpan<bool> available, Span<int> actions, ref Rng rng, ReadOnlySpan<float> state = default,
        Span<float> logits = default)
    {
        RequireParts(discrete: true, continuous: false);
        Act(observations, available, actions, vectors: default, ref rng, state, logits);
    }

    /// <summary>Computes the agents' continuous actions for given observations. Call it once per step, and <see cref="Begin"/> at the start of an episode:
    /// recurrent networks advance.</summary>
    /// <param name="observations">Observations [N, O], row-major; may be empty if the agents' input is the state.</param>
    /// <param name="actions">Receives the actions [N, D]; 0 in the padding.</param>
    /// <param name="rng">The random number generator.</param>
    /// <param name="state">The state [S], if it is the agents' input (<see cref="AgentOptions.Observation"/>); otherwise ignored.</param>
    /// <param name="logits">Receives the network's outputs before tanh [N, A], see <see cref="Logits"/>; may be empty.</param>
    /// <exception cref="ArgumentException">A span has the wrong length.</exception>
    /// <exception cref="InvalidOperationException">Actions are discrete or have discrete branches, or another call is running.</exception>
    public void Act(ReadOnlySpan<float> observations, Span<float> actions, ref Rng rng, ReadOnlySpan<float> state = default, Span<float> logits = default)
    {
        RequireParts(discrete: false, continuous: true);
        Act(observations, available: default, actions: default, actions, ref rng, state, logits);
    }

    /// <summary>Selects the agents' actions of any kind for given observations: discrete branches, continuous parts, or both. Call it once per step, and
    /// <see cref="Begin"/> at the start of an episode: recurrent networks advance.</summary>
    /// <param name="observations">Observations [N, O], row-major; may be empty if the agents' input is the state.</param>
    /// <param name="available">Mask of available actions [N, A], at least one per branch; empty: all are available.</param>
    /// <param name="actions">Receives the choices in all branches [N, K]; 0 for branches that an agent lacks.</param>
    /// <param name="vectors">Receives the continuous parts [N, D]; 0 in the padding.</param>
    /// <param name="rng">The random number generator of stochastic policies (<see cref="PolicyDescription.Stochastic"/>).</param>
    /// <param name="state">The state [S], if it is the agents' input (<see cref="AgentOptions.Observation"/>); otherwise ignored.</param>
    /// <param name="logits">Receives the network's outputs [N, A], see <see cref="Logits"/>; may be empty.</param>
    /// <exception cref="ArgumentException">A span has the wrong length, or an agent has no available action.</exception>
    /// <exception cref="InvalidOperationException">Another call is running.</exception>
    public void Act(ReadOnlySpan<float> observations, ReadOnlySpan<bool> available, Span<int> actions, Span<float> vectors, ref Rng rng,
        ReadOnlySpan<float> state = default, Span<float> logits = default)
    {
        RequireInput(observations, state);
        RequireRows("available", available.Length, layout.Size, mayBeEmpty: true);
        RequireRows("actions", actions.Length, layout.Branches);
        RequireRows(layout.Branches > 0 ? "vectors" : "actions", vectors.Length, layout.VectorSize);
        RequireRows("logits", logits.Length, layout.Size, mayBeEmpty: true);
        using var call = Enter();
        SetInput(observations, state);
        for (int agent = 0; agent < agents; agent++)
        {
            var size = Description.Agents[agent];
            for (int branch = 0; branch < size.BranchCount; branch++)
            {
                int first = branch * layout.BranchSize;
                var own = current.AvailableActions(0, agent).Slice(first, size.BranchSize(branch));
                own.Fill(true);
                if (!available.IsEmpty)
                {
                    available.Slice(agent * layout.Size + first, own.Length).CopyTo(own);
                }
            }
        }
        Step(ref rng, logits);
        for (int agent = 0; agent < agents; agent++)
        {
            current.BranchesAt(0, agent).CopyTo(actions[(agent * layout.Branches)..]);
            if (layout.VectorSize > 0)
            {
                current.ContinuousAction(0, agent).CopyTo(vectors[(agent * layout.VectorSize)..]);
            }
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
        RequireRows("logits", logits.Length, layout.Size);
        using var call = Enter();
        SetInput(observations, state);
        controller.Outputs(in current, logits);
    }

    /// <summary>Sets the actions of the last step, if others than the selected ones were executed. Needed only if the previous action is part of the agents'
    /// input (<see cref="AgentOptions.LastAction"/>).</summary>
    /// <param name="actions">The index of each agent's action [N], or its choices in all branches [N, K].</param>
    /// <exception cref="ArgumentException">The span has the wrong length, or an index is out of range.</exception>
    /// <exception cref="InvalidOperationException">No step of the episode has been taken, actions have a continuous part, or another call is
    /// running.</exception>
    public void SetLastActions(ReadOnlySpan<int> actions)
    {
        RequireParts(discrete: true, continuous: false);
        SetLastActions(actions, vectors: default);
    }

    /// <summary>Sets the continuous actions of the last step, if others than the selected ones were executed.</summary>
    /// <param name="actions">The continuous actions [N, D].</param>
    /// <exception cref="ArgumentException">The span has the wrong length.</exception>
    /// <exception cref="InvalidOperationException">No step of the episode has been taken, actions have discrete branches, or another call is
    /// running.</exception>
    public void SetLastActions(ReadOnlySpan<float> actions)
    {
        RequireParts(discrete: false, continuous: true);
        SetLastActions(actions: default, actions);
    }

    /// <summary>Sets the actions of any kind of the last step, if others than the selected ones were executed.</summary>
    /// <param name="actions">The choices in all branches [N, K].</param>
    /// <param name="vectors">The continuous parts [N, D].</param>
    /// <exception cref="ArgumentException">A span has the wrong length, or an index is out of range.</exception>
    /// <exception cref="InvalidOperationException">No step of the episode has been taken, or another call is running.</exception>
    public void SetLastActions(ReadOnlySpan<int> actions, ReadOnlySpan<float> vectors)
    {
        RequireRows("actions", actions.Length, layout.Branches);
        RequireRows(layout.Branches > 0 ? "vectors" : "actions", vectors.Length, layout.VectorSize);
        for (int agent = 0; agent < agents; agent++)
        {
            var size = Description.Agents[agent];
            for (int branch = 0; branch < size.BranchCount; branch++)
            {
                int action = actions[agent * layout.Branches + branch];
                if ((uint)action >= (uint)size.BranchSize(branch))
                {
                    throw new ArgumentException($"actions: agent {agent} has the actions 0 to {size.BranchSize(branch) - 1}" +
                        $"{(layout.Branches > 1 ? $" in branch {branch}" : "")}; {action} was given");
                }
            }
        }
        SetLastActions(JointAction.Create(actions, layout.Branches, vectors, layout.VectorSize));
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
        for (int agent = 0; agent < agents; agent++)
        {
            for (int branch = 0; branch < Description.Agents[agent].BranchCount; branch++)
            {
                if (!current.AvailableActions(0, agent)[layout.Branch(branch)].Contains(true))
                {
                    throw new ArgumentException($"available: agent {agent} has no available action{(layout.Branches > 1 ? $" in branch {branch}" : "")}; at least one is required");
                }
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
            string each = width == 1 ? "" : $", {agents} agents of {width},";
            throw new ArgumentException($"{name}: {agents * width} elements{each} are required; {length} were given");
        }
    }

    private static void RequireLength(string name, int length, int needed, string why = "")
    {
        if (length != needed)
        {
            throw new ArgumentException($"{name}: {needed} elements{why} are required; {length} were given");
        }
    }

    private void RequireParts(bool discrete, bool continuous)
    {
        if (discrete != layout.Branches > 0 || continuous != layout.VectorSize > 0)
        {
            throw new InvalidOperationException((layout.Branches > 0, layout.VectorSize > 0) switch
            {
                (true, true) => $"the actions of {Description} have discrete and continuous parts: Span<int> actions and Span<float> vectors are required",
                (false, true) => $"the actions of {Description} are continuous: Span<float> actions are required",
                _ => $"the actions of {Description} are discrete: a mask, which may be empty, and Span<int> actions are required",
            });
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
