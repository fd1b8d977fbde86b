using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Marl.Native.Rl;

/// <summary>What a policy is made of.</summary>
/// <param name="Environment">the id of what it was trained in.</param>
/// <param name="Network">its network.</param>
/// <param name="Agents">[N] what its agents see and may do.</param>
/// <param name="StateSize">S of the environment, for agents that see its state.</param>
/// <param name="Fingerprint">when in training it was saved, for agents that see that.</param>
/// <param name="EnsembleSize">of an ensemble: how many networks there are.</param>
/// <param name="Stochastic">whether actions are drawn from what the agents say, see <see cref="Exploration.IsStochastic"/>; otherwise they do what is likeliest.</param>
public sealed record PolicyDescription(string Environment, AgentOptions Network, AgentSpec[] Agents, int StateSize = 0, Fingerprint Fingerprint = default,
    int EnsembleSize = 1, bool Stochastic = false)
{
    /// <summary>O, the longest observation: what agents' rows of observations are padded to.</summary>
    public int ObservationSize => EnvironmentSpec.Largest(Agents).Observation;

    /// <summary>A, the most actions or elements of a continuous action: what agents' rows of masks, actions and logits are padded to.</summary>
    public int ActionCount => EnvironmentSpec.Largest(Agents).Actions;

    /// <summary>Whether actions are continuous.</summary>
    public bool IsContinuous => Agents[0].Box is not null;

    /// <summary>Enough of an environment to build the network: one row at a time.</summary>
    internal EnvironmentSpec Spec() => new() { Id = Environment, Agents = Agents, StateSize = StateSize, EpisodeLimit = 1, SnapshotSize = 0 };

    /// <inheritdoc/>
    public override string ToString() => $"{Agents.Length} agents of {Environment}";
}

/// <summary>JSON of a policy's description, without reflection.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true, IgnoreReadOnlyProperties = true,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(PolicyDescription))]
internal sealed partial class PolicyJson : JsonSerializerContext
{
    /// <summary>With the networks that were added.</summary>
    public static JsonTypeInfo Type => Present.GetTypeInfo(typeof(PolicyDescription));

    private static JsonSerializerOptions Present => Parts.Options(Default);

    /// <summary>A description as JSON.</summary>
    /// <exception cref="UsageException">Its network has the name of another one.</exception>
    public static string Text(PolicyDescription description)
    {
        Parts.AddUsed(description.Network, () => Present);
        return JsonSerializer.Serialize(description, Type);
    }

    /// <summary>What is wrong with a description whose network is of a type that nobody added; null if that is not what is wrong.</summary>
    public static string? UnknownNetwork(string json)
    {
        try
        {
            return JsonNode.Parse(json)?["network"]?["network"]?[Parts.Discriminator] is JsonValue value && value.TryGetValue(out string? name)
                && Parts.TypesOf(typeof(NetworkOptions), Present).All(known => !name.Equals(known.TypeDiscriminator))
                ? $"the policy has a network of the type '{name}', which no loaded library has; load its library first (--load, or Catalog.Load)" : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }
}
