using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>Trained agents by themselves: act in an environment as they were trained to, exploring nothing, are saved to one file and loaded from it, with nothing else needed.</summary>
public sealed class Policy
{
    private readonly Parameters parameters;
    private readonly int members;
    private readonly Controller controller;
    private readonly Episode present;
    private readonly EpisodeRecorder recorder;
    private readonly Rng[] choice = new Rng[1];

    private Policy(PolicyDescription description)
    {
        Description = description;
        var spec = description.Spec();
        var layout = new ParameterLayout();
        members = description.Members;
        Agent[] agents = [.. Enumerable.Range(0, members).Select(member => new Agent(layout.Scope(Prefix(member) + "agent"), spec, description.Network))];
        parameters = new Parameters(layout);
        controller = new Controller([.. agents.Select(agent => new Actor(agent, parameters))], description.Stochastic ? new SoftmaxPolicy() : new EpsilonGreedy(), spec, capacity: 1);
        present = new Episode(spec) { Fingerprint = description.Fingerprint };
        recorder = new EpisodeRecorder(spec);
    }

    /// <summary>A copy of the agents among trained parameters.</summary>
    /// <param name="spec">what they act in.</param>
    /// <param name="actors">one, or the members of an ensemble.</param>
    /// <param name="fingerprint">when in training this is.</param>
    /// <param name="stochastic">whether actions are drawn from what the agents say, see <see cref="Exploration.IsStochastic"/>.</param>
    public Policy(EnvironmentSpec spec, IReadOnlyList<Actor> actors, Fingerprint fingerprint = default, bool stochastic = false)
        : this(new PolicyDescription(spec.Id, actors[0].Agent.Options, spec.Agents, spec.StateSize, fingerprint, actors.Count, stochastic))
    {
        for (int member = 0; member < members; member++)
        {
            var (trained, prefix) = (actors[member].Parameters, Prefix(member));
            foreach (var slice in parameters.Layout.Slices.Where(slice => slice.Name.StartsWith(prefix, StringComparison.Ordinal)))
            {
                trained[trained.Layout.Slices.First(s => s.Name == slice.Name[prefix.Length..])].CopyTo(parameters[slice]);
            }
        }
        BeginFirst();
    }

    /// <summary>The name of the file of a run's policy in the run's folder.</summary>
    internal const string FileName = "policy.safetensors";

    /// <summary>What it is and what it was trained for.</summary>
    public PolicyDescription Description { get; }

    /// <summary>Reads what <see cref="Save"/> wrote.</summary>
    /// <exception cref="InvalidDataException">the file is no policy, or damaged; names the entry.</exception>
    public static Policy Load(string path)
    {
        var metadata = Safetensors.Read(path).Metadata;
        if (!metadata.TryGetValue("policy", out string? json))
        {
            throw new InvalidDataException($"{path} is no policy: its metadata has no entry 'policy'");
        }
        Policy policy;
        try
        {
            policy = new Policy((PolicyDescription)JsonSerializer.Deserialize(json, PolicyJson.Type)!);
        }
        catch (Exception e) when (e is JsonException or NotSupportedException)
        {
            throw new InvalidDataException($"{path}: {PolicyJson.UnknownNetwork(json) ?? $"the description of the policy cannot be read: {e.Message}"}");
        }
        Checkpoint.Load(path, policy.parameters);
        policy.BeginFirst();
        return policy;
    }

    /// <summary>The same agents doing what is likeliest, in place of drawing from their policies.</summary>
    public Policy Greedily()
    {
        var greedy = new Policy(Description with { Stochastic = false });
        parameters.Values.CopyTo(greedy.parameters.Values);
        greedy.BeginFirst();
        return greedy;
    }

    /// <summary>Writes the weights as safetensors with PyTorch's names, and in the metadata what is needed to build the network again.</summary>
    public void Save(string path) => Checkpoint.Save(path, parameters, new Dictionary<string, string>
    {
        ["policy"] = PolicyJson.Text(Description),
    });

    /// <summary>Forgets the past: an episode begins. Of an ensemble each agent plays another member, drawn anew.</summary>
    public void Begin(ref Rng rng)
    {
        controller.Begin(1);
        present.AssignMembers(members, ref rng);
    }

    /// <summary>The agents' actions for what they see in the environment now. Call it once per step: recurrent agents remember.</summary>
    /// <param name="environment">where they are.</param>
    /// <param name="rng">chance, for agents that draw their actions (<see cref="PolicyDescription.Stochastic"/>).</param>
    /// <returns>overwritten by the next call.</returns>
    /// <exception cref="ArgumentException">the environment has other agents than the policy was trained for.</exception>
    public JointAction Act(IEnvironment environment, ref Rng rng)
    {
        RequireFit(environment);
        recorder.Begin(environment, present);
        choice[0] = rng;
        controller.Act([present], exploration: 0f, choice);
        rng = choice[0];
        return present.JointAction(0);
    }

    /// <summary>Plays one episode, from its reset to its end.</summary>
    /// <returns>the episode as it was recorded.</returns>
    /// <exception cref="ArgumentException">the environment has other agents than the policy was trained for.</exception>
    public Episode Play(IEnvironment environment, ref Rng rng) => Play([this], environment, ref rng, ref rng);

    /// <summary>The same with a policy for each team, in the order of <see cref="EnvironmentSpec.Teams"/>; the last one acts for all teams that are left. No
    /// policy may be named twice: each remembers its own past.</summary>
    /// <param name="teams">the policies.</param>
    /// <param name="environment">what is played.</param>
    /// <param name="chance">of the environment.</param>
    /// <param name="choice">of the agents.</param>
    /// <exception cref="ArgumentException">the environment has other agents than a policy was trained for.</exception>
    public static Episode Play(IReadOnlyList<Policy> teams, IEnvironment environment, ref Rng chance, ref Rng choice)
    {
        var spec = environment.Spec;
        var episode = new Episode(spec) { Fingerprint = teams[0].Description.Fingerprint };
        int[] players = [.. spec.Agents.Select(agent => Math.Min(Array.IndexOf(spec.Teams, agent.Team), teams.Count - 1))];
        var recorder = new EpisodeRecorder(spec);
        environment.Reset(ref chance);
        recorder.Begin(environment, episode);
        foreach (var policy in teams)
        {
            policy.Begin(ref choice);
        }
        do
        {
            for (int player = 0; player < teams.Count; player++)
            {
                var actions = teams[player].Act(environment, ref choice);
                for (int agent = 0; agent < players.Length; agent++)
                {
                    if (players[agent] == player)
                    {
                        episode.SetAction(agent, actions);
                    }
                }
            }
        }
        while (recorder.Step(ref chance));
        return episode;
    }

    /// <summary>Length of what <see cref="SaveMemory"/> writes.</summary>
    public int MemorySize => present.Agents + controller.MemorySize;

    /// <summary>Writes what the agents remember of their episode, [<see cref="MemorySize"/>] numbers: they can go on from there.</summary>
    public void SaveMemory(Span<double> memory)
    {
        for (int agent = 0; agent < present.Agents; agent++)
        {
            memory[agent] = members > 1 ? present.Members[agent] : 0;
        }
        controller.Save(memory[present.Agents..]);
    }

    /// <summary>Puts back what <see cref="SaveMemory"/> wrote, also into another instance of the same policy.</summary>
    public void RestoreMemory(ReadOnlySpan<double> memory)
    {
        for (int agent = 0; agent < present.Members.Length; agent++)
        {
            present.Members[agent] = (int)memory[agent];
        }
        controller.Restore(memory[present.Agents..]);
    }

    /// <summary>Whether the environment's agents are like those the policy was trained for.</summary>
    public bool Fits(IEnvironment environment) => environment.Spec.Agents.AsSpan().SequenceEqual(Description.Agents)
        && (Description.Network.Observation == ObservationKind.Own || environment.Spec.StateSize == Description.StateSize);

    /// <summary>Agents that have their parameters can act, without being told that an episode begins.</summary>
    private void BeginFirst()
    {
        controller.Freeze();
        var rng = new Rng(0);
        Begin(ref rng);
    }

    private string Prefix(int member) => members == 1 ? "" : $"member{member}.";

    /// <summary>Refuses an environment.</summary>
    /// <exception cref="ArgumentException">it has other agents than the policy was trained for.</exception>
    internal void RequireFit(IEnvironment environment)
    {
        if (!Fits(environment))
        {
            throw new ArgumentException($"a policy for {Description} cannot act in {environment.Spec.Id}: observations or actions differ");
        }
    }
}

/// <summary>What a policy is made of.</summary>
/// <param name="Environment">the id of what it was trained in.</param>
/// <param name="Network">its network.</param>
/// <param name="Agents">what its agents see and may do.</param>
/// <param name="StateSize">S of the environment, for agents that see its state.</param>
/// <param name="Fingerprint">when in training it was saved, for agents that see that.</param>
/// <param name="Members">of an ensemble: how many networks there are.</param>
/// <param name="Stochastic">whether actions are drawn from what the agents say, see <see cref="Exploration.IsStochastic"/>; otherwise they do what is likeliest.</param>
public sealed record PolicyDescription(string Environment, AgentOptions Network, AgentSpec[] Agents, int StateSize = 0, Fingerprint Fingerprint = default,
    int Members = 1, bool Stochastic = false)
{
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
