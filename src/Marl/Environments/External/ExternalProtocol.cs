using System.Buffers;
using System.Text.Json;
using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>Writes requests and reads descriptions according to docs/protocol.md. The buffer of requests is reused.</summary>
internal sealed class ExternalProtocol
{
    /// <summary>The version of the protocol.</summary>
    public const int Version = 1;

    /// <summary>The maximum number of agents, actions, elements or steps.</summary>
    private const int MaxCount = 1 << 20;

    /// <summary>The maximum number of elements of the padded observations and actions of all agents.</summary>
    private const int MaxElements = 1 << 24;

    /// <summary>The longest name of an agent that is shown in full.</summary>
    private const int MaxNameLength = 100;

    private readonly ArrayBufferWriter<byte> request = new();
    private readonly Utf8JsonWriter writer;

    public ExternalProtocol() => writer = new(request);

    /// <summary>Writes {"type":"hello","protocol":1}.</summary>
    public ReadOnlySpan<byte> Hello()
    {
        Begin("hello"u8);
        writer.WriteNumber("protocol"u8, Version);
        return End();
    }

    /// <summary>Writes {"type":"reset","seed":7}.</summary>
    public ReadOnlySpan<byte> Reset(int seed)
    {
        Begin("reset"u8);
        writer.WriteNumber("seed"u8, seed);
        return End();
    }

    /// <summary>Writes {"type":"step","actions":[0,2]}; with continuous actions {"type":"step","actions":[[0.5,-1],[0.25]]}; with branches their indices
    /// before the elements of the continuous part, {"type":"step","actions":[[2,0],[1,0.5,-1]]}.</summary>
    public ReadOnlySpan<byte> Step(JointAction actions, EnvironmentSpec spec)
    {
        Begin("step"u8);
        writer.WriteStartArray("actions"u8);
        for (int agent = 0; agent < spec.Agents.Length; agent++)
        {
            ref readonly var size = ref spec.Agents[agent];
            bool isIndex = size is { BranchCount: 1, Box: null };
            if (!isIndex)
            {
                writer.WriteStartArray();
            }
            foreach (int choice in actions.Branches(agent)[..size.BranchCount])
            {
                writer.WriteNumberValue(choice);
            }
            for (int element = 0; element < size.VectorSize; element++)
            {
                writer.WriteNumberValue(actions.Vector(agent)[element]);
            }
            if (!isIndex)
            {
                writer.WriteEndArray();
            }
        }
        writer.WriteEndArray();
        return End();
    }

    /// <summary>Reads the answer to hello, the description of the environment.</summary>
    /// <param name="line">The answer.</param>
    /// <param name="id">The <see cref="EnvironmentSpec.Id"/>.</param>
    /// <exception cref="ExternalProgramException">A field is missing or invalid.</exception>
    public static ExternalDescription ReadHello(ReadOnlySpan<byte> line, string id)
    {
        var json = new JsonLine(line);
        List<AgentSpec> agents = [];
        int protocol = 0, stateSize = 0, episodeLimit = 0;
        var reward = RewardMode.Sum;
        bool hasProtocol = false, hasAgents = false, hasState = false, hasLimit = false, hasReward = false;
        while (json.NextField())
        {
            if (json.Is("protocol"u8, ref hasProtocol))
            {
                json.SetSubject("protocol");
                protocol = json.ReadInteger(1, MaxCount);
            }
            else if (json.Is("agents"u8, ref hasAgents))
            {
                json.SetSubject("agents");
                json.BeginArray();
                while (json.NextObject())
                {
                    agents.Add(ReadAgent(ref json, agents.Count));
                }
            }
            else if (json.Is("state_size"u8, ref hasState))
            {
                json.SetSubject("state_size");
                stateSize = json.ReadInteger(0, MaxCount);
            }
            else if (json.Is("episode_limit"u8, ref hasLimit))
            {
                json.SetSubject("episode_limit");
                episodeLimit = json.ReadInteger(1, MaxCount);
            }
            else if (json.Is("reward"u8, ref hasReward))
            {
                json.SetSubject("reward");
                string mode = json.ReadString();
                reward = mode switch
                {
                    "sum" => RewardMode.Sum,
                    "mean" => RewardMode.Mean,
                    _ => throw new ExternalProgramException($"reward is '{Printable.Of(mode, MaxNameLength)}'; sum or mean is required"),
                };
            }
            else
            {
                throw json.Unknown("protocol", "agents", "state_size", "episode_limit", "reward");
            }
        }
        if (protocol != Version)
        {
            throw new ExternalProgramException(!hasProtocol ? "the answer has no protocol" : $"the program uses protocol {protocol}; {Version} is required");
        }

        if (agents.Count == 0)
        {
            throw new ExternalProgramException("the answer has no agents");
        }

        if (!hasLimit)
        {
            throw new ExternalProgramException("the answer has no episode_limit");
        }

        // The rows of agents are padded to the longest.
        var (observation, actions) = (EnvironmentSpec.LongestObservation([.. agents]), ActionLayout.Of([.. agents]));
        if (agents.Count * (observation + actions.Elements) > MaxElements)
        {
            throw new ExternalProgramException($"{agents.Count} agents with up to {observation} observation elements and {actions.Elements} actions have more " +
                $"than {MaxElements} elements together");
        }

        return new(HasState: stateSize > 0, new EnvironmentSpec
        {
            Id = id,
            Agents = [.. agents],
            StateSize = stateSize > 0 ? stateSize : agents.Sum(agent => agent.ObservationSize),
            Reward = reward,
            EpisodeLimit = episodeLimit,
            SnapshotSize = ExternalEpisode.SnapshotSize([.. agents], episodeLimit),
        });
    }

    private static AgentSpec ReadAgent(ref JsonLine json, int index)
    {
        string? given = null;
        string name = $"{index}";
        int observation = 0, actions = 0, team = 0;
        int[]? branches = null;
        ActionBox? box = null;
        float[] bounds = new float[2];
        bool hasName = false, hasObservation = false, hasActions = false, hasTeam = false, hasBox = false, hasBranches = false;
        while (json.NextField())
        {
            if (json.Is("name"u8, ref hasName))
            {
                json.SetSubject("name", name);
                name = given = Printable.Of(json.ReadString(), MaxNameLength);
            }
            else if (json.Is("observation_size"u8, ref hasObservation))
            {
                json.SetSubject("observation_size", name);
                observation = json.ReadInteger(1, MaxCount);
            }
            else if (json.Is("actions"u8, ref hasActions))
            {
                json.SetSubject("actions", name);
                actions = json.ReadInteger(1, MaxCount);
            }
            else if (json.Is("branches"u8, ref hasBranches))
            {
                json.SetSubject("branches", name);
                branches = json.ReadIntegers(1, MaxCount);
            }
            else if (json.Is("team"u8, ref hasTeam))
            {
                json.SetSubject("team", name);
                team = json.ReadInteger(0, MaxCount);
            }
            else if (json.Is("box"u8, ref hasBox))
            {
                json.SetSubject("box", name);
                json.ReadNumbers<float>(bounds);
                box = bounds[0] < bounds[1] ? new ActionBox(bounds[0], bounds[1])
                    : throw new ExternalProgramException($"the box of agent '{name}' is empty; [low, high] is required");
            }
            else
            {
                throw json.Unknown("name", "observation_size", "actions", "branches", "team", "box");
            }
        }
        string? missing = !hasObservation ? "observation_size" : !hasActions && (!hasBranches || hasBox) ? "actions" : null;
        if (missing is not null)
        {
            throw new ExternalProgramException($"agent '{name}' has no {missing}");
        }
        if (branches is null)
        {
            return new AgentSpec(observation, actions, team, box) { Name = given };
        }
        if (branches.Length == 0 || hasActions && !hasBox || branches.Sum(size => (long)size) > MaxElements)
        {
            throw new ExternalProgramException(branches.Length == 0 ? $"the branches of agent '{name}' are empty"
                : hasActions && !hasBox ? $"agent '{name}' has both actions and branches; both are only for a box in addition to branches"
                : $"the branches of agent '{name}' have more than {MaxElements} choices together");
        }
        return new AgentSpec(observation, branches, actions, team, box) { Name = given };
    }

    private void Begin(ReadOnlySpan<byte> type)
    {
        request.ResetWrittenCount();
        writer.Reset();
        writer.WriteStartObject();
        writer.WriteString("type"u8, type);
    }

    private ReadOnlySpan<byte> End()
    {
        writer.WriteEndObject();
        writer.Flush();
        request.Write("\n"u8);
        return request.WrittenSpan;
    }
}

/// <summary>The description of an environment in a program.</summary>
/// <param name="HasState">Whether the program sends a state; otherwise the state is the concatenation of all observations.</param>
/// <param name="Spec">The specification.</param>
internal sealed record ExternalDescription(bool HasState, EnvironmentSpec Spec)
{
    /// <summary>The names of the agents in errors [N]: their own, or their indices if they have none.</summary>
    public string[] Names { get; } = [.. Spec.Agents.Select((agent, index) => agent.Name ?? $"{index}")];
}
