namespace Marl.Native.Rl;

/// <summary>Hyper-parameters of REINFORCE, A2C and PPO, independent (<c>critic=local</c>) or centralised.</summary>
public sealed record ActorCriticOptions : OnPolicyOptions
{
    /// <summary>What the critic sees.</summary>
    public CriticKind Critic { get; init; } = CriticKind.Local;

    /// <summary>PPO's epsilon: how far an action's probability may move from what it was, as a share; 0: not bounded, which is A2C.</summary>
    public float Clip { get; init; }

    /// <summary>How far a value may move from what it was; 0: not bounded (Schulman et al.'s implementation of PPO).</summary>
    public float ValueClip { get; init; }

    internal override void Validate()
    {
        base.Validate();
        UsageException.Require(Clip is >= 0 and < 1, Clip, "in 0 .. 1, 1 excluded");
        UsageException.Require(ValueClip >= 0, ValueClip, "at least 0");
    }
}

/// <summary>What a state-value critic sees.</summary>
[System.Text.Json.Serialization.JsonConverter(typeof(WordConverter<CriticKind>))]
public enum CriticKind
{
    /// <summary>There is no critic: returns are the advantages (REINFORCE).</summary>
    None,
    /// <summary>What the agent sees: independent learning.</summary>
    Local,
    /// <summary>The state.</summary>
    Central,
    /// <summary>The state and what the agent sees.</summary>
    Both,
}
