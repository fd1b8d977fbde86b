using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>A column of a <see cref="NetworkInput"/>. S is the size of the state, O of an observation, A of an action (one-hot if discrete), N the number of agents.</summary>
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
    /// <summary>The actions of all agents [N A], with zeros in place of the agent's own.</summary>
    MaskedJointAction,
    /// <summary>The actions of the other agents [(N - 1) A], in their order.</summary>
    OthersActions,
    /// <summary>The agent's last action [A]; zeros in the first step.</summary>
    LastAction,
    /// <summary>The last actions of all agents [N A]; equal for all agents; zeros in the first step.</summary>
    LastActions,
    /// <summary>When in training the episode was recorded [2], see <see cref="Rl.Fingerprint"/>; equal for all agents.</summary>
    Fingerprint,
    /// <summary>The index of the agent, one-hot [N].</summary>
    AgentId,
}

/// <summary>
/// The input of a network with one row per agent: the concatenation of <see cref="InputColumn"/>s. Columns that are equal for all agents can be listed as
/// common: the first layer multiplies them once for all agents, see <see cref="InputRows.LinearRelu"/>.
/// </summary>
public sealed class NetworkInput
{
    private readonly InputColumn[] common, own;
    private readonly ActionEncoding encoding;
    private readonly int[] widths;

    /// <summary>[common, own], each the concatenation of its columns.</summary>
    /// <param name="spec">the environment.</param>
    /// <param name="common">columns that are equal for all agents, multiplied once; may be empty.</param>
    /// <param name="own">the columns of each agent; may be empty.</param>
    /// <exception cref="ArgumentException">a column of <paramref name="common"/> differs between agents.</exception>
    /// <exception cref="UsageException">the state is all that is to be seen of the environment, and it has none.</exception>
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
                throw new ArgumentException($"column {column} is not equal for all agents: it belongs to their own");
            }
        }
        if (spec.StateSize == 0 && Contains(InputColumn.State) && !Contains(InputColumn.Observation) && !Contains(InputColumn.Observations))
        {
            throw new UsageException($"a network cannot see the state of {spec.Id}: it has none");
        }
        Size = Width(common) + Width(own);
    }

    /// <summary>N, the number of agents.</summary>
    public int Agents => encoding.Agents;

    /// <summary>F, the length of an agent's input.</summary>
    public int Size { get; }

    /// <summary>Whether <paramref name="column"/> is part of it.</summary>
    public bool Contains(InputColumn column) => common.AsSpan().Contains(column) || own.AsSpan().Contains(column);

    /// <summary>The input of all rows of a batch, the last included: [T+1, B, N, F].</summary>
    public InputRows Build(Tape tape, EpisodeBatch batch) => Build(tape, batch, 0, batch.Steps + 1);

    /// <summary>The input of some rows of a batch, [T, B, N, F].</summary>
    /// <param name="tape">allocates.</param>
    /// <param name="batch">what is read.</param>
    /// <param name="row">the first row.</param>
    /// <param name="steps">T, the number of rows.</param>
    /// <param name="actions">replaces the recorded actions in the own column <see cref="InputColumn.Action"/> [T, B, N, A] or
    /// <see cref="InputColumn.JointAction"/> [T, B, N, N A], and can be differentiated.</param>
    /// <exception cref="ArgumentException"><paramref name="actions"/> are given, and there is no column for them.</exception>
    public InputRows Build(Tape tape, EpisodeBatch batch, int row, int steps, Var? actions = null) => Build(tape, Source(batch, row, steps), actions);

    /// <summary>The same from tensors that are not in a batch.</summary>
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
            throw new ArgumentException("there is no own column Action or JointAction for the actions");
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

    /// <summary>The columns that are included, in order.</summary>
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

    /// <summary>Refuses an environment without a state.</summary>
    /// <exception cref="UsageException">names who reads the state, and what to use instead.</exception>
    internal static void RequireState(EnvironmentSpec spec, string reader, string instead)
    {
        if (spec.StateSize == 0)
        {
            throw new UsageException($"{reader} cannot see the state of {spec.Id}: it has none; {instead}");
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
        // The actions before row .. row + T - 1; none before row 0.
        int before = Math.Max(row - 1, 0), count = Math.Min(steps, actions.Shape[0] - row);
        return new(batch.Observations.Slice(row, steps), batch.States.Slice(row, steps), actions.Slice(row, count),
            batch.IsSegmented ? batch.PreviousActions.Slice(row, steps) : encoding.Recorded(batch).Slice(before, row + steps - 1 - before), batch.Fingerprints)
        {
            ContinueMask = batch.IsSegmented ? batch.ContinueMask.Slice(row, steps) : default,
        };
    }

    /// <summary>[T, B, C]; a single column of the batch as it is.</summary>
    private Tensor Common(Tape tape, in InputSource source) => common is [InputColumn.State] ? source.States
        : common is [InputColumn.Observations] ? source.AllObservations
        : Fill(tape, source, common, agents: 1).Reshape(source.Steps, source.Episodes, Width(common));

    /// <summary>[T, B, agents, width] columns next to each other.</summary>
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

/// <summary>What a <see cref="NetworkInput"/> is built from. Tensors that none of its columns reads may be none.</summary>
/// <param name="Observations">[T, B, N, O]</param>
/// <param name="States">[T, B, S]</param>
/// <param name="Actions">[T, B, N], or [T, B, N, A] if continuous; rows that are missing at the end are zeros.</param>
/// <param name="LastActions">the actions before the last P rows, [P, B, N] or [P, B, N, A]; the rows before are zeros.</param>
/// <param name="Fingerprints">[B, 2]</param>
internal readonly record struct InputSource(Tensor Observations, Tensor States, Tensor Actions, Tensor LastActions, Tensor Fingerprints)
{
    /// <summary>[T, B, N]: 0 where an episode begins, so that there is no last action; none: 1 everywhere.</summary>
    public Tensor ContinueMask { get; init; }

    /// <summary>T</summary>
    public int Steps => Leading[0];

    /// <summary>B</summary>
    public int Episodes => Leading[1];

    /// <summary>[T, B, N O]</summary>
    public Tensor AllObservations => Observations.Reshape(Steps, Episodes, Observations.Shape[2] * Observations.Shape[3]);

    private Shape Leading => Observations.IsNone ? States.Shape : Observations.Shape;
}

/// <summary>
/// Input of a network, T steps of B episodes with N agents: columns that all agents have in common [T, B, C], if there are any, and each agent's own
/// [T, B, N, F - C].
/// </summary>
/// <param name="common">[T, B, C]; null: none.</param>
/// <param name="own">[T, B, N, F - C]</param>
public readonly struct InputRows(Var? common, Var own)
{
    /// <summary>[T, B, C]; null: none.</summary>
    public Var? Common => common;

    /// <summary>[T, B, N, F - C]</summary>
    public Var Own => own;

    /// <summary>Input without common columns.</summary>
    public static implicit operator InputRows(Var own) => new(null, own);

    /// <summary>max(x W^T + b, 0) [T, B, N, out]. Common columns are multiplied once for all agents.</summary>
    /// <param name="w">weights.</param>
    /// <param name="layer">with F inputs.</param>
    /// <exception cref="ArgumentException">the input does not fit; names the shapes.</exception>
    public Var LinearRelu(Weights w, Linear layer) => common is { } x ? layer.ForwardRelu(w, x, own) : layer.ForwardRelu(w, own);

    /// <summary>[T, B, N] of a mask [T, B, N] or [T, B, 1]; none of none.</summary>
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

    /// <summary>[T, B, N, F]: common columns repeated for every agent, then its own.</summary>
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
