using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>A column of a <see cref="NetworkInput"/>. S is the length of the state, O of an observation, A of an action (one-hot per branch, and the
/// continuous part), N the number of agents.</summary>
public enum InputColumn
{
    /// <summary>The state [S]; equal for all agents.</summary>
    State,
    /// <summary>The observations of all agents [N O]; equal for all agents.</summary>
    Observations,
    /// <summary>The agent's observation [O].</summary>
    Observation,
    /// <summary>The agent's action [A].</summary>
    Action,
    /// <summary>The actions of all agents [N A].</summary>
    JointAction,
    /// <summary>The actions of all agents [N A], with zeros for the agent's own action.</summary>
    MaskedJointAction,
    /// <summary>The actions of the other agents [(N - 1) A], in the order of the agents.</summary>
    OthersActions,
    /// <summary>The agent's last action [A]; zeros in the first step.</summary>
    LastAction,
    /// <summary>The last actions of all agents [N A]; equal for all agents; zeros in the first step.</summary>
    LastActions,
    /// <summary>The <see cref="Rl.Fingerprint"/> of the episode [2]; equal for all agents.</summary>
    Fingerprint,
    /// <summary>The index of the agent, one-hot [N].</summary>
    AgentId,
}

/// <summary>
/// The input of a network with one row per agent: the concatenation of <see cref="InputColumn"/>s. The first layer multiplies common columns, which are equal
/// for all agents, once instead of once per agent, see <see cref="InputRows.LinearRelu"/>.
/// </summary>
/// <example>
/// The input of a central critic: the state, common to all agents, and each agent's observation and index.
/// <code>
/// var (layout, spec) = (new ParameterLayout(), Catalog.CreateEnvironment("two-step").Spec);
/// var input = new NetworkInput(spec, common: [InputColumn.State], own: [InputColumn.Observation, InputColumn.AgentId]);
/// var critic = new Critic(layout, input, new MlpNetwork(), hidden: 64, shareParameters: true, outputs: 1);
/// </code>
/// </example>
public sealed class NetworkInput
{
    private readonly InputColumn[] common, own;
    private readonly ActionEncoding encoding;
    private readonly int[] widths;

    /// <summary>Creates the input [common, own], each the concatenation of its columns.</summary>
    /// <param name="spec">The specification of the environment.</param>
    /// <param name="common">The columns that are equal for all agents; may be empty.</param>
    /// <param name="own">The columns of each agent; may be empty.</param>
    /// <exception cref="ArgumentException">A column of <paramref name="common"/> differs between agents.</exception>
    /// <exception cref="UsageException">The state is the only input from the environment, and it has none.</exception>
    public NetworkInput(EnvironmentSpec spec, ReadOnlySpan<InputColumn> common, ReadOnlySpan<InputColumn> own)
    {
        (this.common, this.own, encoding) = (common.ToArray(), own.ToArray(), new ActionEncoding(spec));
        int o = spec.ObservationSize, n = encoding.Agents, a = encoding.Actions;
        // In the order of InputColumn.
        widths = [spec.StateSize, n * o, o, a, n * a, n * a, (n - 1) * a, a, n * a, Rl.Fingerprint.Size, n];
        foreach (var column in common)
        {
            if (!IsCommon(column))
            {
                throw new ArgumentException($"column {column} differs between agents; it must be an own column");
            }
        }
        if (spec.StateSize == 0 && Contains(InputColumn.State) && !Contains(InputColumn.Observation) && !Contains(InputColumn.Observations))
        {
            throw new UsageException($"the state is an input of a network, but {spec.Id} has no state");
        }
        Size = Width(common) + Width(own);
    }

    /// <summary>N, the number of agents.</summary>
    public int Agents => encoding.Agents;

    /// <summary>F, the length of an agent's input.</summary>
    public int Size { get; }

    /// <summary>Returns whether <paramref name="column"/> is part of the input.</summary>
    public bool Contains(InputColumn column) => common.AsSpan().Contains(column) || own.AsSpan().Contains(column);

    /// <summary>Builds the input of all rows of a batch, including the last: [T+1, B, N, F].</summary>
    public InputRows Build(Tape tape, EpisodeBatch batch) => Build(tape, batch, 0, batch.Steps + 1);

    /// <summary>Builds the input of all rows of a batch as if all episodes had been played at a given time of training.</summary>
    internal InputRows Build(Tape tape, EpisodeBatch batch, Fingerprint fingerprint)
    {
        var fingerprints = tape.Scratch(new Shape(batch.Count, Rl.Fingerprint.Size));
        using (var view = new HostView(fingerprints, writeOnly: true))
        {
            for (int b = 0; b < batch.Count; b++)
            {
                (view.Span[2 * b], view.Span[2 * b + 1]) = (fingerprint.Progress, fingerprint.Exploration);
            }
        }
        return Build(tape, Source(batch, 0, batch.Steps + 1) with { Fingerprints = fingerprints });
    }

    /// <summary>Builds the input of a range of rows of a batch, [T, B, N, F].</summary>
    /// <param name="tape">The tape, which allocates the result.</param>
    /// <param name="batch">The batch.</param>
    /// <param name="row">The first row.</param>
    /// <param name="steps">T, the number of rows.</param>
    /// <param name="actions">The actions that replace the recorded ones in the own column <see cref="InputColumn.Action"/> [T, B, N, A] or
    /// <see cref="InputColumn.JointAction"/> [T, B, N, N A]; gradients propagate to them.</param>
    /// <exception cref="ArgumentException">There are <paramref name="actions"/>, but no column for them.</exception>
    public InputRows Build(Tape tape, EpisodeBatch batch, int row, int steps, Var? actions = null) => Build(tape, Source(batch, row, steps), actions);

    /// <summary>Builds the input from tensors.</summary>
    internal InputRows Build(Tape tape, in InputSource source, Var? actions = null)
    {
        Var? shared = common.Length == 0 ? null : tape.Constant(Common(tape, source));
        if (actions is not { } given)
        {
            return new(shared, tape.Constant(Fill(tape, source, own, Agents)));
        }
        int at = Array.FindIndex(own, column => column is InputColumn.Action or InputColumn.JointAction);
        if (at < 0)
        {
            throw new ArgumentException("the input has no own column Action or JointAction for the actions");
        }
        ReadOnlySpan<InputColumn> before = own.AsSpan(0, at), after = own.AsSpan(at + 1);
        if (!before.IsEmpty)
        {
            given = Ops.Concat(-1, tape.Constant(Fill(tape, source, before, Agents)), given);
        }
        if (!after.IsEmpty)
        {
            given = Ops.Concat(-1, given, tape.Constant(Fill(tape, source, after, Agents)));
        }
        return new(shared, given);
    }

    /// <summary>Returns the included columns, in order.</summary>
    internal static InputColumn[] Columns(params ReadOnlySpan<(InputColumn Column, bool Included)> columns)
    {
        List<InputColumn> included = [];
        foreach (var (column, isIncluded) in columns)
        {
            if (isIncluded)
            {
                included.Add(column);
            }
        }
        return [.. included];
    }

    /// <summary>Checks that the environment has a state.</summary>
    /// <exception cref="UsageException">It has none; the message names the reader and an alternative.</exception>
    internal static void RequireState(EnvironmentSpec spec, string reader, string instead)
    {
        if (spec.StateSize == 0)
        {
            throw new UsageException($"the state is an input of {reader}, but {spec.Id} has no state; {instead}");
        }
    }

    private static bool IsCommon(InputColumn column)
        => column is InputColumn.State or InputColumn.Observations or InputColumn.JointAction or InputColumn.LastActions or InputColumn.Fingerprint;

    private int Width(ReadOnlySpan<InputColumn> columns)
    {
        int width = 0;
        foreach (var column in columns)
        {
            width += widths[(int)column];
        }
        return width;
    }

    private InputSource Source(EpisodeBatch batch, int row, int steps)
    {
        var actions = encoding.RecordedWithBootstrap(batch);
        // The actions before rows row .. row + T - 1; row 0 has none.
        int before = Math.Max(row - 1, 0);
        return new(batch.Observations.Slice(row, steps), batch.States.Slice(row, steps), actions.Slice(row, steps),
            batch.IsSegmented ? new(batch.PreviousActions.Slice(row, steps), Vectors: default) : encoding.Recorded(batch).Slice(before, row + steps - 1 - before),
            batch.Fingerprints)
        {
            ContinueMask = batch.IsSegmented ? batch.ContinueMask.Slice(row, steps) : default,
        };
    }

    /// <summary>Returns the common columns [T, B, C]; a single column without a copy.</summary>
    private Tensor Common(Tape tape, in InputSource source) => common is [InputColumn.State] ? source.States
        : common is [InputColumn.Observations] ? source.AllObservations
        : Fill(tape, source, common, agents: 1).Reshape(source.Steps, source.Episodes, Width(common));

    /// <summary>Concatenates columns, [T, B, agents, width].</summary>
    private Tensor Fill(Tape tape, in InputSource source, ReadOnlySpan<InputColumn> columns, int agents)
    {
        int rows = source.Steps * source.Episodes, width = Width(columns);
        var writer = new ColumnWriter(tape, rows, agents, width);
        foreach (var column in columns)
        {
            switch (column)
            {
                case InputColumn.State:
                    writer.AddCommon(source.States);
                    break;
                case InputColumn.Observations:
                    writer.AddCommon(source.AllObservations);
                    break;
                case InputColumn.Observation:
                    writer.AddOwn(source.Observations);
                    break;
                case InputColumn.Action:
                    writer.AddOwn(encoding.PerAgent(encoding.Encode(tape, source.Actions, rows)));
                    break;
                case InputColumn.JointAction:
                    writer.AddCommon(encoding.Encode(tape, source.Actions, rows));
                    break;
                case InputColumn.MaskedJointAction:
                    writer.AddOwn(encoding.Masked(tape, encoding.Encode(tape, source.Actions, rows)));
                    break;
                case InputColumn.OthersActions:
                    writer.AddOwn(encoding.Others(tape, encoding.Encode(tape, source.Actions, rows)));
                    break;
                case InputColumn.LastAction:
                    writer.AddOwn(encoding.PerAgent(encoding.EncodeLast(tape, source.LastActions, rows, source.ContinueMask)));
                    break;
                case InputColumn.LastActions:
                    writer.AddCommon(encoding.EncodeLast(tape, source.LastActions, rows, source.ContinueMask));
                    break;
                case InputColumn.Fingerprint:
                    writer.AddCommon(source.Fingerprints);
                    break;
                case InputColumn.AgentId:
                    writer.AddFixed(encoding.Identity);
                    break;
            }
        }
        return writer.Input.Reshape(source.Steps, source.Episodes, agents, width);
    }
}

/// <summary>The tensors from which a <see cref="NetworkInput"/> is built. Those that its columns do not require may be none.</summary>
/// <param name="Observations">[T, B, N, O] The observations.</param>
/// <param name="States">[T, B, S] The states.</param>
/// <param name="Actions">The actions of the rows; missing rows at the end are zeros.</param>
/// <param name="LastActions">The actions before the last rows; those before the other rows are zeros.</param>
/// <param name="Fingerprints">[B, 2] The fingerprints.</param>
internal readonly record struct InputSource(Tensor Observations, Tensor States, ActionRows Actions, ActionRows LastActions, Tensor Fingerprints)
{
    /// <summary>[T, B, N] 0 in the first row of an episode, which has no last action, else 1; none: 1 for all rows.</summary>
    public Tensor ContinueMask { get; init; }

    /// <summary>T, the number of steps.</summary>
    public int Steps => Leading[0];

    /// <summary>B, the number of episodes.</summary>
    public int Episodes => Leading[1];

    /// <summary>[T, B, N O] The observations of all agents.</summary>
    public Tensor AllObservations => Observations.Reshape(Steps, Episodes, Observations.Shape[2] * Observations.Shape[3]);

    private Shape Leading => Observations.IsNone ? States.Shape : Observations.Shape;
}

/// <summary>
/// The input of a network for T steps of B episodes with N agents: common columns [T, B, C], if there are any, and the columns of each agent [T, B, N, F - C].
/// </summary>
/// <param name="common">[T, B, C] The common columns; null: none.</param>
/// <param name="own">[T, B, N, F - C] The columns of each agent.</param>
public readonly struct InputRows(Var? common, Var own)
{
    /// <summary>[T, B, C] The common columns; null: none.</summary>
    public Var? Common => common;

    /// <summary>[T, B, N, F - C] The columns of each agent.</summary>
    public Var Own => own;

    /// <summary>Converts a tensor [T, B, N, F] to an input without common columns.</summary>
    public static implicit operator InputRows(Var own) => new(null, own);

    /// <summary>Applies a linear layer with ReLU, max(x W^T + b, 0) [T, B, N, out]. Common columns are multiplied once for all agents.</summary>
    /// <param name="w">The weights.</param>
    /// <param name="layer">The layer with F inputs.</param>
    /// <exception cref="ArgumentException">The layer has another number of inputs.</exception>
    public Var LinearRelu(Weights w, Linear layer) => common is { } x ? layer.ForwardRelu(w, x, own) : layer.ForwardRelu(w, own);

    /// <summary>Broadcasts a mask [T, B, N] or [T, B, 1] to [T, B, N]; none remains none.</summary>
    internal Tensor MaskPerAgent(Tensor mask)
    {
        var shape = own.Shape.Without(-1);
        if (mask.IsNone || mask.Shape == shape)
        {
            return mask;
        }
        var (tape, repeated) = (own.Tape, own.Tape.Scratch(shape));
        tape.Device.CopyStrided(mask, [0, 0, 1, 0], repeated, [0, 0, shape[2], 1], [1, 1, mask.Count, shape[2]], accumulate: false);
        return repeated;
    }

    /// <summary>Concatenates the common columns, repeated for every agent, and the columns of each agent: [T, B, N, F].</summary>
    public Var Concatenated()
    {
        if (common is not { } x)
        {
            return own;
        }
        var zeros = own.Tape.Scratch(new Shape(own.Shape[2], x.Shape[-1]));
        own.Tape.Device.Fill(zeros, 0f);
        return Ops.Concat(-1, x.Reshape(x.Shape[0], x.Shape[1], 1, x.Shape[2]) + zeros, own);
    }
}
