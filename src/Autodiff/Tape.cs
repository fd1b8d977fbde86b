namespace Marl.Native;

/// <summary>
/// The history of the numbers of one step, recorded as ops run. <c>using (tape.Step())</c> is the scope of an update; within it ops record nodes,
/// <see cref="Backward(Var)"/> walks them in reverse and <see cref="PushForward"/> in order. Memory comes from arenas that are reset by the next
/// step, so after the first steps nothing is allocated. A tape belongs to one thread at a time.
/// </summary>
public sealed partial class Tape(Device? device = null)
{
    private readonly Arena values = new(device ?? Device.Cpu), gradients = new(device ?? Device.Cpu), tangents = new(device ?? Device.Cpu);
    private readonly Dictionary<Storage, Tensor> residents = [];
    private int count, inputCount, savedCount, stamp, depth;
    private bool recording;

    /// <summary>Where it computes.</summary>
    public Device Device { get; } = device ?? Device.Cpu;

    internal Node[] Nodes = new Node[64];
    internal int[] Inputs = new int[128];
    internal Tensor[] Saved = new Tensor[64];

    /// <summary>Begins an update: all handles of the step before become invalid.</summary>
    public Scope Step()
    {
        if (depth > 0)
        {
            throw new InvalidOperationException("Tape.Step: the step before has not ended; dispose of it first");
        }
        count = inputCount = savedCount = 0;
        values.Reset();
        return new Scope(this, recording: true);
    }

    /// <summary>
    /// A scope whose ops keep no history and whose memory is given back at its end. It may be inside a step, or on its own. One result leaves it through
    /// <see cref="Scope.Keep(Var)"/>, others through tensors allocated before it:
    /// <code>
    /// using var detached = tape.NoGrad();
    /// return detached.Keep(tape.Constant(x).Softmax() * mask);
    /// </code>
    /// </summary>
    public Scope NoGrad()
    {
        if (depth == 0)
        {
            count = inputCount = savedCount = 0;
            values.Reset();
        }
        return new Scope(this, recording: false);
    }

    /// <summary>A number without gradient.</summary>
    public Var Constant(Tensor value) => Push(new Node { Value = value });

    /// <summary>The same of one value, of shape [].</summary>
    public Var Constant(float value)
    {
        var scalar = Scratch(default);
        Device.Fill(scalar, value);
        return Constant(scalar);
    }

    /// <summary>A number whose gradient is wanted.</summary>
    public Var Variable(Tensor value) => Push(new Node { Value = value, RequiresGrad = recording });

    /// <summary>The parameters of networks on this tape; <paramref name="gradient"/> (by default the parameters' own) is added to by Backward.</summary>
    public Weights Bind(Parameters parameters, Tensor gradient = default)
        => new(this, parameters, gradient.IsNone ? parameters.Gradient : gradient);

    /// <summary>The parameters as constants: no gradient flows to them (a target network, a baseline).</summary>
    public Weights Detached(Parameters parameters) => new(this, parameters, default);

    /// <summary>The same of a copy made for acting.</summary>
    public Weights Detached(InferenceWeights parameters) => new(this, parameters);

    /// <summary>The same numbers where this tape computes, for tables that never change: on another device than theirs they are uploaded the first
    /// time, and kept.</summary>
    public Tensor Cached(Tensor table)
    {
        if (table.Device == Device)
        {
            return table;
        }
        if (!residents.TryGetValue(table.Storage, out var resident))
        {
            resident = Device.Zeros(table.Shape);
            table.CopyTo(resident);
            residents.Add(table.Storage, resident);
        }
        return resident.Reshape(table.Shape);
    }

    /// <summary>Memory of this step, not cleared, for results that have no gradient.</summary>
    public Tensor Scratch(Shape shape) => values.TakeHigh(shape);

    /// <summary>Memory for the result of an op about to be recorded, not cleared.</summary>
    public Tensor Allocate(Shape shape) => values.TakeLow(shape);

    /// <summary>Whether an op of these inputs will be recorded, so that it has to save what its derivative needs.</summary>
    public bool Records(ReadOnlySpan<Var> inputs)
    {
        bool wanted = false;
        foreach (var input in inputs)
        {
            wanted |= recording & Node(input).RequiresGrad;
        }
        return wanted;
    }

    /// <summary>Records y = op(inputs), computed already. Within <see cref="NoGrad"/>, or where no input wants a gradient, only the value is kept.</summary>
    /// <param name="op">its constants and derivatives.</param>
    /// <param name="y">the result, from <see cref="Allocate"/>.</param>
    /// <param name="inputs">what it was computed from.</param>
    /// <param name="saved">tensors that the derivative needs, from <see cref="Scratch"/>.</param>
    public Var Record<TOp>(TOp op, Tensor y, ReadOnlySpan<Var> inputs, ReadOnlySpan<Tensor> saved = default) where TOp : unmanaged, IOp
    {
        var node = new Node { Value = y, RequiresGrad = Records(inputs) };
        if (node.RequiresGrad)
        {
            node.OpVTable = OpVTable.Of(op);
            (node.FirstInput, node.InputCount, node.FirstSaved) = (inputCount, inputs.Length, savedCount);
            Grow(ref Inputs, inputCount + inputs.Length);
            Grow(ref Saved, savedCount + saved.Length);
            foreach (var input in inputs)
            {
                Inputs[inputCount++] = input.Index;
            }
            saved.CopyTo(Saved.AsSpan(savedCount));
            savedCount += saved.Length;
        }
        return Push(node);
    }

    /// <summary>Adds dL/dp to the gradient of every bound parameter; <paramref name="loss"/> is L, of one element. The first call after an optimizer's step
    /// starts from 0, see <see cref="Parameters.DiscardGradient"/>.</summary>
    public void Backward(Var loss) => Backward(loss, default);

    /// <summary>The same from a given gradient of <paramref name="root"/>, of its shape (none: 1).</summary>
    public void Backward(Var root, Tensor gradient)
    {
        if (gradient.IsNone ? root.Value.Count != 1 : gradient.Shape != root.Shape)
        {
            throw new ArgumentException($"Backward: the root has shape {root.Shape}, " +
                (gradient.IsNone ? "one element or a gradient is needed" : $"its gradient {gradient.Shape}"));
        }
        gradients.Reset();
        for (int i = 0; i <= root.Index; i++)
        {
            ref var node = ref Nodes[i];
            node.HasGrad = node.Parameters is not null;
            node.Parameters?.PrepareGradient(node.Gradient);
            if (node is { RequiresGrad: true, Parameters: null })
            {
                node.Gradient = node.Owner == i ? gradients.TakeLow(node.Value.Shape) : View(node, Nodes[node.Owner].Gradient);
            }
        }
        if (Node(root).RequiresGrad)
        {
            EnsureGrad(root.Index);
            if (gradient.IsNone)
            {
                Device.Fill(Nodes[root.Index].Gradient, 1f);
            }
            else
            {
                gradient.CopyTo(Nodes[root.Index].Gradient);
            }
        }
        for (int i = root.Index; i >= 0; i--)
        {
            if (Nodes[i].Owner != i)
            {
                continue;
            }
            if (!Nodes[i].HasGrad)
            {
                // The root does not depend on it: its gradient is 0, and nothing flows on.
                EnsureGrad(i);
            }
            else if (!Nodes[i].OpVTable.IsNone)
            {
                var (low, high) = (values.Low, values.High);
                Nodes[i].OpVTable.Backward(new GradContext(this, i, forward: false));
                values.Release(low, high);
            }
        }
    }

    /// <summary>Clears a gradient before the first op adds to it: right before, for then it is about to be in the cache anyway.</summary>
    internal void EnsureGrad(int index)
    {
        ref var owner = ref Nodes[Nodes[index].Owner];
        if (owner.RequiresGrad && !owner.HasGrad)
        {
            Device.Fill(owner.Gradient, 0f);
        }
        owner.HasGrad = true;
    }

    /// <summary>For an op that writes a gradient whole: whether it must add to what others wrote; if not, nothing was cleared.</summary>
    internal bool ReachWhole(int index)
    {
        ref var owner = ref Nodes[Nodes[index].Owner];
        bool others = owner.HasGrad || owner.Value.Count != Nodes[index].Value.Count;
        if (others)
        {
            EnsureGrad(index);
        }
        owner.HasGrad = true;
        return others;
    }

    /// <summary>The part of its owner's derivative that belongs to a view.</summary>
    private Tensor View(in Node node, Tensor derivative)
        => derivative.IsNone ? default : new(derivative.Storage, derivative.Offset + node.Value.Offset - Nodes[node.Owner].Value.Offset, node.Value.Shape);

    /// <summary>
    /// Forward mode: leaves in every node's <see cref="Var.Tangent"/> its directional derivative when the parameters move along
    /// <paramref name="direction"/>, of the shape of their flat block. One pass gives the derivative of every output at once.
    /// </summary>
    public void PushForward(Parameters parameters, Tensor direction)
    {
        if (direction.Count != parameters.Values.Count)
        {
            throw new ArgumentException($"PushForward: {parameters.Values.Count} parameters, a direction of {direction.Shape}");
        }
        tangents.Reset();
        for (int i = 0; i < count; i++)
        {
            ref var node = ref Nodes[i];
            node.Tangent = default;
            if (node.Value.Storage == parameters.Values.Storage)
            {
                node.Tangent = new Tensor(direction.Storage, direction.Offset + node.Value.Offset - parameters.Values.Offset, node.Value.Shape);
            }
            else if (node.Owner != i)
            {
                node.Tangent = View(node, Nodes[node.Owner].Tangent);
            }
            else if (DependsOnTangent(node))
            {
                node.Tangent = tangents.TakeLow(node.Value.Shape);
                Device.Fill(node.Tangent, 0f);
                var (low, high) = (values.Low, values.High);
                node.OpVTable.Tangent(new GradContext(this, i, forward: true));
                values.Release(low, high);
            }
        }
    }

    internal Var Parameter(Parameters parameters, Tensor value, Tensor gradient, Tensor transpose)
        => Push(new Node { Parameters = parameters, Value = value, Gradient = gradient, Transpose = transpose, RequiresGrad = recording && !gradient.IsNone });

    internal ref Node Node(Var handle)
    {
        if (handle.Tape != this || handle.Index >= count || Nodes[handle.Index].Stamp != handle.Stamp)
        {
            throw new InvalidOperationException(
                "this Var outlived the step or NoGrad scope that it was recorded in, or belongs to another tape; copy its Value out before");
        }
        return ref Nodes[handle.Index];
    }

    /// <summary>Some of the numbers of x, in place, under another shape: their gradient is that part of the gradient of x.</summary>
    /// <param name="x">the owner.</param>
    /// <param name="value">in the memory of its value.</param>
    internal Var View(Var x, Tensor value)
    {
        ref var owner = ref Node(x);
        return Push(new Node { Value = value, RequiresGrad = owner.RequiresGrad & recording }, owner.Owner);
    }

    private Var Push(Node node) => Push(node, count);

    private Var Push(Node node, int owner)
    {
        if (depth == 0)
        {
            throw new InvalidOperationException("nothing can be recorded outside of a scope: using (tape.Step()) or using (tape.NoGrad())");
        }
        (node.Stamp, node.Owner) = (++stamp, owner);
        Grow(ref Nodes, count + 1);
        Nodes[count] = node;
        return new Var(this, count++, stamp);
    }

    private bool DependsOnTangent(in Node node)
    {
        for (int i = 0; i < node.InputCount; i++)
        {
            if (!Nodes[Inputs[node.FirstInput + i]].Tangent.IsNone)
            {
                return true;
            }
        }
        return false;
    }

    private static void Grow<T>(ref T[] array, int needed)
    {
        if (needed > array.Length)
        {
            Array.Resize(ref array, Math.Max(needed, 2 * array.Length));
        }
    }
}

/// <summary>One recorded number and how it came about.</summary>
internal struct Node
{
    public Tensor Value, Gradient, Tangent;

    /// <summary>The value's last two axes exchanged, where that is at hand.</summary>
    public Tensor Transpose;
    public OpVTable OpVTable;
    public int FirstInput, InputCount, FirstSaved, Stamp;

    /// <summary>The node whose memory this is a view of; itself where it has its own.</summary>
    public int Owner;
    public bool RequiresGrad, HasGrad;

    /// <summary>What it is a slice of, where it is a parameter.</summary>
    public Parameters? Parameters;
}
