using System.Buffers;
using System.Text.Json;

namespace Marl.Native.Rl;

/// <summary>The lines of docs/protocol.md. A request is written into memory that is used again.</summary>
internal sealed class ExternalProtocol
{
    /// <summary>The version that is spoken here.</summary>
    public const int Version = 1;

    /// <summary>More agents, actions, numbers or steps than anyone has: a mistake.</summary>
    private const int Most = 1 << 20;

    private readonly ArrayBufferWriter<byte> request = new();
    private readonly Utf8JsonWriter writer;

    public ExternalProtocol() => writer = new(request);

    /// <summary>{"type":"hello","protocol":1}</summary>
    public ReadOnlySpan<byte> Hello()
    {
        Begin("hello"u8);
        writer.WriteNumber("protocol"u8, Version);
        return End();
    }

    /// <summary>{"type":"reset","seed":7}</summary>
    public ReadOnlySpan<byte> Reset(int seed)
    {
        Begin("reset"u8);
        writer.WriteNumber("seed"u8, seed);
        return End();
    }

    /// <summary>{"type":"step","actions":[0,2]}, or {"type":"step","actions":[[0.5,-1],[0.25]]} of agents with boxes.</summary>
    public ReadOnlySpan<byte> Step(JointAction actions, EnvironmentSpec spec)
    {
        Begin("step"u8);
        writer.WriteStartArray("actions"u8);
        foreach (int action in actions)
        {
            writer.WriteNumberValue(action);
        }

        for (int agent = 0; spec.IsContinuous && agent < spec.Agents.Length; agent++)
        {
            writer.WriteStartArray();
            foreach (float number in actions.Vector(agent)[..spec.Agents[agent].Actions])
            {
                writer.WriteNumberValue(number);
            }

            writer.WriteEndArray();
        }
        writer.WriteEndArray();
        return End();
    }

    /// <summary>Reads the answer to hello: what the program says of itself.</summary>
    /// <param name="line">the answer.</param>
    /// <param name="id">what <see cref="EnvironmentSpec.Id"/> shall be.</param>
    /// <exception cref="ProgramFault">something is missing or makes no sense.</exception>
    public static ExternalDescription ReadHello(ReadOnlySpan<byte> line, string id)
    {
        var json = new JsonLine(line);
        List<AgentSpec> agents = [];
        int protocol = 0, stateSize = 0, episodeLimit = 0;
        var reward = RewardMode.Sum;
        while (json.NextField())
        {
            if (json.Is("protocol"u8))
            {
                json.Name("protocol");
                protocol = json.Whole(1, Most);
            }
            else if (json.Is("agents"u8))
            {
                json.Name("agents");
                json.BeginArray();
                while (json.NextObject())
                {
                    agents.Add(ReadAgent(ref json, agents.Count));
                }
            }
            else if (json.Is("state_size"u8))
            {
                json.Name("state_size");
                stateSize = json.Whole(0, Most);
            }
            else if (json.Is("episode_limit"u8))
            {
                json.Name("episode_limit");
                episodeLimit = json.Whole(1, Most);
            }
            else if (json.Is("reward"u8))
            {
                json.Name("reward");
                string word = json.Text();
                reward = word switch
                {
                    "sum" => RewardMode.Sum,
                    "mean" => RewardMode.Mean,
                    _ => throw new ProgramFault($"reward is '{word}'; sum or mean is needed"),
                };
            }
            else
            {
                throw json.Unknown("protocol", "agents", "state_size", "episode_limit", "reward");
            }
        }
        if (protocol != Version)
        {
            throw new ProgramFault(protocol == 0 ? "the answer names no protocol" : $"the program speaks protocol {protocol}; this is {Version}");
        }

        if (agents.Count == 0)
        {
            throw new ProgramFault("the answer names no agents");
        }

        if (agents.Any(agent => agent.Box is null != (agents[0].Box is null)))
        {
            throw new ProgramFault("some agents have a box and others have none");
        }

        if (episodeLimit == 0)
        {
            throw new ProgramFault("the answer names no episode_limit");
        }

        return new(HasState: stateSize > 0, new EnvironmentSpec
        {
            Id = id,
            Agents = [.. agents],
            StateSize = stateSize > 0 ? stateSize : agents.Sum(agent => agent.Observation),
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
        ActionBox? box = null;
        float[] bounds = new float[2];
        while (json.NextField())
        {
            if (json.Is("name"u8))
            {
                json.Name("name", name);
                name = given = json.Text();
            }
            else if (json.Is("observation_size"u8))
            {
                json.Name("observation_size", name);
                observation = json.Whole(1, Most);
            }
            else if (json.Is("actions"u8))
            {
                json.Name("actions", name);
                actions = json.Whole(1, Most);
            }
            else if (json.Is("team"u8))
            {
                json.Name("team", name);
                team = json.Whole(0, Most);
            }
            else if (json.Is("box"u8))
            {
                json.Name("box", name);
                json.Numbers<float>(bounds);
                box = bounds[0] < bounds[1] ? new ActionBox(bounds[0], bounds[1])
                    : throw new ProgramFault($"the box of agent '{name}' is empty; [least, greatest] is needed");
            }
            else
            {
                throw json.Unknown("name", "observation_size", "actions", "team", "box");
            }
        }
        if (observation == 0 || actions == 0)
        {
            throw new ProgramFault($"agent '{name}' has no {(observation == 0 ? "observation_size" : "actions")}");
        }

        return new AgentSpec(observation, actions, team, box) { Name = given };
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

/// <summary>What a program says of itself.</summary>
/// <param name="HasState">whether it sends a state; otherwise the state is all observations.</param>
/// <param name="Spec">the rest.</param>
internal sealed record ExternalDescription(bool HasState, EnvironmentSpec Spec)
{
    /// <summary>[N] what errors call the agents: their names, or their indices where they have none.</summary>
    public string[] Names { get; } = [.. Spec.Agents.Select((agent, index) => agent.Name ?? $"{index}")];
}
