using Marl.Native.Nn;
using Marl.Native.Rl;

namespace Marl.Native.Tests;

/// <summary>Networks from parts: names, depth, layer normalization, recurrence, parts of one's own.</summary>
public sealed class NetworkTests
{
    private const string Foraging = "lbf:5x5-2p-1f";

    /// <summary>Hidden layers of every kind.</summary>
    private static readonly NetworkOptions[] networks =
    [
        new MlpNetwork(), new MlpNetwork { Layers = 4, LayerNorm = true }, new GruNetwork(), new GruNetwork { Layers = 0 },
        new GruNetwork { Layers = 3, LayerNorm = true }, new NormalizedInput(new GruNetwork()), new TanhGru(),
    ];

    public static TheoryData<int, bool> Networks
    {
        get
        {
            var data = new TheoryData<int, bool>();
            for (int i = 0; i < networks.Length; i++)
            {
                data.Add(i, true);
                data.Add(i, false);
            }
            return data;
        }
    }

    [Fact]
    public void NamesOfDeeperNetworksGoOn()
    {
        Assert.Equal(["fc1", "rnn", "fc2"], Agent(new MlpNetwork()));
        Assert.Equal(["fc1", "rnn", "fc2"], Agent(new GruNetwork()));
        Assert.Equal(["fc1", "fc2", "rnn", "fc3"], Agent(new MlpNetwork { Layers = 3 }));
        Assert.Equal(["fc1", "fc2", "rnn", "fc3"], Agent(new GruNetwork { Layers = 2 }));
        Assert.Equal(["rnn", "fc1"], Agent(new GruNetwork { Layers = 0 }));
        Assert.Equal(["fc1", "fc1.norm", "rnn", "rnn.norm", "fc2"], Agent(new GruNetwork { LayerNorm = true }));
        Assert.Equal(["fc1", "fc2", "fc3"], Critic(new MlpNetwork()));
        Assert.Equal(["fc1", "fc2", "fc3", "fc4"], Critic(new MlpNetwork { Layers = 3 }));
        Assert.Equal(["fc1", "rnn", "fc2"], Critic(new GruNetwork()));
        Assert.Equal(["fc1", "fc1.norm", "fc2", "fc2.norm", "rnn", "rnn.norm", "head"], Critic(new TanhGru()));

        static string[] Agent(NetworkOptions network) => Modules(layout => new Agent(layout, Spec(), new AgentOptions { Network = network }));

        static string[] Critic(NetworkOptions network) => Modules(layout => NewCritic(layout, network, shared: true));

        static string[] Modules(Action<ParameterLayout> add)
        {
            var layout = new ParameterLayout();
            add(layout);
            return [.. layout.Slices.Select(slice => slice.Name[..slice.Name.LastIndexOf('.')]).Distinct()];
        }
    }

    [Theory]
    [MemberData(nameof(Networks))]
    public void CommonColumnsAreAsIfEveryAgentHadThem(int network, bool shared)
    {
        var run = new Batch();
        ParameterLayout split = new(), whole = new();
        InputColumn[] own = [InputColumn.Observation, InputColumn.LastActions, InputColumn.AgentId];
        var a = new Critic(split, new NetworkInput(run.Spec, common: [InputColumn.State, InputColumn.Fingerprint], own), networks[network], 6, shared, outputs: 3);
        var b = new Critic(whole, new NetworkInput(run.Spec, common: [], own: [InputColumn.State, InputColumn.Fingerprint, .. own]), networks[network], 6, shared, outputs: 3);
        float[] common = run.Evaluate(split, w => a.Forward(w, run.Episodes)), repeated = run.Evaluate(whole, w => b.Forward(w, run.Episodes));
        Assert.Equal(common, repeated);
        Assert.Equal((run.Episodes.Steps + 1) * run.Episodes.Count * 2 * 3, common.Length);
    }

    [Theory]
    [MemberData(nameof(Networks))]
    public void AMaskResetsTheStateAndStepsAreASequence(int network, bool shared)
    {
        var run = new Batch();
        var layout = new ParameterLayout();
        var critic = NewCritic(layout, networks[network], shared, run.Spec);
        var parameters = new Parameters(layout).Initialize(new Rng(5));
        int rows = run.Episodes.Steps + 1, b = run.Episodes.Count, reset = rows / 2;
        Tensor perEpisode = Tensor.Zeros(rows, b, 1), perAgent = Tensor.Zeros(rows, b, 2);
        foreach (var mask in (ReadOnlySpan<Tensor>)[perEpisode, perAgent])
        {
            mask.Span.Fill(1f);
            mask[reset].Span.Clear();
        }
        var tape = new Tape();
        using (tape.NoGrad())
        {
            var w = tape.Detached(parameters);
            float[] masked = critic.Forward(w, run.Episodes, perEpisode).Value.ToArray(), plain = critic.Forward(w, run.Episodes).Value.ToArray();
            Assert.Equal(masked, critic.Forward(w, run.Episodes, perAgent).Value.ToArray());
            // From the reset on it is as if nothing had been before; up to it, as if there were no reset.
            float[] after = critic.Forward(w, critic.Input.Build(tape, run.Episodes, reset, rows - reset)).Value.ToArray();
            Close(after, masked[^after.Length..]);
            Close(plain[..^after.Length], masked[..^after.Length]);
            Assert.Equal(critic.IsRecurrent, plain.Zip(masked).Any(pair => Math.Abs(pair.First - pair.Second) > 1e-6f));
            var state = tape.Constant(Tensor.Zeros(b, 2, critic.IsRecurrent ? 6 : 0));
            for (int t = 0; t < rows; t++)
            {
                var (features, next) = critic.Features(w, critic.Input.Build(tape, run.Episodes, t, 1), state);
                Close(critic.Output(w, features).Value.ToArray(), plain[(t * b * 2)..((t + 1) * b * 2)]);
                state = next;
            }
        }
    }

    [Theory]
    [MemberData(nameof(Networks))]
    public void GradientsAreThoseOfDifferences(int network, bool shared)
    {
        var run = new Batch();
        var layout = new ParameterLayout();
        var critic = NewCritic(layout, networks[network], shared, run.Spec);
        var parameters = new Parameters(layout).Initialize(new Rng(6));
        var direction = Tensor.Zeros(layout.Count);
        var rng = new Rng(7);
        foreach (ref float x in direction.Span)
        {
            x = rng.NextSingle(-1, 1);
        }
        var mask = Tensor.Zeros(run.Episodes.Steps + 1, run.Episodes.Count, 1);
        mask.Span.Fill(1f);
        mask[1].Span.Clear();
        double slope = 0;
        var tape = new Tape();
        using (tape.Step())
        {
            tape.Backward(Loss(parameters));
            for (int i = 0; i < layout.Count; i++)
            {
                slope += (double)direction.Span[i] * parameters.Gradient.Span[i];
            }
        }
        const float h = 2e-4f;
        double difference = (At(h) - At(-h)) / (2 * h);
        Assert.Equal(slope, difference, 0.02 * Math.Max(1, Math.Abs(slope)));

        Var Loss(Parameters parameters) => critic.Values(tape.Bind(parameters), run.Episodes, mask).Square().Sum();

        double At(float step)
        {
            var moved = new Parameters(layout);
            for (int i = 0; i < layout.Count; i++)
            {
                moved.Values.Span[i] = parameters.Values.Span[i] + step * direction.Span[i];
            }
            using (tape.Step())
            {
                return Loss(moved).Value.ToScalar();
            }
        }
    }

    [Fact]
    public void ColumnsAreWhatWasRecorded()
    {
        var run = new Batch();
        var (batch, spec, tape) = (run.Episodes, run.Spec, new Tape());
        int n = 2, a = spec.ActionCount, rows = batch.Steps + 1;
        using (tape.NoGrad())
        {
            Tensor joint = Column(InputColumn.JointAction), own = Column(InputColumn.Action), masked = Column(InputColumn.MaskedJointAction), others = Column(InputColumn.OthersActions);
            Tensor last = Column(InputColumn.LastAction), lasts = Column(InputColumn.LastActions), id = Column(InputColumn.AgentId);
            for (int t = 0; t < rows; t++)
            {
                for (int b = 0; b < batch.Count; b++)
                {
                    float[][] does = [.. Enumerable.Range(0, n).Select(i => OneHot((int)batch.BootstrapActions[t][b].Span[i]))];
                    float[][] did = [.. Enumerable.Range(0, n).Select(i => t == 0 ? new float[a] : OneHot((int)batch.BootstrapActions[t - 1][b].Span[i]))];
                    for (int i = 0; i < n; i++)
                    {
                        Assert.Equal([.. does[0], .. does[1]], joint[t][b][i].ToArray());
                        Assert.Equal(does[i], own[t][b][i].ToArray());
                        Assert.Equal(i == 0 ? [.. new float[a], .. does[1]] : [.. does[0], .. new float[a]], masked[t][b][i].ToArray());
                        Assert.Equal(does[1 - i], others[t][b][i].ToArray());
                        Assert.Equal(did[i], last[t][b][i].ToArray());
                        Assert.Equal([.. did[0], .. did[1]], lasts[t][b][i].ToArray());
                        Assert.Equal(i == 0 ? [1f, 0f] : [0f, 1f], id[t][b][i].ToArray());
                    }
                }
            }
            // Given actions take the place of the recorded ones, wherever their column is; rows from the second on know the actions before.
            var input = new NetworkInput(spec, common: [InputColumn.State], own: [InputColumn.LastAction, InputColumn.JointAction, InputColumn.AgentId]);
            var given = tape.Constant(joint.Slice(1, 2));
            Assert.Equal(input.Build(tape, batch, 1, 2).Own.Value.ToArray(), input.Build(tape, batch, 1, 2, given).Own.Value.ToArray());
            Assert.Equal(input.Build(tape, batch).Own.Value.Slice(1, 2).ToArray(), input.Build(tape, batch, 1, 2, given).Own.Value.ToArray());
            Assert.Throws<ArgumentException>(() => new NetworkInput(spec, [], [InputColumn.State]).Build(new Tape(), batch, 1, 2, default(Var)));
        }
        Assert.Throws<ArgumentException>(() => new NetworkInput(spec, common: [InputColumn.Observation], own: []));

        Tensor Column(InputColumn column) => new NetworkInput(spec, common: [], own: [column]).Build(tape, batch).Own.Value;

        float[] OneHot(int action) => [.. Enumerable.Range(0, a).Select(i => i == action ? 1f : 0f)];
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public void AnyAlgorithmLearnsWithAnyNetwork(int network)
    {
        foreach (string algorithm in (string[])["qmix", "cw-qmix", "qtran", "mappo", "coma", "liir", "maddpg"])
        {
            float[] one = Train(threads: 1), two = Train(threads: 2);
            Assert.Equal(one, two);
            Assert.All(one, x => Assert.True(float.IsFinite(x)));

            float[] Train(int threads)
            {
                var configuration = Games.Configure(algorithm, Foraging, 60, threads: threads, settings: Games.TinyFor(algorithm));
                var layers = networks[network];
                using var trainer = new Trainer(configuration with
                {
                    Options = configuration.Options switch
                    {
                        OnPolicyOptions options => options with { Agent = layers, CriticNetwork = layers },
                        MaddpgOptions options => options with { Agent = layers, CriticNetwork = networks[1] },
                        QLearningOptions options => options with { Agent = layers, Mixer = new WeightedSum { Scale = 0.5f } },
                        _ => configuration.Options with { Agent = layers },
                    },
                });
                trainer.Run();
                float[] before = trainer.Learner.Parameters.Values.ToArray();
                // A policy is a copy of the agents.
                Rng rng = new(3), again = new(3);
                Assert.Equal(trainer.Policy.Play(Catalog.CreateEnvironment(Foraging), ref rng).Actions, trainer.Policy.Play(Catalog.CreateEnvironment(Foraging), ref again).Actions);
                return before;
            }
        }
    }

    [Fact]
    public void APolicyFileKnowsItsNetwork()
    {
        using var folder = new TemporaryFolder();
        var configuration = Games.Configure("vdn", Foraging, 20, settings: ["hidden=6"]);
        var layers = new GruNetwork { Layers = 2, LayerNorm = true };
        using var trainer = new Trainer(configuration with { Options = (QLearningOptions)configuration.Options with { Agent = layers } });
        string path = Path.Combine(folder.Path, "policy.safetensors");
        trainer.Policy.Save(path);
        Assert.Equal(layers, Policy.Load(path).Description.Network.Network);
    }

    [Fact]
    public void SizesThatCannotBeAreRefused()
    {
        Refused("layers", new MlpNetwork { Layers = 0 }.Validate);
        Refused("layers", new GruNetwork { Layers = -1 }.Validate);
        Refused("embed", new QmixMixer { Embed = 0 }.Validate);
        Refused("hypernetLayers", new QmixMixer { HypernetLayers = 3 }.Validate);
        Refused("kernelLayers", new QplexMixer { KernelLayers = 4 }.Validate);
        Refused("embed", new CentralMixer { Embed = 9000 }.Validate);
        var e = Assert.Throws<UsageException>(() => new Trainer(Games.Configure("pareto-ac", Foraging, 10, settings: "criticNetwork=gru")).Dispose());
        Assert.Contains("criticNetwork=mlp", e.Message, StringComparison.Ordinal);
        var maddpg = Games.Configure("maddpg", Foraging, 10);
        var recurrent = (MaddpgOptions)maddpg.Options with { CriticNetwork = new GruNetwork() };
        e = Assert.Throws<UsageException>(() => new Trainer(maddpg with { Options = recurrent }).Dispose());
        Assert.Contains("cannot be recurrent", e.Message, StringComparison.Ordinal);

        static void Refused(string option, Action validate)
            => Assert.StartsWith($"option '{option}'", Assert.Throws<UsageException>(validate).Message, StringComparison.Ordinal);
    }

    private static EnvironmentSpec Spec() => Catalog.CreateEnvironment(Foraging).Spec;

    private static Critic NewCritic(ParameterLayout layout, NetworkOptions network, bool shared, EnvironmentSpec? spec = null)
        => new(layout, new NetworkInput(spec ?? Spec(), common: [InputColumn.State], own: [InputColumn.Observation, InputColumn.AgentId]), network, hidden: 6, shared, outputs: 1);

    private static void Close(float[] expected, float[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.Equal(expected[i], actual[i], 1e-5f);
        }
    }

    /// <summary>Some recorded episodes.</summary>
    private sealed class Batch
    {
        public Batch()
        {
            Spec = NetworkTests.Spec();
            Episodes = new EpisodeBatch(Spec, 3, 1);
            Episodes.Load([.. Enumerable.Range(0, 3).Select(i => Games.Play(() => Catalog.CreateEnvironment(Foraging), i))]);
        }

        public EnvironmentSpec Spec { get; }

        public EpisodeBatch Episodes { get; }

        public float[] Evaluate(ParameterLayout layout, Func<Weights, Var> forward)
        {
            var (tape, parameters) = (new Tape(), new Parameters(layout).Initialize(new Rng(4)));
            using (tape.NoGrad())
            {
                return forward(tape.Detached(parameters)).Value.ToArray();
            }
        }
    }
}

/// <summary>A mixer of one's own: Q_tot = scale sum_a |w_a(s)| Q_a.</summary>
internal sealed record WeightedSum : MixerOptions
{
    public float Scale { get; init; } = 1f;

    public override IMixer Create(ParameterLayout layout, EnvironmentSpec spec) => new Module(new Linear(layout.Scope("w"), spec.StateSize, spec.Agents.Length), Scale);

    private sealed class Module(Linear weight, float scale) : IMixer
    {
        public Var Forward(Weights w, in ActionValues q, Tensor state)
        {
            var mixed = weight.Forward(w, w.Tape.Constant(state)).Abs() * q.Chosen * scale;
            return mixed.Sum(-1).Reshape(mixed.Shape.With(-1, 1));
        }
    }
}
