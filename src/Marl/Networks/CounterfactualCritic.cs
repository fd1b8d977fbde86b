using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>
/// Q_i(s, ., u_-i), the values of all actions of an agent for what the others really did, by one pass through three linear layers with ReLU between them
/// (COMA, Foerster et al. 2018, section 4 and figure 1c): of [state, observation, the actions of all agents with the own left out, all agents' last actions,
/// one-hot agent], observation and last actions as chosen, the agent where the weights are shared.
/// </summary>
public sealed class CounterfactualCritic
{
    private readonly Linear fc1, fc2, fc3;
    private readonly CriticInput input;
    private readonly int agents, actions;

    /// <summary>Adds its parameters to <paramref name="layout"/>.</summary>
    /// <param name="layout">where to.</param>
    /// <param name="spec">the environment.</param>
    /// <param name="observation">whether it sees what the agent sees.</param>
    /// <param name="lastActions">whether it sees what all agents did a step before.</param>
    /// <param name="shared">whether the agents have one critic.</param>
    /// <param name="hidden">width.</param>
    /// <exception cref="UsageException">it would see nothing.</exception>
    public CounterfactualCritic(ParameterLayout layout, EnvironmentSpec spec, bool observation, bool lastActions, bool shared, int hidden)
    {
        (agents, actions) = (spec.Agents.Length, spec.ActionCount);
        input = new CriticInput(spec, CriticParts.OthersActions | (observation ? CriticParts.Observation : 0) | (lastActions ? CriticParts.LastActions : 0)
            | (shared ? CriticParts.Agent : 0));
        int copies = shared ? 0 : agents;
        fc1 = new Linear(layout.Scope("fc1"), input.Size, hidden, copies);
        fc2 = new Linear(layout.Scope("fc2"), hidden, hidden, copies);
        fc3 = new Linear(layout.Scope("fc3"), hidden, actions, copies);
    }

    /// <summary>Q of all rows, the last included: [T+1, B, N, A].</summary>
    public Var Forward(Weights w, EpisodeBatch batch)
        => fc3.Forward(w, fc2.ForwardRelu(w, input.Through(fc1, w, batch))).Reshape(batch.Steps + 1, batch.Count, agents, actions);
}
