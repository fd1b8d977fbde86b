namespace Marl.Native;

/// <summary>
/// The differentiable operations. Those in this file are elementwise: the value and derivative are in the struct of the operation (<see cref="IUnary"/>,
/// <see cref="IBinary"/>).
/// </summary>
public static partial class Ops
{
    /// <summary>y = f(x), elementwise.</summary>
    public static Var Map<TOp>(this Var x, TOp op) where TOp : unmanaged, IUnary
    {
        var y = x.Tape.Allocate(x.Shape);
        x.Tape.Device.Map(op, x.Value, y);
        return x.Tape.Record(new MapOp<TOp>(op), y, [x]);
    }

    /// <summary>y = f(a, b), elementwise. Shapes broadcast as in NumPy; gradients are summed over broadcast axes.</summary>
    /// <exception cref="ArgumentException">The shapes do not broadcast.</exception>
    public static Var Zip<TOp>(this Var a, Var b, TOp op) where TOp : unmanaged, IBinary
    {
        if (!Shape.TryBroadcast(a.Shape, b.Shape, out var shape))
        {
            throw new ArgumentException($"{typeof(TOp).Name}: shapes {a.Shape} and {b.Shape} do not broadcast");
        }
        var y = a.Tape.Allocate(shape);
        a.Tape.Device.Zip(op, a.Value, b.Value, y);
        return a.Tape.Record(new ZipOp<TOp>(op), y, [a, b]);
    }

    /// <summary>|x|</summary>
    public static Var Abs(this Var x) => x.Map(default(Abs));

    /// <summary>x^2</summary>
    public static Var Square(this Var x) => x.Map(default(Square));

    /// <summary>The square root.</summary>
    public static Var Sqrt(this Var x) => x.Map(default(Sqrt));

    /// <summary>x^exponent. NaN where x &lt; 0 and the exponent is not an integer.</summary>
    public static Var Pow(this Var x, float exponent) => x.Map(new Pow(exponent));

    /// <summary>x^exponent for x >= 0, with broadcasting. NaN where x &lt; 0.</summary>
    public static Var Pow(this Var x, Var exponent) => x.Zip(exponent, default(Power));

    /// <summary>1 / x</summary>
    public static Var Reciprocal(this Var x) => x.Map(default(Reciprocal));

    /// <summary>e^x</summary>
    public static Var Exp(this Var x) => x.Map(default(Exp));

    /// <summary>The natural logarithm.</summary>
    public static Var Log(this Var x) => x.Map(default(Log));

    /// <summary>max(x, 0)</summary>
    public static Var Relu(this Var x) => x.Map(default(Relu));

    /// <summary>x where x > 0, slope x elsewhere.</summary>
    public static Var LeakyRelu(this Var x, float slope = 0.01f) => x.Map(new LeakyRelu(slope));

    /// <summary>x where x > 0, alpha (e^x - 1) elsewhere (Clevert et al. 2016).</summary>
    public static Var Elu(this Var x, float alpha = 1f) => x.Map(new Elu(alpha));

    /// <summary>The hyperbolic tangent.</summary>
    public static Var Tanh(this Var x) => x.Map(default(Tanh));

    /// <summary>1 / (1 + e^-x)</summary>
    public static Var Sigmoid(this Var x) => x.Map(default(Sigmoid));

    /// <summary>log(1 + e^(beta x)) / beta</summary>
    public static Var Softplus(this Var x, float beta = 1f) => x.Map(new Softplus(beta));

    /// <summary>min(max(x, low), high)</summary>
    public static Var Clamp(this Var x, float low, float high) => x.Map(new Clamp(low, high));

    /// <summary>The Huber loss of an error x (Huber 1964): x^2 / 2 for |x| &lt;= delta, linear beyond.</summary>
    public static Var Huber(this Var x, float delta = 1f) => x.Map(new Huber(delta));

    /// <summary>min(a, b)</summary>
    public static Var Minimum(this Var a, Var b) => a.Zip(b, default(Minimum));

    /// <summary>max(a, b)</summary>
    public static Var Maximum(this Var a, Var b) => a.Zip(b, default(Maximum));

    /// <summary>x where the mask is nonzero, <paramref name="value"/> elsewhere.</summary>
    public static Var MaskedFill(this Var x, Tensor mask, float value) => x.Zip(x.Tape.Constant(mask), new MaskedFill(value));

    private readonly struct MapOp<TOp>(TOp op) : IOp where TOp : unmanaged, IUnary
    {
        public void Backward(GradContext context)
        {
            var dx = context.DX(0, out bool accumulate);
            context.Device.MapDerivative(op, context.X(0), context.Y, context.DY, dx, accumulate);
        }

        public void Tangent(GradContext context) => context.Device.MapDerivative(op, context.X(0), context.Y, context.DX(0), context.DY);
    }

    private readonly struct ZipOp<TOp>(TOp op) : IOp where TOp : unmanaged, IBinary
    {
        public void Backward(GradContext context)
        {
            for (int i = 0; i < 2; i++)
            {
                var dx = context.DX(i);
                if (dx.IsNone)
                {
                    continue;
                }
                bool broadcast = dx.Shape != context.Y.Shape;
                var dfull = broadcast ? context.Zeros(context.Y.Shape) : dx;
                context.Device.ZipDerivative(op, second: i == 1, context.X(0), context.X(1), context.Y, context.DY, dfull);
                if (broadcast)
                {
                    SumTo(context, dfull, dx);
                }
            }
        }

        public void Tangent(GradContext context)
        {
            for (int i = 0; i < 2; i++)
            {
                if (!context.DX(i).IsNone)
                {
                    context.Device.ZipDerivative(op, second: i == 1, context.X(0), context.X(1), context.Y, context.DX(i), context.DY);
                }
            }
        }
    }

    /// <summary>y += x summed over the axes along which y was broadcast to the shape of x: first the missing axes at once, then one axis at a time.</summary>
    private static void SumTo(GradContext context, Tensor x, Tensor y)
    {
        int missing = x.Shape.Rank - y.Shape.Rank, axis = 0;
        Shape rest;
        if (missing > 0)
        {
            Span<int> lengths = stackalloc int[Shape.MaxRank];
            x.Shape.CopyTo(lengths);
            rest = new Shape(lengths[missing..x.Shape.Rank]);
            x = x.Reshape(x.Shape.Product(0, missing), rest.Count);
        }
        else
        {
            while (x.Shape[axis] == y.Shape[axis])
            {
                axis++;
            }
            rest = x.Shape.With(axis, 1);
        }
        bool last = rest == y.Shape;
        var sum = last ? y : context.Scratch(rest);
        context.Device.Reduce(default(Sum), x, axis, sum, accumulate: last);
        if (!last)
        {
            SumTo(context, sum, y);
        }
    }
}
