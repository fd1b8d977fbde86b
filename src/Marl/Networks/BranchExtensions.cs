namespace Marl.Native.Rl;

/// <summary>Views of outputs and masks by branch: with K branches of W choices, [T, B, N, A] is [T, B, N K, W] without a copy, unless there is a continuous
/// part. With one branch both are the same.</summary>
internal static class BranchExtensions
{
    /// <summary>Returns the choices of all branches [T, B, N K, W] of outputs [T, B, N, A].</summary>
    public static Var Branches(this Var x, ActionLayout layout)
    {
        var choices = layout.VectorSize == 0 ? x : x.Slice(-1, 0, layout.VectorStart);
        return layout.Branches == 1 ? choices : choices.Reshape(ByBranch(x.Shape, layout));
    }

    /// <summary>Returns the choices of all branches [T, B, N K, W] of a tensor [T, B, N, A].</summary>
    public static Tensor Branches(this Tensor x, ActionLayout layout, Tape tape)
    {
        var choices = layout.VectorSize == 0 ? x : Columns(x, tape, 0, layout.VectorStart);
        return layout.Branches == 1 ? choices : choices.Reshape(ByBranch(x.Shape, layout));
    }

    /// <summary>Returns the continuous parts [T, B, N, D] of outputs [T, B, N, A].</summary>
    public static Var Vector(this Var x, ActionLayout layout) => layout.Branches == 0 ? x : x.Slice(-1, layout.VectorStart, layout.VectorSize);

    /// <summary>Returns the continuous parts [T, B, N, D] of a tensor [T, B, N, A].</summary>
    public static Tensor Vector(this Tensor x, ActionLayout layout, Tape tape)
        => layout.Branches == 0 ? x : Columns(x, tape, layout.VectorStart, layout.VectorSize);

    /// <summary>Concatenates the choices of all branches [T, B, N K, W] and the continuous parts [T, B, N, D] of actions, [T, B, N, A].</summary>
    /// <param name="layout">The layout.</param>
    /// <param name="choices">The choices; null if there are no branches.</param>
    /// <param name="vectors">The continuous parts; null if there are none.</param>
    public static Var Join(this ActionLayout layout, Var? choices, Var? vectors)
    {
        if (choices is not { } discrete)
        {
            return vectors!.Value;
        }
        var shape = discrete.Shape;
        discrete = discrete.Reshape(shape[0], shape[1], shape[2] / layout.Branches, layout.VectorStart);
        return vectors is { } continuous ? Ops.Concat(-1, discrete, continuous) : discrete;
    }

    /// <summary>Returns x(u) [T, B, N K] of x [T, B, N K, W] and choices u [T, B, N] or [T, B, N, K].</summary>
    public static Var OfChoices(this Var x, Tensor actions) => x.Gather(actions.Reshape(x.Shape.With(-1, 1))).Reshape(x.Shape.Without(-1));

    /// <summary>Computes the sum over an agent's branches, [T, B, N] of [T, B, N K].</summary>
    public static Var SumOverBranches(this Var x, int branches)
        => branches == 1 ? x : x.Reshape(x.Shape.With(-1, x.Shape[-1] / branches).Append(branches)).Sum(-1);

    private static Tensor Columns(Tensor x, Tape tape, int first, int count)
    {
        var (columns, part) = (tape.Scratch(x.Shape.With(-1, count)), new Tensor(x.Storage, x.Offset + first, new Shape(x.Count - first)));
        tape.Device.CopyStrided(part, [0, 0, x.Shape[-1], 1], columns, [0, 0, count, 1], [1, 1, x.Count / x.Shape[-1], count], accumulate: false);
        return columns;
    }

    private static Shape ByBranch(Shape shape, ActionLayout layout) => new(shape[0], shape[1], shape[2] * layout.Branches, layout.BranchSize);
}
