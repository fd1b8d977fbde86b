using System.Text.Json;
using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>
/// Trained agents by themselves: they act on observations, or in an environment, as they were trained to and without exploring. A policy is saved to one file and
/// loaded from it, with nothing else needed.
/// </summary>
/// <remarks>
/// Shapes: N agents, O the longest observation, A the most actions or elements of a continuous action, S the length of the state, see <see cref="Description"/>.
/// Agents with less are padded: what is given there is ignored.
/// <para>Threads: a policy remembers its episode, so one thread and one episode use it at a time. Threads and episodes that run at once each use a
/// <see cref="Clone"/>; clones share the weights. A call during another call throws <see cref="InvalidOperationException"/>, and neither is changed by the other.
/// <see cref="Clone"/>, <see cref="Greedily"/>, <see cref="Save"/> and <see cref="Fits"/> may be called from any thread at any time.</para>
/// <para>Acting allocates nothing, but for the first calls.</para>
/// </remarks>
public sealed partial class Policy
{
    private readonly Actor[] actors;
    private readonly Parameters parameters;
    private readonly Controller controller;
    private readonly int agents, observationSize, actionCount;
    private readonly bool seesState, isContinuous;

    // What the agents see now and what they do: row 0.
    private readonly Episode present;

    private bool isBusy;

    /// <summary>With weights yet to be set, or with those of another policy.</summary>
    private Policy(PolicyDescription description, Policy? shared = null)
    {
        Description = description;
        var spec = description.Spec();
        (agents, observationSize, actionCount, isContinuous) = (spec.Agents.Length, spec.ObservationSize, spec.ActionCount, spec.IsContinuous);
        seesState = description.Network.Observation == ObservationKind.State;
        if (shared is null)
        {
            var layout = new ParameterLayout();
            Agent[] networks = [.. Enumerable.Range(0, description.EnsembleSize).Select(member => new Agent(layout.Scope(Prefix(member) + "agent"), spec, description.Network))];
            parameters = new Parameters(layout);
            actors = [.. networks.Select(network => new Actor(network, parameters))];
        }
        else
        {
            (actors, parameters) = (shared.actors, shared.parameters);
        }
        controller = new Controller(actors, description.Stochastic ? new SoftmaxPolicy() : new EpsilonGreedy(), spec, capacity: 1, shared?.controller.Weights);
        present = new Episode(spec) { Fingerprint = description.Fingerprint };
        MemorySize = agents + controller.MemorySize;
        BeginFirst();
    }

    /// <summary>A copy of the agents among trained parameters.</summary>
    /// <param name="spec">the environment that they act in.</param>
    /// <param name="actors">one, or the members of an ensemble.</param>
    /// <param name="fingerprint">when in training this is.</param>
    /// <param name="stochastic">whether actions are sampled, see <see cref="Exploration.IsStochastic"/>.</param>
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
        policy.controller.UpdateWeights();
        return policy;
    }

    /// <summary>The same agents with an episode of their own, at its beginning: for another thread, or an episode at the same time. The weights are shared.
    /// To go on from where this policy is, copy its memory (<see cref="SaveMemory"/>, <see cref="RestoreMemory"/>).</summary>
    public Policy Clone() => new(Description, this);

    /// <summary>A <see cref="Clone"/> that takes the likeliest action in place of sampling one.</summary>
    public Policy Greedily() => new(Description with { Stochastic = false }, this);

    /// <summary>Writes the weights as safetensors with PyTorch's names, and in the metadata what is needed to build the network again.</summary>
    public void Save(string path) => Checkpoint.Save(path, parameters, new Dictionary<string, string>
    {
        ["policy"] = PolicyJson.Text(Description),
    });

    /// <summary>Plays one episode, from its reset to its end.</summary>
    /// <returns>the episode as it was recorded.</returns>
    /// <exception cref="ArgumentException">the environment has other agents than the policy was trained for.</exception>
    public Episode Play(IEnvironment environment, ref Rng rng) => Play([this], environment, ref rng, ref rng);

    /// <summary>The same with a policy for each team, in the order of <see cref="EnvironmentSpec.Teams"/>; the last one acts for all teams that are left. No
    /// policy may be named twice: each remembers its own past.</summary>
    /// <param name="teams">the policies.</param>
    /// <param name="environment">what is played.</param>
    /// <param name="chance">random numbers of the environment.</param>
    /// <param name="choice">random numbers of the agents.</param>
    /// <exception cref="ArgumentException">the environment has other agents than a policy was trained for.</exception>
    public static Episode Play(IReadOnlyList<Policy> teams, IEnvironment environment, ref Rng chance, ref Rng choice)
    {
        var spec = environment.Spec;
        var episode = new Episode(spec) { Fingerprint = teams[0].Description.Fingerprint };
        int[] players = [.. spec.Agents.Select(agent => Math.Min(Array.IndexOf(spec.Teams, agent.Team), teams.Count - 1))];
        var recorder = new EpisodeRecorder(spec);
        recorder.Begin(environment, episode, ref chance);
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
    public int MemorySize { get; }

    /// <summary>Writes what the agents remember of their episode: they can go on from there.</summary>
    /// <param name="memory">[<see cref="MemorySize"/>] receives it.</param>
    /// <exception cref="ArgumentException">its length is another.</exception>
    public void SaveMemory(Span<double> memory)
    {
        RequireLength("memory", memory.Length, MemorySize);
        using var call = Enter();
        memory[..agents].Clear();
        for (int agent = 0; agent < present.Members.Length; agent++)
        {
            memory[agent] = present.Members[agent];
        }
        controller.Save(memory[agents..]);
    }

    /// <summary>Puts back what <see cref="SaveMemory"/> wrote, also into another instance of the same policy.</summary>
    /// <param name="memory">[<see cref="MemorySize"/>]</param>
    /// <exception cref="ArgumentException">its length is another.</exception>
    public void RestoreMemory(ReadOnlySpan<double> memory)
    {
        RequireLength("memory", memory.Length, MemorySize);
        using var call = Enter();
        for (int agent = 0; agent < present.Members.Length; agent++)
        {
            present.Members[agent] = (int)memory[agent];
        }
        controller.Restore(memory[agents..]);
    }

    /// <summary>Whether the environment's agents are like those the policy was trained for.</summary>
    public bool Fits(IEnvironment environment)
    {
        var spec = environment.Spec;
        return spec.Agents.AsSpan().SequenceEqual(Description.Agents) && (!seesState || spec.StateSize == Description.StateSize);
    }

    /// <summary>Agents can act without being told that an episode begins.</summary>
    private void BeginFirst()
    {
        var rng = new Rng(0);
        Begin(ref rng);
    }

    private string Prefix(int member) => Description.EnsembleSize == 1 ? "" : $"member{member}.";

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
