using System.Text.Json.Nodes;
using Marl.Native.Nn;
using Marl.Native.Rl;

namespace Marl.Native.Bench.Compare;

/// <summary>The sizes of a QMIX training call, its arithmetic, and data of these sizes.</summary>
internal sealed record QmixSize(int Batch, int Steps, int Agents, int Observation, int State, int Actions,
    int Hidden = 64, int Embed = 32, int Hyper = 64)
{
    /// <summary>(a), (b) and (c) of the comparison.</summary>
    public static (string Name, QmixSize Size)[] Published { get; } =
    [
        ("a", new(Batch: 32, Steps: 60, Agents: 5, Observation: 80, State: 120, Actions: 11)),
        ("b", new(Batch: 32, Steps: 50, Agents: 2, Observation: 15, State: 30, Actions: 6)),
        ("c", new(Batch: 128, Steps: 120, Agents: 10, Observation: 200, State: 400, Actions: 20)),
    ];

    /// <summary>The length of an agent's input: observation, previous action, agent index.</summary>
    public int Inputs => Observation + Actions + Agents;

    /// <summary>Multiply-adds of the agent network per agent and step, and those whose input is data.</summary>
    private (double All, double OnData) AgentProducts
        => (Inputs * Hidden + 6.0 * Hidden * Hidden + Hidden * Actions, Inputs * Hidden);

    /// <summary>Multiply-adds of the mixing network per team and step: hypernetworks of two weights and two biases, and the mixing.</summary>
    private (double All, double OnData) MixerProducts
    {
        get
        {
            double onState = State * (2.0 * Hyper + 2 * Embed);
            return (onState + Hyper * Agents * Embed + Hyper * Embed + Embed + Agents * Embed + Embed, onState);
        }
    }

    /// <summary>Operations of an agent network for one agent and step.</summary>
    public double ActingFlop => 2 * AgentProducts.All;

    /// <summary>
    /// Operations of a training call, matrix products only: forward passes of online and target networks, gradients of all weights, and gradients of all
    /// layers' inputs except data.
    /// </summary>
    public double TrainingFlop
    {
        get
        {
            double agentRows = (Steps + 1.0) * Batch * Agents, mixerRows = (double)Steps * Batch;
            return agentRows * Passes(AgentProducts) + mixerRows * Passes(MixerProducts);

            static double Passes((double All, double OnData) products)
            {
                double forward = 2 * products.All, weightGradients = forward, inputGradients = forward - 2 * products.OnData;
                return 2 * forward + weightGradients + inputGradients;
            }
        }
    }

    /// <summary>Returns the sizes for the peer.</summary>
    public JsonObject ToJson() => new()
    {
        ["batch"] = Batch,
        ["steps"] = Steps,
        ["agents"] = Agents,
        ["obs"] = Observation,
        ["state"] = State,
        ["actions"] = Actions,
        ["hidden"] = Hidden,
        ["embed"] = Embed,
        ["hyper"] = Hyper,
    };

    /// <summary>Returns the specification of an environment of these sizes.</summary>
    public EnvironmentSpec Spec => new()
    {
        Id = "synthetic",
        Agents = [.. Enumerable.Repeat(new AgentSpec(Observation, Actions), Agents)],
        StateSize = State,
        EpisodeLimit = Steps,
        SnapshotSize = 0,
    };

    /// <summary>Creates a QMIX learner with PyMARL's options.</summary>
    public ReplayLearner Learner(Workers workers, UpdateRule? optimizer = null, Device? device = null)
    {
        QmixOptions options = new()
        {
            Agent = new GruNetwork(),
            Hidden = Hidden,
            LastAction = true,
            AgentId = true,
            Mixer = new QmixMixer { Embed = Embed, HypernetLayers = 2, HypernetEmbed = Hyper },
            Optimizer = optimizer ?? new RmsProp { Epsilon = 1e-5 },
            LearningRate = 5e-4f,
            MaxGradientNorm = 10f,
            DoubleQ = true,
            TargetUpdateInterval = 200,
            TargetTau = 1f,
            StandardizeRewards = false,
            BatchSize = Batch,
            BufferSize = Batch,
            UpdatesPerEpisode = 0,
        };
        return (ReplayLearner)options.CreateLearner(new TrainingOptions { Threads = workers.Count }.Context(Spec, workers, device ?? Device.Cpu));
    }

    /// <summary>Creates random episodes of full length that terminate; action 0 is always available, the others usually.</summary>
    public Episode[] Episodes(int count)
    {
        var (spec, rng) = (Spec, new Rng(2));
        return [.. Enumerable.Range(0, count).Select(i => Episode(spec, rng.Split(RngPurpose.Test, i)))];
    }

    private Episode Episode(EnvironmentSpec spec, Rng rng)
    {
        Episode episode = new(spec) { Length = Steps, Terminated = true };
        Fill(episode.Observations, ref rng);
        Fill(episode.States, ref rng);
        Fill(episode.Rewards, ref rng);
        for (int row = 0; row <= Steps; row++)
        {
            for (int agent = 0; agent < Agents; agent++)
            {
                var available = episode.AvailableActions(row, agent);
                for (int action = 0; action < Actions; action++)
                {
                    available[action] = action == 0 || rng.NextSingle() < 0.8f;
                }
                if (row < Steps)
                {
                    episode.ActionsAt(row)[agent] = new EpsilonGreedy().Select(new float[Actions], available, 1f, ref rng).Action;
                }
            }
        }
        return episode;
    }

    private static void Fill(Span<float> values, ref Rng rng)
    {
        foreach (ref float value in values)
        {
            value = rng.NextSingle(-1f, 1f);
        }
    }
}
