using System.Text.Json;
using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>
/// The policy of trained agents: selects actions for observations, or in an environment, without exploration. It is saved to one file and loaded from it.
/// </summary>
/// <remarks>
/// Shapes: N agents, O the longest observation, S the length of the state; actions of K discrete branches and vectors of D elements, masks and outputs of A
/// elements, as <see cref="PolicyDescription.ActionLayout"/> says, see <see cref="Description"/>. Rows of agents with fewer are padded; the padding of inputs is
/// ignored.
/// <para>Thread safety: a policy remembers its episode (previous actions and recurrent state), so it serves one episode and one thread at a time. Use a
/// <see cref="Clone"/> for each concurrent episode; clones share the weights. A call during another call throws <see cref="InvalidOperationException"/> and
/// has no effect. <see cref="Clone"/>, <see cref="AsGreedy"/>, <see cref="Save"/> and <see cref="IsCompatibleWith"/> may be called from any thread at any
/// time.</para>
/// <para>After the first calls, acting does not allocate.</para>
/// </remarks>
/// <example><code>
/// var policy = Policy.Load("runs/qmix/policy.safetensors");
/// var rng = new Rng(1);
/// float[] observations = new float[policy.Description.Agents.Length * policy.Description.ObservationSize];
/// int[] actions = new int[policy.Description.Agents.Length];
/// policy.Begin(ref rng);                                                    // at the start of an episode
/// policy.Act(observations, available: [], actions, ref rng);                // once per step; []: all actions are available
/// Policy another = policy.Clone();                                          // for a second episode at the same time
/// </code></example>
public sealed partial class Policy
{
    private readonly Actor[] actors;
    private readonly Parameters parameters;
    private readonly Controller controller;
    private readonly int agents, observationSize;
    private readonly ActionLayout layout;
    private readonly bool seesState;

    // Row 0 holds the current observations and actions.
    private readonly Episode current;

    private bool isBusy;

    /// <summary>Creates a policy with weights to be set, or with those of another policy.</summary>
    private Policy(PolicyDescription description, Policy? shared = null, Action<ParameterLayout>? check = null)
    {
        Description = description;
        var spec = description.Spec();
        (agents, observationSize, layout) = (spec.Agents.Length, spec.ObservationSize, spec.ActionLayout);
        seesState = description.Network.Observation == ObservationKind.State;
        if (shared is null)
        {
            var layout = new ParameterLayout();
            Agent[] networks = [.. Enumerable.Range(0, description.EnsembleSize)
                .Select(member => new Agent(layout.Scope(Prefix(member) + "agent"), spec, description.Network))];
            check?.Invoke(layout);
            parameters = new Parameters(layout);
            actors = [.. networks.Select(network => new Actor(network, parameters))];
        }
        else
        {
            (actors, parameters) = (shared.actors, shared.parameters);
        }
        controller = new Controller(actors, description.Stochastic ? new SoftmaxPolicy() : new EpsilonGreedy(), spec, capacity: 1, shared?.controller.Weights);
        current = new Episode(spec) { Fingerprint = description.Fingerprint };
        MemorySize = agents + controller.MemorySize;
        BeginFirstEpisode();
    }

    /// <summary>Creates a policy with a copy of the weights of agent networks.</summary>
    /// <param name="spec">The environment.</param>
    /// <param name="actors">One network, or the members of an ensemble.</param>
    /// <param name="fingerprint">The training progress.</param>
    /// <param name="stochastic">Whether actions are sampled, see <see cref="Exploration.IsStochastic"/>.</param>
    public Policy(EnvironmentSpec spec, IReadOnlyList<Actor> actors, Fingerprint fingerprint = default, bool stochastic = false)
        : this(new PolicyDescription(spec.Id, actors[0].Agent.Options, spec.Agents, spec.StateSize, fingerprint, actors.Count, stochastic))
    {
        for (int member = 0; member < actors.Count; member++)
        {
            var (trained, prefix) = (actors[member].Parameters, Prefix(member));
            foreach (var slice in parameters.Layout.Slices.Where(slice => slice.Name.StartsWith(prefix, StringComparison.Ordinal)))
            {
                trained[trained.Layout.Slices.First(s => s.Name == slice.Name[prefix.Length..])].CopyTo(parameters[slice]);
            }
        }
        controller.UpdateWeights();
    }

    /// <summary>The name of the policy file in the folder of a run.</summary>
    internal const string FileName = "policy.safetensors";

    private const int MaxProblemLength = 500;

    /// <summary>The network, and the environment that it was trained in.</summary>
    public PolicyDescription Description { get; }

    /// <summary>Loads a policy that <see cref="Save"/> wrote.</summary>
    /// <param name="path">The safetensors file.</param>
    /// <exception cref="InvalidDataException">The file is not a policy, or is damaged; the message names the entry.</exception>
    public static Policy Load(string path)
    {
        var file = Safetensors.Read(path);
        if (!file.Metadata.TryGetValue("policy", out string? json))
        {
            throw new InvalidDataException($"{path} is not a policy: its metadata has no entry 'policy'");
        }
        PolicyDescription description;
        try
        {
            description = (PolicyDescription?)JsonSerializer.Deserialize(json, PolicyJson.Type) ?? throw new InvalidDataException("the description of the policy is null");
            description.Validate();
        }
        catch (Exception e) when (e is JsonException or NotSupportedException)
        {
            throw new InvalidDataException($"{path}: {PolicyJson.UnknownNetwork(json) ?? $"the description of the policy cannot be read: {Printable.Of(e.Message, MaxProblemLength)}"}");
        }
        catch (InvalidDataException e)
        {
            throw new InvalidDataException($"{path}: {Printable.Of(e.Message, MaxProblemLength)}", e);
        }
        var policy = Build();
        Checkpoint.Load(file, policy.parameters, path);
        policy.controller.UpdateWeights();
        return policy;

        // The file's entries bound every size that is allocated.
        Policy Build()
        {
            try
            {
                return new Policy(description, check: layout => Checkpoint.EnsureFits(file, layout, path));
            }
            catch (Exception e) when (e is ArgumentException or OverflowException or UsageException)
            {
                throw new InvalidDataException($"{path}: no policy can be made of its description: {Printable.Of(e.Message, MaxProblemLength)}", e);
            }
        }
    }

    /// <summary>Creates a policy that shares the weights and has an episode of its own, at its start: for another thread, or another episode at the same
    /// time. To continue this policy's episode, copy its memory (<see cref="SaveMemory"/>, <see cref="RestoreMemory"/>).</summary>
    public Policy Clone() => new(Description, this);

    /// <summary>Creates a <see cref="Clone"/> that takes the most probable action instead of sampling.</summary>
    public Policy AsGreedy() => new(Description with { Stochastic = false }, this);

    /// <summary>Saves the weights as safetensors with PyTorch's parameter names, and <see cref="Description"/> as metadata.</summary>
    /// <param name="path">The file; it is replaced atomically.</param>
    public void Save(string path) => Checkpoint.Save(path, parameters, new Dictionary<string, string>
    {
        ["policy"] = PolicyJson.Text(Description),
    });

    /// <summary>Plays one episode, from reset to end.</summary>
    /// <param name="environment">The environment.</param>
    /// <param name="rng">The random number generator of environment and agents.</param>
    /// <returns>The recorded episode.</returns>
    /// <exception cref="ArgumentException">The environment's agents are not those that the policy was trained for.</exception>
    public Episode Play(IEnvironment environment, ref Rng rng) => Play([this], environment, ref rng, ref rng);

    /// <summary>Plays one episode with a policy for each team, in the order of <see cref="EnvironmentSpec.Teams"/>. The last policy plays all remaining
    /// teams. The policies must be different objects (<see cref="Clone"/>), because each remembers its episode.</summary>
    /// <param name="teams">The policies.</param>
    /// <param name="environment">The environment.</param>
    /// <param name="environmentRng">The random number generator of the environment.</param>
    /// <param name="actionRng">The random number generator of the agents.</param>
    /// <returns>The recorded episode.</returns>
    /// <exception cref="ArgumentException">The environment's agents are not those that a policy was trained for.</exception>
    public static Episode Play(IReadOnlyList<Policy> teams, IEnvironment environment, ref Rng environmentRng, ref Rng actionRng)
    {
        var spec = environment.Spec;
        var episode = new Episode(spec) { Fingerprint = teams[0].Description.Fingerprint };
        int[] players = [.. spec.Agents.Select(agent => Math.Min(Array.IndexOf(spec.Teams, agent.Team), teams.Count - 1))];
        var recorder = new EpisodeRecorder(spec);
        recorder.Begin(environment, episode, ref environmentRng);
        foreach (var policy in teams)
        {
            policy.Begin(ref actionRng);
        }
        do
        {
            for (int player = 0; player < teams.Count; player++)
            {
                var actions = teams[player].Act(environment, ref actionRng);
                for (int agent = 0; agent < players.Length; agent++)
                {
                    if (players[agent] == player)
                    {
                        episode.SetAction(agent, actions);
                    }
                }
            }
        }
        while (recorder.Step(ref environmentRng));
        return episode;
    }

    /// <summary>The number of elements that <see cref="SaveMemory"/> writes.</summary>
    public int MemorySize { get; }

    /// <summary>Saves the memory of the episode: previous actions, recurrent states and ensemble members.</summary>
    /// <param name="memory">Destination [<see cref="MemorySize"/>].</param>
    /// <exception cref="ArgumentException"><paramref name="memory"/> has another length.</exception>
    public void SaveMemory(Span<double> memory)
    {
        RequireLength("memory", memory.Length, MemorySize);
        using var call = Enter();
        memory[..agents].Clear();
        for (int agent = 0; agent < current.Members.Length; agent++)
        {
            memory[agent] = current.Members[agent];
        }
        controller.Save(memory[agents..]);
    }

    /// <summary>Restores the memory that <see cref="SaveMemory"/> wrote, of this policy or of a clone.</summary>
    /// <param name="memory">Source [<see cref="MemorySize"/>].</param>
    /// <exception cref="ArgumentException"><paramref name="memory"/> has another length.</exception>
    public void RestoreMemory(ReadOnlySpan<double> memory)
    {
        RequireLength("memory", memory.Length, MemorySize);
        using var call = Enter();
        for (int agent = 0; agent < current.Members.Length; agent++)
        {
            current.Members[agent] = (int)memory[agent];
        }
        controller.Restore(memory[agents..]);
    }

    /// <summary>Returns whether the environment's agents are those that the policy was trained for: the same observation sizes, actions and teams.</summary>
    public bool IsCompatibleWith(IEnvironment environment)
    {
        var spec = environment.Spec;
        return spec.Agents.AsSpan().SequenceEqual(Description.Agents) && (!seesState || spec.StateSize == Description.StateSize);
    }

    /// <summary>Begins an episode, so that the first one needs no <see cref="Begin"/>.</summary>
    private void BeginFirstEpisode()
    {
        var rng = new Rng(0);
        Begin(ref rng);
    }

    private string Prefix(int member) => Description.EnsembleSize == 1 ? "" : $"member{member}.";

    /// <summary>Throws if <see cref="IsCompatibleWith"/> is false.</summary>
    /// <exception cref="ArgumentException">The environment's agents are not those that the policy was trained for.</exception>
    internal void RequireCompatible(IEnvironment environment)
    {
        if (!IsCompatibleWith(environment))
        {
            throw new ArgumentException($"a policy for {Description} cannot act in {environment.Spec.Id}: observation sizes, actions or teams differ");
        }
    }
}
