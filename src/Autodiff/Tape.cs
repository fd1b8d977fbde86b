namespace Marl.Native;

/// <summary>
/// Records operations for automatic differentiation. <c>using (tape.Step())</c> is the scope of an update: operations record nodes, <see cref="Backward(Var)"/>
/// traverses them in reverse and <see cref="PushForward"/> in order. Memory comes from arenas that the next step reuses, so that after the first steps nothing
/// is allocated. A tape may be used by one thread at a time.
/// </summary>
/// <param name="device">The device that computes; by default the CPU.</param>
/// <example>
/// <code>
/// var layout = new ParameterLayout();
/// var network = new Mlp(layout, [2, 8, 1]);
/// var parameters = new Parameters(layout).Initialize(new Rng(1));
/// var optimizer = new Optimizer(parameters, new Adam());
/// var tape = new Tape();
/// using (tape.Step())
/// {
///     Var y = network.Forward(tape.Bind(parameters), tape.Constant(Tensor.Of([0, 1, 1, 1], 2, 2)));
///     tape.Backward((y - Tensor.Of([1, 0], 2, 1)).Square().Mean());
/// }
/// optimizer.Step();
/// </code>
/// </example>
public sealed partial class Tape(Device? device = null)
{
    private readonly Arena values = new(device ?? Device.Cpu), gradients = new(device ?? Device.Cpu), tangents = new(device ?? Device.Cpu);
    private readonly Dictionary<Storage, Tensor> cache = [];
    private int count, inputCount, savedCount, stamp, depth;
    private bool recording;

    /// <summary>The device that computes.</summary>
    public Device Device { get; } = device ?? Device.Cpu;

    internal Node[] Nodes = new Node[64];
    internal int[] Inputs = new int[128];
    internal Tensor[] Saved = new Tensor[64];

    /// <summary>Begins a step. All values of the previous step become invalid.</summary>
    /// <returns>The scope, to be disposed of at the end of the step.</returns>
    /// <exception cref="InvalidOperationException">The previous step has not ended.</exception>
    public Scope Step()
    {
        if (depth > 0)
        {
            throw new InvalidOperationException("Tape.Step: the previous step has not ended; dispose of its scope first");
        }
        count = inputCount = savedCount = 0;
        values.Reset();
        return new Scope(this, recording: true);
    }

    /// <summary>
    /// Begins a scope whose operations are not recorded and whose memory is freed at its end, like PyTorch's no_grad. It can be nested in a step or stand
    /// alone. One result leaves the scope through <see cref="Scope.Keep(Var)"/>, others through tensors allocated before it:
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

    /// <summary>Records a tensor that gets no gradient.</summary>
    public Var Constant(Tensor value) => Push(new Node { Value = value });

    /// <summary>Records a scalar that gets no gradient.</summary>
    public Var Constant(float value)
    {
        var scalar = Scratch(default);
        Device.Fill(scalar, value);
        return Constant(scalar);
    }

    /// <summary>Records a tensor whose gradient is computed, see <see cref="Var.Gradient"/>.</summary>
    public Var Variable(Tensor value) => Push(new Node { Value = value, RequiresGrad = recording });

    /// <summary>Binds parameters to this tape. <see cref="Backward(Var)"/> accumulates their gradient.</summary>
    /// <param name="parameters">The parameters.</param>
    /// <param name="gradient">[P] the tensor that accumulates the gradient; by default <see cref="Parameters.Gradient"/>. It is never cleared.</param>
    public Weights Bind(Parameters parameters, Tensor gradient = default)
        => new(this, parameters, gradient.IsNone ? parameters.Gradient : gradient);

    /// <summary>Binds parameters as constants, which get no gradient: a target network, a baseline.</summary>
    public Weights Detached(Parameters parameters) => new(this, parameters, default);

    /// <summary>Binds inference weights as constants.</summary>
    public Weights Detached(InferenceWeights parameters) => new(this, parameters);

    /// <summary>Returns a constant table in the memory of this tape's device. A table of another device is uploaded once and cached.</summary>
    public Tensor Cached(Tensor table)
    {
        if (table.Device == Device)
        {
            return table;
        }
        if (!cache.TryGetValue(table.Storage, out var cached))
        {
            cached = Device.Zeros(table.Shape);
            table.CopyTo(cached);
            cache.Add(table.Storage, cached);
        }
        return cached.Reshape(table.Shape);
    }

    /// <summary>Allocates an uninitialized tensor that lives until the scope ends, for values that have no gradient.</summary>
    public Tensor Scratch(Shape shape) => values.AllocateHigh(shape);

    /// <summary>Allocates an uninitialized tensor for the result of an operation that will be recorded.</summary>
    public Tensor Allocate(Shape shape) => values.AllocateLow(shape);

    /// <summary>Whether an operation on these inputs is recorded, so that it must save what its derivative needs.</summary>
    public bool RequiresGrad(ReadOnlySpan<Var> inputs)
    {
        bool requiresGrad = false;
        foreach (var input in inputs)
        {
            requiresGrad |= recording & Node(input).RequiresGrad;
        }
        return requiresGrad;
    }

    /// <summary>
    /// Records y = op(inputs), which is already computed. In a <see cref="NoGrad"/> scope, or if no input requires a gradient, only the value is recorded.
    /// </summary>
    /// <param name="op">The constants and derivatives of the operation.</param>
    /// <param name="y">The result, from <see cref="Allocate"/>.</param>
    /// <param name="inputs">The inputs.</param>
    /// <param name="saved">The tensors that the derivative needs, from <see cref="Scratch"/>.</param>
    public Var Record<TOp>(TOp op, Tensor y, ReadOnlySpan<Var> inputs, ReadOnlySpan<Tensor> saved = default) where TOp : unmanaged, IOp
    {
        var node = new Node { Value = y, RequiresGrad = RequiresGrad(inputs) };
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

    /// <summary>
    /// Reverse mode: adds dL/dp to the gradient of every bound parameter, for a loss L of one element. The first call after an optimizer's step starts from 0,
    /// see <see cref="Parameters.DiscardGradient"/>.
    /// </summary>
    /// <exception cref="ArgumentException">The loss has more than one element.</exception>
    public void Backward(Var loss) => Backward(loss, default);

    /// <summary>Reverse mode from a given gradient of <paramref name="root"/>.</summary>
    /// <param name="root">The value to differentiate.</param>
    /// <param name="gradient">The gradient of the root, of its shape; none: 1, for a root of one element.</param>
    /// <exception cref="ArgumentException">The shapes differ.</exception>
    public void Backward(Var root, Tensor gradient)
    {
        if (gradient.IsNone ? root.Value.Count != 1 : gradient.Shape != root.Shape)
        {
            throw new ArgumentException($"Backward: the root has shape {root.Shape}, " +
                (gradient.IsNone ? "a root with more than one element requires a gradient" : $"its gradient {gradient.Shape}"));
        }
        gradients.Reset();
        for (int i = 0; i <= root.Index; i++)
        {
            ref var node = ref Nodes[i];
            node.HasGrad = node.Parameters is not null;
            node.Parameters?.PrepareGradient(node.Gradient);
            if (node is { RequiresGrad: true, Parameters: null })
            {
                node.Gradient = node.Owner == i ? gradients.AllocateLow(node.Value.Shape) : View(node, Nodes[node.Owner].Gradient);
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
                // The root does not depend on this node: its gradient is 0.
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

    /// <summary>Clears a gradient just before the first operation adds to it, when it is about to be in the cache.</summary>
    internal void EnsureGrad(int index)
    {
        ref var owner = ref Nodes[Nodes[index].Owner];
        if (owner.RequiresGrad && !owner.HasGrad)
        {
            Device.Fill(owner.Gradient, 0f);
        }
        owner.HasGrad = true;
    }

    /// <summary>
    /// Prepares the gradient of an input for an operation that writes all of it. Returns whether the operation must add to it; if not, it is uninitialized.
    /// </summary>
    internal bool PrepareGrad(int index)
    {
        ref var owner = ref Nodes[Nodes[index].Owner];
        bool accumulate = owner.HasGrad || owner.Value.Count != Nodes[index].Value.Count;
        if (accumulate)
        {
            EnsureGrad(index);
        }
        owner.HasGrad = true;
        return accumulate;
    }

    /// <summary>The part of its owner's derivative that belongs to a view.</summary>
    private Tensor View(in Node node, Tensor derivative)
        => derivative.IsNone ? default : new(derivative.Storage, derivative.Offset + node.Value.Offset - Nodes[node.Owner].Value.Offset, node.Value.Shape);

    /// <summary>
    /// Forward mode (Jacobian-vector product): computes in the <see cref="Var.Tangent"/> of every node its directional derivative when the parameters move
    /// along <paramref name="direction"/>. One pass gives the derivatives of all outputs.
    /// </summary>
    /// <param name="parameters">The bound parameters.</param>
    /// <param name="direction">[P] the direction, in the layout of the parameters.</param>
    /// <exception cref="ArgumentException">The direction has another number of elements.</exception>
    public void PushForward(Parameters parameters, Tensor direction)
    {
        if (direction.Count != parameters.Values.Count)
        {
            throw new ArgumentException($"PushForward: {parameters.Values.Count} parameters, but a direction of shape {direction.Shape}");
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
                node.Tangent = tangents.AllocateLow(node.Value.Shape);
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
                "this Var is used after the step or NoGrad scope that recorded it, or on another tape; copy its Value before the scope ends");
        }
        return ref Nodes[handle.Index];
    }

    /// <summary>Records a view of x: some of its elements, in place, with another shape. The gradient of the view is that part of the gradient of x.</summary>
    /// <param name="x">The owner.</param>
    /// <param name="value">The view, in the memory of the value of x.</param>
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
            throw new InvalidOperationException("an operation is recorded outside of a scope: using (tape.Step()) or using (tape.NoGrad())");
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

/// <summary>A recorded value and the operation that computed it.</summary>
internal struct Node
{
    public Tensor Value, Gradient, Tangent;

    /// <summary>The value with its last two axes swapped, if available.</summary>
    public Tensor Transpose;
    public OpVTable OpVTable;
    public int FirstInput, InputCount, FirstSaved, Stamp;

    /// <summary>The node whose memory this node views; its own index if it has its own memory.</summary>
    public int Owner;
    public bool RequiresGrad, HasGrad;

    /// <summary>The parameters of which this node is a slice, or null.</summary>
    public Parameters? Parameters;
}
