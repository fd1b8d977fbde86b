using Marl.Native.Rl;

namespace Marl.Native.Tests;

/// <summary>The batch of a learner's case, [B, T+1, ..] with padding, as episodes.</summary>
internal sealed class ReferenceBatch
{
    private readonly ReferenceCase c;

    public ReferenceBatch(ReferenceCase c)
    {
        this.c = c;
        var (observations, actions) = (c.Host("batch.obs").Shape, c.Host("batch.actions_onehot").Shape);
        var rewards = c.Host("batch.reward").Shape;
        Reward = c.Flag("common_reward", otherwise: rewards[2] == 1) ? RewardMode.Sum : RewardMode.Individual;
        Assert.Equal((c.Number("n_agents"), c.Number("n_actions")), (observations[2], actions[3]));
        Spec = new EnvironmentSpec
        {
            Id = c.Name,
            Agents = [.. Enumerable.Repeat(new AgentSpec(observations[3], actions[3]), observations[2])],
            StateSize = c.Host("batch.state").Shape[2],
            EpisodeLimit = observations[1] - 1,
            SnapshotSize = 0,
        };
        Episodes = [.. Enumerable.Range(0, observations[0]).Select(Episode)];
    }

    /// <summary>Sizes.</summary>
    public EnvironmentSpec Spec { get; }

    /// <summary>Common or individual.</summary>
    public RewardMode Reward { get; }

    /// <summary>What was lived, without padding.</summary>
    public Episode[] Episodes { get; }

    /// <summary>[B, T, 1]: 1 for transitions.</summary>
    public Tensor Mask
    {
        get
        {
            var mask = Tensor.Zeros(Episodes.Length, Spec.EpisodeLimit, 1);
            for (int b = 0; b < Episodes.Length; b++)
            {
                mask[b].Slice(0, Episodes[b].Length).Span.Fill(1f);
            }
            return mask;
        }
    }

    /// <summary>What agents see on all rows, padding as the peers have it, [T+1, B, N, F].</summary>
    public Tensor Input(AgentOptions options)
    {
        var tape = new Tape();
        using (tape.NoGrad())
        {
            var observations = tape.Constant(ReferenceCase.SwapAxes(c.Host("batch.obs")));
            var actions = ReferenceCase.SwapAxes(c.Host("batch.actions_onehot"));
            var last = Device.Cpu.Zeros(actions.Shape);
            actions.Slice(0, actions.Shape[0] - 1).CopyTo(last.Slice(1, actions.Shape[0] - 1));
            var ids = Device.Cpu.Zeros(observations.Shape.With(-1, Spec.Agents.Length));
            for (int i = 0, n = Spec.Agents.Length; i < ids.Count; i++)
            {
                ids.Span[i] = i % n == i / n % n ? 1f : 0f;
            }
            var parts = new List<Var> { observations };
            if (options.LastAction)
            {
                parts.Add(tape.Constant(last));
            }
            if (options.AgentId)
            {
                parts.Add(tape.Constant(ids));
            }
            var input = Ops.Concat(-1, [.. parts]);
            var copy = Device.Cpu.Zeros(input.Shape);
            input.Value.CopyTo(copy);
            return copy;
        }
    }

    private Episode Episode(int b)
    {
        // L transitions fill rows 0 .. L.
        int length = (int)c.Host("batch.filled")[b].ToArray().Sum() - 1;
        var episode = new Episode(Spec, Reward.Streams(Spec)) { Length = length, Terminated = length > 0 && c.Host("batch.terminated")[b].Span[length - 1] != 0 };
        Copy(c.Host("batch.obs")[b].Span, episode.Observations);
        Copy(c.Host("batch.state")[b].Span, episode.States);
        Copy(c.Host("batch.reward")[b].Span, episode.Rewards);
        var (available, actions) = (c.Host("batch.avail_actions")[b], c.Host("batch.actions")[b]);
        for (int i = 0; i < episode.Available.Length; i++)
        {
            episode.Available[i] = available.Span[i] != 0;
        }
        for (int i = 0; i < episode.Actions.Length; i++)
        {
            episode.Actions[i] = (int)actions.Span[i];
        }
        return episode;

        static void Copy(ReadOnlySpan<float> source, Span<float> destination) => source[..destination.Length].CopyTo(destination);
    }
}

/// <summary>The names of a learner's weights in a case.</summary>
internal sealed class ReferenceNames(ReferenceCase c, ParameterLayout layout)
{
    // PyMARL2 numbers what PyMARL names.
    private readonly (string Ours, string Theirs)[] renamed = !c.Has("init.mixer.hyper_w1.0.weight") ? [] :
    [
        ("hyper_w_1.", "hyper_w1."), ("hyper_b_1.", "hyper_b1.0."), ("hyper_w_final.", "hyper_w2."), ("mixer.V.", "mixer.hyper_b2."),
    ];

    /// <summary>Sets all weights.</summary>
    public void Load(string prefix, Parameters parameters, bool target)
    {
        foreach (var (name, view) in Tensors(prefix, parameters.Values, target))
        {
            // What has no target in a case is not looked at as one.
            if (!target || c.Has(name))
            {
                c.Host(name).CopyTo(view);
            }
        }
    }

    /// <summary>Compares those that the case has: weights that did not change are left out of it.</summary>
    public void Compare(string prefix, Tensor block, bool target)
    {
        foreach (var (name, view) in Tensors(prefix, block, target))
        {
            if (c.Has(name))
            {
                c.Compare(name, view);
            }
        }
    }

    private IEnumerable<(string Name, Tensor View)> Tensors(string prefix, Tensor block, bool target)
    {
        foreach (var slice in layout.Slices)
        {
            string name = slice.Name;
            foreach (var (ours, theirs) in renamed)
            {
                name = name.Replace(ours, theirs, StringComparison.Ordinal);
            }
            string full = prefix + (target ? "target_" : "") + name;
            var view = Parameters.View(block, slice);
            if (!c.Has($"init.{name}"))
            {
                // What is one batched slice here are networks one by one there: agents, their critics, or QPLEX's kernels.
                string own = full.Replace("agent.", "agent.agents.{0}.", StringComparison.Ordinal).Replace("critic.", "critic.{0}.", StringComparison.Ordinal)
                    .Replace("state_value.", "state_value.{0}.", StringComparison.Ordinal)
                    .Replace("_extractors.", "_extractors.{0}.", StringComparison.Ordinal);
                int copies = own.Contains("_extractors.", StringComparison.Ordinal) ? (int)c.Number("num_kernel") : slice.Shape[0];
                int rows = slice.Shape[0] / copies;
                for (int copy = 0; copy < copies; copy++)
                {
                    yield return (string.Format(System.Globalization.CultureInfo.InvariantCulture, own, copy), view.Slice(copy * rows, rows));
                }
            }
            else
            {
                yield return (full, view);
            }
        }
    }
}
