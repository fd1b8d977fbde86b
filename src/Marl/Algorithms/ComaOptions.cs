using System.ComponentModel;

namespace Marl.Native.Rl;

/// <summary>COMA: counterfactual multi-agent policy gradients (Foerster et al. 2018): an <see cref="ActorCritic"/> with a centralized critic of action values,
/// and policies with a floor, (1 - floor) softmax + floor / k.</summary>
[Description("counterfactual multi-agent policy gradients (Foerster et al. 2018)")]
public sealed record ComaOptions : OnPolicyOptions
{
    /// <summary>Initializes the defaults: EPyMARL's, except for the learning rates and the target updates. With hard target updates every 200 updates, or equal
    /// learning rates of policy and critic, policies converge to bad actions in the particle worlds.</summary>
    public ComaOptions() => (Agent, NStep, LearningRate, CriticLearningRate) = (new MlpNetwork(), 5, 1e-4f, 1e-3f);

    /// <summary>Whether the agent's observation is part of the critic's input, beside the state, as in PyMARL.</summary>
    public bool CriticObservation { get; init; }

    /// <summary>Whether all agents' previous actions are part of the critic's input, as in PyMARL.</summary>
    public bool CriticLastActions { get; init; }

    /// <inheritdoc/>
    public override PolicyObjective Create(LearningContext context)
    {
        if (!CriticObservation)
        {
            NetworkInput.RequireState(context.Spec, "the critic", "use criticObservation=true");
        }
        return new ActorCritic(this, context, AdvantageKind.Counterfactual, _ => new NetworkInput(context.Spec, common: [InputColumn.State],
            own: NetworkInput.Columns((InputColumn.Observation, CriticObservation), (InputColumn.MaskedJointAction, true),
                (InputColumn.LastActions, CriticLastActions), (InputColumn.AgentId, ShareParameters))));
    }
}
