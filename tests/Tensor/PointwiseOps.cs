using System.Runtime.CompilerServices;

namespace Marl.Native.Tests;

/// <summary>Every pointwise function, one line each: where to try it, and where it has kinks. Those that only one op uses stand in <see cref="OpTable"/>.</summary>
internal static class PointwiseOps
{
    public static readonly UnaryCase[] Unary =
    [
        new UnaryCase<Affine>(new(1.7f, -0.3f), -4, 4),
        new UnaryCase<Abs>(default, -4, 4, 0),
        new UnaryCase<Square>(default, -4, 4),
        new UnaryCase<Sqrt>(default, 0.01f, 9),
        new UnaryCase<Reciprocal>(default, 0.1f, 4),
        new UnaryCase<Pow>(new(3f), -4, 4),
        new UnaryCase<Exp>(default, -8, 8),
        new UnaryCase<Log>(default, 0.01f, 20),
        new UnaryCase<Relu>(default, -4, 4, 0),
        new UnaryCase<Tanh>(default, -6, 6),
        new UnaryCase<Sigmoid>(default, -12, 12),
        new UnaryCase<Clamp>(new(-1.5f, 1.25f), -4, 4, -1.5f, 1.25f),
        new UnaryCase<IsNegative>(default, -4, 4, 0),
        new UnaryCase<NegativePLogP>(default, -8, 0),
        .. OpTable.Lines.Select(line => line.Function).OfType<UnaryCase>(),
    ];

    public static readonly BinaryCase[] Binary =
    [
        new BinaryCase<Add>(default, -4, 4),
        new BinaryCase<Subtract>(default, -4, 4),
        new BinaryCase<Multiply>(default, -4, 4),
        new BinaryCase<Divide>(default, 0.2f, 4),
        new BinaryCase<Power>(default, 0.2f, 3),
        new BinaryCase<Minimum>(default, -4, 4, kinkWhereEqual: true),
        new BinaryCase<Maximum>(default, -4, 4, kinkWhereEqual: true),
        new BinaryCase<MaskedFill>(new(-3.5f), -4, 4, maskB: true),
    ];

    public static TheoryData<string> UnaryNames => new(Unary.Select(op => op.Name));

    public static TheoryData<string> BinaryNames => new(Binary.Select(op => op.Name));

    public static UnaryCase UnaryOf(string name) => Unary.Single(op => op.Name == name);

    public static BinaryCase BinaryOf(string name) => Binary.Single(op => op.Name == name);
}

internal abstract class UnaryCase(string name, float low, float high, float[] kinks)
{
    public string Name => name;
    public float Low => low;
    public float High => high;
    public float[] Kinks => kinks;

    public abstract double F(double x);
    public abstract double D(double x);

    /// <summary>y = f(x) and d = f'(x) in lanes of one kind; the length is a multiple of their width.</summary>
    public abstract void Apply<T>(float[] x, float[] y, float[] d) where T : struct, IFloatLane<T>;

    public abstract void Map(Device device, Tensor x, Tensor y);
    public abstract void MapDerivative(Device device, Tensor x, Tensor y, Tensor dy, Tensor z);
}

internal sealed class UnaryCase<TOp>(TOp op, float low, float high, params float[] kinks)
    : UnaryCase(typeof(TOp).Name, low, high, kinks) where TOp : unmanaged, IUnary
{
    public override double F(double x) => op.F(new D1(x)).Value;

    public override double D(double x) => op.D(new D1(x), op.F(new D1(x))).Value;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Apply<T>(float[] x, float[] y, float[] d)
    {
        for (int i = 0; i < x.Length; i += T.Width)
        {
            T xi = T.Load(ref x[0], i), yi = op.F(xi);
            yi.Store(ref y[0], i);
            op.D(xi, yi).Store(ref d[0], i);
        }
    }

    public override void Map(Device device, Tensor x, Tensor y) => device.Map(op, x, y);

    public override void MapDerivative(Device device, Tensor x, Tensor y, Tensor dy, Tensor z)
        => device.MapDerivative(op, x, y, dy, z);
}

internal abstract class BinaryCase(string name, float low, float high, bool kinkWhereEqual, bool maskB)
{
    public string Name => name;
    public float Low => low;
    public float High => high;
    public bool KinkWhereEqual => kinkWhereEqual;

    /// <summary>b is a mask, of zeros and ones.</summary>
    public bool MaskB => maskB;

    public abstract double F(double a, double b);
    public abstract double D(double a, double b, bool second);

    /// <summary>y = f(a, b) and the derivatives by a and b, in lanes of one kind.</summary>
    public abstract void Apply<T>(float[] a, float[] b, float[] y, float[] da, float[] db) where T : struct, IFloatLane<T>;

    public abstract void Zip(Device device, Tensor a, Tensor b, Tensor y);
    public abstract void ZipDerivative(Device device, bool second, Tensor a, Tensor b, Tensor y, Tensor dy, Tensor z);
}

internal sealed class BinaryCase<TOp>(TOp op, float low, float high, bool kinkWhereEqual = false, bool maskB = false)
    : BinaryCase(typeof(TOp).Name, low, high, kinkWhereEqual, maskB) where TOp : unmanaged, IBinary
{
    public override double F(double a, double b) => op.F(new D1(a), new D1(b)).Value;

    public override double D(double a, double b, bool second)
    {
        D1 da = new(a), db = new(b), y = op.F(da, db);
        return (second ? op.DB(da, db, y) : op.DA(da, db, y)).Value;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Apply<T>(float[] a, float[] b, float[] y, float[] da, float[] db)
    {
        for (int i = 0; i < a.Length; i += T.Width)
        {
            T ai = T.Load(ref a[0], i), bi = T.Load(ref b[0], i), yi = op.F(ai, bi);
            yi.Store(ref y[0], i);
            op.DA(ai, bi, yi).Store(ref da[0], i);
            op.DB(ai, bi, yi).Store(ref db[0], i);
        }
    }

    public override void Zip(Device device, Tensor a, Tensor b, Tensor y) => device.Zip(op, a, b, y);

    public override void ZipDerivative(Device device, bool second, Tensor a, Tensor b, Tensor y, Tensor dy, Tensor z)
        => device.ZipDerivative(op, second, a, b, y, dy, z);
}
