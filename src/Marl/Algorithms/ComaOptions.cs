namespace Marl.Native.Rl;

/// <summary>Hyper-parameters of COMA.</summary>
public sealed record ComaOptions : OnPolicyOptions
{
    /// <summary>Whether the critic sees the agent's observation beside the state, as in PyMARL.</summary>
    public bool CriticObservation { get; init; }

    /// <summary>Whether the critic sees all agents' last actions, as in PyMARL.</summary>
    public bool CriticLastActions { get; init; }
}
