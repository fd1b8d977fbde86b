using Marl.Native.Nn;
using Marl.Native.Rl;

namespace Marl.Native.Tests;

/// <summary>
/// Three training calls of MADDPG as its authors' code has it: soft samples, transitions, unlike agents with a policy and a critic each, one of them local. Networks and
/// their padding, targets, samples and losses are the engine's; that agents step one after the other, that tensors are clipped by themselves and Adam's form
/// are the case's.
/// </summary>
internal sealed class MaddpgTransitions
{
    private readonly ReferenceCase c;
    private readonly EnvironmentSpec spec;
    private readonly ActionEncoding encoding;
    private readonly Agent agent;
    private readonly Critic central, local;
    private readonly EpisodeBatch batch;
    private readonly Own[] policies, critics;
    private readonly bool[] isLocal;
    private readonly Tape tape = new();
    private readonly int count;

    public MaddpgTransitions(ReferenceCase c)
    {
        this.c = c;
        var (o, a) = (Sizes("obs_sizes"), Sizes("action_sizes"));
        Assert.Equal(o.Length, c.Number("n_agents"));
        (isLocal, count) = (c.Flags("local_q"), (int)c.Number("batch"));
        // What was done are soft samples: to the critics, numbers.
        spec = new EnvironmentSpec
        {
            Id = c.Name,
            Agents = [.. o.Zip(a, (seen, does) => new AgentSpec(seen, does, 0, new ActionBox(0, 1)))],
            StateSize = 1,
            EpisodeLimit = 1,
            SnapshotSize = 0,
        };
        int hidden = (int)c.Number("hidden"), longest = spec.ObservationSize, most = spec.ActionCount;
        var network = new AgentOptions { Network = new MlpNetwork(), Hidden = hidden, ShareParameters = false, AgentId = false };
        (encoding, batch) = (new ActionEncoding(spec), new EpisodeBatch(spec, count, o.Length));
        ParameterLayout policy = new(), all = new(), one = new();
        agent = new Agent(policy, spec, network);
        central = NewCritic(all, ActionCriticKind.Observations);
        local = NewCritic(one, ActionCriticKind.Local);
        Net actors = new(policy), centrals = new(all), locals = new(one);
        policies = [.. o.Select((_, i) => new Own(c, "policy", i, actors, ["fc1", "rnn", "fc2"], [.. Enumerable.Range(0, o[i])]))];
        // The columns of a padded input that an agent, or all agents, really have.
        int[] seen = [.. o.SelectMany((size, i) => Enumerable.Range(i * longest, size))];
        int[] done = [.. a.SelectMany((size, i) => Enumerable.Range(o.Length * longest + i * most, size))];
        critics = [.. o.Select((_, i) => new Own(c, "critic", i, isLocal[i] ? locals : centrals, ["fc1", "fc2", "fc3"],
            isLocal[i] ? [.. Enumerable.Range(0, o[i]), .. Enumerable.Range(longest, a[i])] : [.. seen, .. done]))];

        Critic NewCritic(ParameterLayout layout, ActionCriticKind kind)
            => new(layout, Maddpg.CriticInput(spec, kind, agentId: false), new MlpNetwork(), hidden, shareParameters: false, outputs: 1);

        int[] Sizes(string name) => [.. c.Numbers(name).Select(size => (int)size)];
    }

    public void Compare()
    {
        int agents = policies.Length;
        for (int call = 0; call < 3; call++)
        {
            string step = $"step{call + 1}.";
            float[] criticLosses = new float[agents], policyLosses = new float[agents];
            List<float> criticNorms = [], policyNorms = [];
            for (int i = 0; i < agents; i++)
            {
                batch.Load(Episodes(call, i));
                criticLosses[i] = critics[i].Step(tape, () => CriticLoss(call, i), step, criticNorms);
                policyLosses[i] = policies[i].Step(tape, () => PolicyLoss(call, i), step, policyNorms);
                policies[i].Follow(step);
                critics[i].Follow(step);
            }
            c.Compare(step + "critic_loss", Tensor.Of(criticLosses));
            c.Compare(step + "policy_loss", Tensor.Of(policyLosses));
            c.Compare(step + "critic_grad_norms", Tensor.Of([.. criticNorms], [agents, 6]));
            c.Compare(step + "policy_grad_norms", Tensor.Of([.. policyNorms], [agents, 6]));
        }
    }

    private Critic CriticOf(int i) => isLocal[i] ? local : central;

    private Var CriticLoss(int call, int i)
    {
        var critic = CriticOf(i);
        var next = Sample(tape.Detached(policies[i].All.Target), 1, call, j => $"gumbel_target{i}_{j}").Action.Value;
        var vNext = Maddpg.Values(critic, tape.Detached(critics[i].All.Target), batch, 1, tape.Constant(ForCritic(next)));
        var y = Targets.NStep(tape, Rl.Transitions.Of(tape, batch.Rewards, batch.Terminated, c.Number("gamma")), vNext.Value, 1);
        var q = Maddpg.Values(critic, tape.Bind(critics[i].All.Online), batch, 0, tape.Constant(ForCritic(batch.ContinuousActions)));
        return ((q - y).Square() * Only(i)).Sum() / count;

        Tensor ForCritic(Tensor actions) => isLocal[i] ? actions : encoding.Repeat(tape, actions);
    }

    private Var PolicyLoss(int call, int i)
    {
        var critic = CriticOf(i);
        var (output, own) = Sample(tape.Bind(policies[i].All.Online), 0, call, j => j == i ? $"gumbel_policy{i}" : null);
        var actions = isLocal[i] ? own : encoding.Replace(encoding.Repeat(tape, batch.ContinuousActions), own);
        var q = Maddpg.Values(critic, tape.Detached(critics[i].All.Online), batch, 0, actions);
        var squares = (output.Square() * batch.Available.Slice(0, 1)).Sum(-1);
        return (c.Number("logit_reg") / spec.Agents[i].ActionCount * squares * Only(i) - q * Only(i)).Sum() / count;
    }

    /// <summary>Outputs and soft samples of all policies at a row, [1, B, N, A].</summary>
    private (Var Output, Var Action) Sample(Weights w, int row, int call, Func<int, string?> noise)
    {
        var gumbel = Tensor.Zeros(1, count, spec.Agents.Length, spec.ActionCount);
        for (int j = 0; j < spec.Agents.Length; j++)
        {
            for (int b = 0; noise(j) is { } name && b < count; b++)
            {
                c[name][call][b].Span.CopyTo(gumbel[0][b][j].Span);
            }
        }
        var rest = tape.Constant(Tensor.Zeros(count, spec.Agents.Length, agent.StateSize));
        var output = agent.Forward(w, agent.Input.Build(tape, batch), rest).Output.Slice(0, row, 1);
        return (output, output.GumbelSoftmax(gumbel, hard: false, mask: batch.Available.Slice(row, 1)));
    }

    /// <summary>[N]: 1 for one agent.</summary>
    private Tensor Only(int i) => encoding.Identity[i];

    /// <summary>The transitions of a call, ending as they do for an agent.</summary>
    private Episode[] Episodes(int call, int ends) => [.. Enumerable.Range(0, count).Select(b =>
    {
        var episode = new Episode(spec, spec.Agents.Length) { Length = 1, Terminated = c[$"done{ends}"][call].Span[b] != 0 };
        for (int i = 0; i < spec.Agents.Length; i++)
        {
            c[$"obs{i}"][call][b].Span.CopyTo(episode.Observation(0, i));
            c[$"next_obs{i}"][call][b].Span.CopyTo(episode.Observation(1, i));
            c[$"act{i}"][call][b].Span.CopyTo(episode.ContinuousAction(0, i));
            episode.Rewards[i] = c[$"reward{i}"][call].Span[b];
            for (int row = 0; row < 2; row++)
            {
                episode.AvailableActions(row, i)[..spec.Agents[i].ActionCount].Fill(true);
            }
        }
        return episode;
    })];

    /// <summary>All agents' weights, padded to the longest.</summary>
    private sealed class Net(ParameterLayout layout)
    {
        public Parameters Online { get; } = new(layout);

        public Parameters Target { get; } = new(layout);
    }

    /// <summary>The weights that an agent really has.</summary>
    private sealed class Own
    {
        private static readonly string[] layers = ["fc1", "fc2", "fc3"];
        private readonly ReferenceCase c;
        private readonly string name;
        private readonly int agent;
        private readonly Parameters online, target;
        private readonly (ParameterSlice Padded, int[] Columns)[] places;
        private readonly GradientClip clip;
        private readonly Optimizer optimizer;

        public Own(ReferenceCase c, string kind, int agent, Net all, string[] ours, int[] inputs)
        {
            (this.c, this.agent, All, name) = (c, agent, all, $"{kind}{agent}");
            var layout = new ParameterLayout();
            List<(ParameterSlice, int[])> places = [];
            for (int layer = 0; layer < layers.Length; layer++)
            {
                foreach (string part in (string[])["weight", "bias"])
                {
                    var shape = c[$"init.{name}.{layers[layer]}.{part}"].Shape;
                    layout.Add($"{layers[layer]}.{part}", shape, Initializers.Constant(0f));
                    places.Add((all.Online.Layout.Slices.Single(slice => slice.Name == $"{ours[layer]}.{part}"),
                        layer == 0 && part == "weight" ? inputs : [.. Enumerable.Range(0, shape[-1])]));
                }
            }
            this.places = [.. places];
            (online, target) = (new Parameters(layout), new Parameters(layout));
            foreach (var slice in layout.Slices)
            {
                c[$"init.{name}.{slice.Name}"].CopyTo(online[slice]);
                c[$"init.target_{name}.{slice.Name}"].CopyTo(target[slice]);
            }
            clip = new GradientClip(online);
            Assert.StartsWith("epsilon-hat form, eps 1e-8, betas .9 .999", c.Text("adam"), StringComparison.Ordinal);
            optimizer = new Optimizer(online, new Adam { LearningRate = c.Exact("lr"), EpsilonHat = true });
            Copy(online.Values, all.Online.Values, pads: true);
            Copy(target.Values, all.Target.Values, pads: true);
        }

        public Net All { get; }

        /// <summary>A step along the gradient of a loss.</summary>
        public float Step(Tape tape, Func<Var> loss, string step, List<float> norms)
        {
            float value;
            All.Online.Gradient.Span.Clear();
            using (tape.Step())
            {
                var recorded = loss();
                tape.Backward(recorded);
                value = recorded.Value.ToScalar();
            }
            Copy(online.Gradient, All.Online.Gradient, pads: false);
            foreach (var slice in online.Layout.Slices)
            {
                var g = Parameters.View(online.Gradient, slice);
                norms.Add((float)Math.Sqrt(g.ToArray().Sum(x => (double)x * x)));
                CompareTo($"{step}grad.{name}.{slice.Name}", g);
            }
            clip.ByTensorNorm(c.Number("per_tensor_clip"));
            optimizer.Step();
            Copy(online.Values, All.Online.Values, pads: true);
            return value;
        }

        /// <summary>The target follows.</summary>
        public void Follow(string step)
        {
            target.PolyakUpdate(online, c.Number("tau"));
            Copy(target.Values, All.Target.Values, pads: true);
            foreach (var slice in online.Layout.Slices)
            {
                CompareTo($"{step}after.{name}.{slice.Name}", online[slice]);
                CompareTo($"{step}after.target_{name}.{slice.Name}", target[slice]);
            }
        }

        private void CompareTo(string name, Tensor got)
        {
            if (c.Has(name))
            {
                c.Compare(name, got);
            }
        }

        /// <summary>Between the agent's block and its places among all agents'.</summary>
        private void Copy(Tensor own, Tensor all, bool pads)
        {
            for (int i = 0; i < places.Length; i++)
            {
                var (padded, columns) = places[i];
                Tensor there = Parameters.View(all, padded)[agent], here = Parameters.View(own, online.Layout.Slices[i]);
                int width = there.Shape[-1];
                for (int at = 0; at < here.Count; at++)
                {
                    ref float far = ref there.Span[at / columns.Length * width + columns[at % columns.Length]];
                    if (pads)
                    {
                        far = here.Span[at];
                    }
                    else
                    {
                        here.Span[at] = far;
                    }
                }
            }
        }
    }
}
