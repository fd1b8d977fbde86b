namespace Marl.Native;

public static partial class Ops
{
    /// <summary>The sum of all elements, a scalar.</summary>
    public static Var Sum(this Var x) => x.Reshape(new Shape(x.Value.Count)).Sum(0).Reshape(default(Shape));

    /// <summary>The sum along an axis, which is removed.</summary>
    public static Var Sum(this Var x, int axis)
    {
        axis = axis < 0 ? axis + x.Shape.Rank : axis;
        var y = x.Tape.Allocate(x.Shape.Without(axis));
        x.Tape.Device.Reduce(default(Sum), x.Value, axis, y);
        return x.Tape.Record(new SumOp(axis), y, [x]);
    }

    /// <summary>The sum of all elements times constant weights, a scalar.</summary>
    /// <param name="x">The values.</param>
    /// <param name="w">The weights, broadcast to the shape of x.</param>
    public static Var WeightedSum(this Var x, Tensor w)
    {
        var y = x.Tape.Allocate(default);
        x.Tape.Device.WeightedSum(x.Value, w, y.Reshape(1), x.Tape.Scratch(x.Shape));
        return x.Tape.Record(default(WeightedSumOp), y, [x], [w]);
    }

    /// <summary>The mean of all elements, a scalar.</summary>
    public static Var Mean(this Var x) => x.Sum() / x.Value.Count;

    /// <summary>The mean along an axis, which is removed.</summary>
    public static Var Mean(this Var x, int axis) => x.Sum(axis) / x.Shape[axis];

    /// <summary>The variance along an axis, which is removed. The divisor is n, or n - 1 when <paramref name="unbiased"/>.</summary>
    public static Var Variance(this Var x, int axis, bool unbiased = false)
    {
        var row = x.Shape.With(axis, 1);
        var centered = x - x.Mean(axis).Reshape(row);
        return centered.Square().Sum(axis) / (x.Shape[axis] - (unbiased ? 1 : 0));
    }

    /// <summary>The maximum along the last axis, which is removed. The gradient goes to the first maximum.</summary>
    public static Var Max(this Var x) => x.Gather(x.Tape.ArgMax(x.Value)).Reshape(x.Shape.Without(-1));

    /// <summary>The index of the first maximum along the last axis, which is kept with length 1 as <see cref="Gather"/> expects.</summary>
    /// <param name="tape">The tape.</param>
    /// <param name="x">The tensor.</param>
    /// <param name="mask">The mask, of the shape of x: entries with 0 are ignored; none: all entries count.</param>
    public static Tensor ArgMax(this Tape tape, Tensor x, Tensor mask = default)
    {
        var index = tape.Scratch(x.Shape.With(-1, 1));
        tape.Device.ArgMax(x, mask, index);
        return index;
    }

    private readonly struct WeightedSumOp : IOp
    {
        public void Backward(GradContext context)
        {
            var x = context.X(0);
            context.Device.ZipDerivative(default(Multiply), second: false, x, context.Saved(0), x, context.DY, context.DX(0));
        }

        public void Tangent(GradContext context)
        {
            var (sum, dx) = (context.Scratch(new Shape(1)), context.DX(0));
            context.Device.WeightedSum(dx, context.Saved(0), sum, context.Scratch(dx.Shape));
            var dy = context.DY.Reshape(1);
            context.Device.Zip(default(Add), dy, sum, dy);
        }
    }

    private readonly struct SumOp(int axis) : IOp
    {
        // The gradient of every summand is the gradient of the sum, broadcast along the axis.
        public void Backward(GradContext context)
            => context.Device.Zip(default(Add), context.DX(0), context.DY.Reshape(context.X(0).Shape.With(axis, 1)), context.DX(0));

        public void Tangent(GradContext context) => context.Device.Reduce(default(Sum), context.DX(0), axis, context.DY, accumulate: true);
    }
}
