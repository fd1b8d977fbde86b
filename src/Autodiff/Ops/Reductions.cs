namespace Marl.Native;

public static partial class Ops
{
    /// <summary>Sum of all elements, a scalar.</summary>
    public static Var Sum(this Var x) => x.Reshape(new Shape(x.Value.Count)).Sum(0).Reshape(default(Shape));

    /// <summary>Sum along an axis, which is dropped.</summary>
    public static Var Sum(this Var x, int axis)
    {
        axis = axis < 0 ? axis + x.Shape.Rank : axis;
        var y = x.Tape.Allocate(x.Shape.Without(axis));
        x.Tape.Device.Reduce(default(Sum), x.Value, axis, y);
        return x.Tape.Record(new SumOp(axis), y, [x]);
    }

    /// <summary>Mean of all elements, a scalar.</summary>
    public static Var Mean(this Var x) => x.Sum() / x.Value.Count;

    /// <summary>Mean along an axis, which is dropped.</summary>
    public static Var Mean(this Var x, int axis) => x.Sum(axis) / x.Shape[axis];

    /// <summary>Variance along an axis, which is dropped: divisor n, or n - 1 when <paramref name="unbiased"/>.</summary>
    public static Var Variance(this Var x, int axis, bool unbiased = false)
    {
        var kept = x.Shape.With(axis, 1);
        var centered = x - x.Mean(axis).Reshape(kept);
        return centered.Square().Sum(axis) / (x.Shape[axis] - (unbiased ? 1 : 0));
    }

    /// <summary>The greatest along the last axis, which is dropped; its gradient goes to the first greatest.</summary>
    public static Var Max(this Var x) => x.Gather(x.Tape.ArgMax(x.Value)).Reshape(x.Shape.Without(-1));

    /// <summary>[..] the index of the first greatest along the last axis among the available (mask not 0; none: all), with the axis kept at
    /// length 1 as <see cref="Gather"/> takes it.</summary>
    public static Tensor ArgMax(this Tape tape, Tensor x, Tensor mask = default)
    {
        var index = tape.Scratch(x.Shape.With(-1, 1));
        tape.Device.ArgMax(x, mask, index);
        return index;
    }

    private readonly struct SumOp(int axis) : IOp
    {
        // The gradient of every summand is the gradient of the sum, broadcast along the axis.
        public void Backward(GradContext p)
            => p.Device.Zip(default(Add), p.DX(0), p.DY.Reshape(p.X(0).Shape.With(axis, 1)), p.DX(0));

        public void Tangent(GradContext p) => p.Device.Reduce(default(Sum), p.DX(0), axis, p.DY, accumulate: true);
    }
}
