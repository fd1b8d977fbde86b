using System.ComponentModel;

namespace Marl.Native.Rl;

/// <summary>Hyperparameters of COMA.</summary>
[Description("counterfactual multi-agent policy gradients (Foerster et al. 2018)")]
public sealed record ComaOptions : OnPolicyOptions
{
    /// <summary>As EPyMARL configures it except for the learning rates and the targets: with hard updates every 200 updates, or with policies that learn as fast
    /// as their critic, policies became certain of bad actions in the particle worlds.</summary>
    public ComaOptions() => (Agent, NStep, LearningRate, CriticLearningRate) = (new MlpNetwork(), 5, 1e-4f, 1e-3f);

    /// <summary>Whether the critic sees the agent's observation beside the state, as in PyMARL.</summary>
    public bool CriticObservation { get; init; }

    /// <summary>Whether the critic sees all agents' last actions, as in PyMARL.</summary>
    public bool CriticLastActions { get; init; }

    /// <inheritdoc/>
    public override PolicyObjective Create(LearningContext context) => new Coma(this, context);
}
