namespace Marl.Native.Rl;

/// <summary>What agents are rewarded with.</summary>
[System.Text.Json.Serialization.JsonConverter(typeof(CamelCaseEnumConverter<RewardMode>))]
public enum RewardMode
{
    /// <summary>As the environment says, see <see cref="EnvironmentSpec.Reward"/>.</summary>
    Natural,
    /// <summary>Everyone gets the sum of its team's rewards.</summary>
    Sum,
    /// <summary>Everyone gets the mean of its team's rewards.</summary>
    Mean,
    /// <summary>Everyone gets its own.</summary>
    Individual,
    /// <summary>Everyone gets what its team's reward would have lacked had it done the default action (Wolpert and Tumer 2002).</summary>
    Difference,
    /// <summary>Everyone gets by how much its team's reward was better than what was to be expected of its own policy, the others doing what they did:
    /// the aristocratic utility (Wolpert and Tumer 2002).</summary>
    Aristocratic,
}
