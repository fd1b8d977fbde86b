using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>The description of a <see cref="Policy"/>: its network, and the environment that it was trained in.</summary>
/// <param name="Environment">The id of the environment.</param>
/// <param name="Network">The options of the network.</param>
/// <param name="Agents">Observation size, actions and team of each agent [N].</param>
/// <param name="StateSize">The length S of the state, for agents whose input is the state.</param>
/// <param name="Fingerprint">The training progress at which the policy was saved, for agents with fingerprints
/// (<see cref="AgentOptions.Fingerprint"/>).</param>
/// <param name="EnsembleSize">The number of networks in an ensemble; 1: no ensemble.</param>
/// <param name="Stochastic">Whether actions are sampled (<see cref="Exploration.IsStochastic"/>). Otherwise the action with the largest output is
/// taken.</param>
public sealed record PolicyDescription(string Environment, AgentOptions Network, AgentSpec[] Agents, int StateSize = 0, Fingerprint Fingerprint = default,
    int EnsembleSize = 1, bool Stochastic = false)
{
    /// <summary>The length O of the longest observation; rows of shorter ones are padded to it.</summary>
    public int ObservationSize => EnvironmentSpec.LongestObservation(Agents);

    /// <summary>The layout of outputs, masks and actions, to which those of all agents are padded.</summary>
    public ActionLayout ActionLayout => ActionLayout.Of(Agents);

    /// <summary>A, the size of <see cref="ActionLayout"/>: the largest number of actions, or of elements of a continuous action.</summary>
    public int ActionCount => ActionLayout.Size;

    /// <summary>Returns a specification to build the network from, with episodes of one step.</summary>
    internal EnvironmentSpec Spec() => new() { Id = Environment, Agents = Agents, StateSize = StateSize, EpisodeLimit = 1, SnapshotSize = 0 };

    /// <summary>Refuses sizes that no policy has; a description may come from a damaged file, and nothing is allocated before.</summary>
    /// <exception cref="InvalidDataException">A value is missing or out of range; names it.</exception>
    internal void Validate()
    {
        const int MostAgents = 1 << 16, Widest = 1 << 24, MostElements = 1 << 24;
        Require(Environment is not null, "the environment is missing");
        Require(Agents is { Length: >= 1 and <= MostAgents }, $"there must be 1 to {MostAgents} agents");
        foreach (var agent in Agents!)
        {
            Require(agent is { ObservationSize: >= 0 and <= Widest, ActionCount: >= 1 and <= Widest }, $"an agent has an observation of {agent.ObservationSize} elements and {agent.ActionCount} actions");
            Require(agent.ActionProblem() is null, $"the action space of an agent is not valid: {agent.ActionProblem()}");
        }
        // The rows of agents are padded to the longest.
        Require(Agents.Length * (ObservationSize + ActionLayout.Elements) <= MostElements,
            $"{Agents.Length} agents with up to {ObservationSize} observation elements and {ActionLayout.Elements} actions have more than {MostElements} elements together");
        Require(StateSize is >= 0 and <= Widest, $"stateSize is {StateSize}");
        Require(EnsembleSize is >= 1 and <= 64, $"ensembleSize is {EnsembleSize}; it must be in 1 .. 64");
        Require(Network?.Network is not null, "the network is missing");
        try
        {
            Network!.Network.Validate();
            UsageException.RequireWidth(Network.Hidden, nameof(Network.Hidden));
        }
        catch (UsageException e)
        {
            throw new InvalidDataException(e.Message, e);
        }

        static void Require(bool valid, string problem)
        {
            if (!valid)
            {
                throw new InvalidDataException($"the description of the policy is damaged: {problem}");
            }
        }
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Agents.Length} agents of {Environment}";
}

/// <summary>JSON of a policy's description, without reflection.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true, IgnoreReadOnlyProperties = true,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(PolicyDescription))]
internal sealed partial class PolicyJson : JsonSerializerContext
{
    /// <summary>The JSON contract, with the network types that were added.</summary>
    public static JsonTypeInfo Type => Present.GetTypeInfo(typeof(PolicyDescription));

    private static JsonSerializerOptions Present => Parts.Options(Default);

    /// <summary>Serializes a description.</summary>
    /// <exception cref="UsageException">The type of the network has the name of another one.</exception>
    public static string Text(PolicyDescription description)
    {
        Parts.AddUsed(description.Network, () => Present);
        return JsonSerializer.Serialize(description, Type);
    }

    /// <summary>Returns the error message for a description whose network type is unknown; null if it is known.</summary>
    public static string? UnknownNetwork(string json)
    {
        try
        {
            return JsonNode.Parse(json, documentOptions: Json.Lenient)?["network"]?["network"]?[Parts.Discriminator] is JsonValue value && value.TryGetValue(out string? name)
                && Parts.TypesOf(typeof(NetworkOptions), Present).All(known => !name.Equals(known.TypeDiscriminator))
                ? $"the policy has a network of the unknown type '{Printable.Of(name, maxLength: 100)}'; load its library first (--load, or Catalog.Load)" : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }
}
