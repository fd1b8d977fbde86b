using System.Buffers;
using System.Text.Json;

namespace Marl.Native.Rl;

/// <summary>Writes requests and reads descriptions according to docs/protocol.md. The buffer of requests is reused.</summary>
internal sealed class ExternalProtocol
{
    /// <summary>The version of the protocol.</summary>
    public const int Version = 1;

    /// <summary>The maximum number of agents, actions, elements or steps.</summary>
    private const int MaxCount = 1 << 20;

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

    /// <summary>Writes {"type":"step","actions":[0,2]}, or with continuous actions {"type":"step","actions":[[0.5,-1],[0.25]]}.</summary>
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
            foreach (float value in actions.Vector(agent)[..spec.Agents[agent].ActionCount])
            {
                writer.WriteNumberValue(value);
            }

            writer.WriteEndArray();
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
        List<string> names = [];
        int protocol = 0, stateSize = 0, episodeLimit = 0;
        var reward = RewardMode.Sum;
        while (json.NextField())
        {
            if (json.Is("protocol"u8))
            {
                json.SetSubject("protocol");
                protocol = json.ReadInteger(1, MaxCount);
            }
            else if (json.Is("agents"u8))
            {
                json.SetSubject("agents");
                json.BeginArray();
                while (json.NextObject())
                {
                    agents.Add(ReadAgent(ref json, names));
                }
            }
            else if (json.Is("state_size"u8))
            {
                json.SetSubject("state_size");
                stateSize = json.ReadInteger(0, MaxCount);
            }
            else if (json.Is("episode_limit"u8))
            {
                json.SetSubject("episode_limit");
                episodeLimit = json.ReadInteger(1, MaxCount);
            }
            else if (json.Is("reward"u8))
            {
                json.SetSubject("reward");
                string mode = json.ReadString();
                reward = mode switch
                {
                    "sum" => RewardMode.Sum,
                    "mean" => RewardMode.Mean,
                    _ => throw new ExternalProgramException($"reward is '{mode}'; sum or mean is required"),
                };
            }
            else
            {
                throw json.Unknown("protocol", "agents", "state_size", "episode_limit", "reward");
            }
        }
        if (protocol != Version)
        {
            throw new ExternalProgramException(protocol == 0 ? "the answer has no protocol" : $"the program uses protocol {protocol}; {Version} is required");
        }

        if (agents.Count == 0)
        {
            throw new ExternalProgramException("the answer has no agents");
        }

        if (agents.Any(agent => agent.Box is null != (agents[0].Box is null)))
        {
            throw new ExternalProgramException("some agents have a box and others have none");
        }

        if (episodeLimit == 0)
        {
            throw new ExternalProgramException("the answer has no episode_limit");
        }

        return new([.. names], HasState: stateSize > 0, new EnvironmentSpec
        {
            Id = id,
            Agents = [.. agents],
            StateSize = stateSize > 0 ? stateSize : agents.Sum(agent => agent.ObservationSize),
            Reward = reward,
            EpisodeLimit = episodeLimit,
            SnapshotSize = ExternalEpisode.SnapshotSize([.. agents], episodeLimit),
        });
    }

    private static AgentSpec ReadAgent(ref JsonLine json, List<string> names)
    {
        string name = $"{names.Count}";
        int observation = 0, actions = 0, team = 0;
        ActionBox? box = null;
        float[] bounds = new float[2];
        while (json.NextField())
        {
            if (json.Is("name"u8))
            {
                json.SetSubject("name", name);
                name = json.ReadString();
            }
            else if (json.Is("observation_size"u8))
            {
                json.SetSubject("observation_size", name);
                observation = json.ReadInteger(1, MaxCount);
            }
            else if (json.Is("actions"u8))
            {
                json.SetSubject("actions", name);
                actions = json.ReadInteger(1, MaxCount);
            }
            else if (json.Is("team"u8))
            {
                json.SetSubject("team", name);
                team = json.ReadInteger(0, MaxCount);
            }
            else if (json.Is("box"u8))
            {
                json.SetSubject("box", name);
                json.ReadNumbers<float>(bounds);
                box = bounds[0] < bounds[1] ? new ActionBox(bounds[0], bounds[1])
                    : throw new ExternalProgramException($"the box of agent '{name}' is empty; [low, high] is required");
            }
            else
            {
                throw json.Unknown("name", "observation_size", "actions", "team", "box");
            }
        }
        if (observation == 0 || actions == 0)
        {
            throw new ExternalProgramException($"agent '{name}' has no {(observation == 0 ? "observation_size" : "actions")}");
        }

        names.Add(name);
        return new AgentSpec(observation, actions, team, box);
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
/// <param name="Names">[N] The names of the agents.</param>
/// <param name="HasState">Whether the program sends a state; otherwise the state is the concatenation of all observations.</param>
/// <param name="Spec">The specification.</param>
internal sealed record ExternalDescription(string[] Names, bool HasState, EnvironmentSpec Spec);
