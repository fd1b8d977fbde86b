namespace Marl.Native.Rl;

/// <summary>How the rewards of learning are computed from the rewards of the environment.</summary>
[System.Text.Json.Serialization.JsonConverter(typeof(CamelCaseEnumConverter<RewardMode>))]
public enum RewardMode
{
    /// <summary>The mode of the environment, <see cref="EnvironmentSpec.Reward"/>.</summary>
    Natural,
    /// <summary>The sum of the team's rewards, common to its agents.</summary>
    Sum,
    /// <summary>The mean of the team's rewards, common to its agents.</summary>
    Mean,
    /// <summary>The agent's own reward.</summary>
    Individual,
    /// <summary>Difference reward: the team's reward minus its reward if the agent had taken the default action (Wolpert and Tumer 2002).</summary>
    Difference,
    /// <summary>Aristocratic utility: the team's reward minus its expectation over the agent's policy, the actions of the other agents being the same
    /// (Wolpert and Tumer 2002).</summary>
    Aristocratic,
}
