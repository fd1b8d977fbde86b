using ILGPU;

namespace Marl.Native.Gpu;

/// <summary>y = x - log sum e^x over the unmasked entries of a row, 0 at the masked ones.</summary>
internal struct LogSoftmaxKernel : IKernel
{
    public int Lanes, Rows, Columns, All;
    public ArrayView<float> X, Mask, Y;

    public void Arrays(LaunchArrays arrays)
    {
        arrays.Read(ref X);
        arrays.Read(ref Mask);
        arrays.Write(ref Y);
    }

    public readonly void Run(LaunchGroup group)
    {
        var row = new SharedRow(group, Lanes, Rows, Columns);
        var x = new MaskedRows(X, Mask, All);
        var lowest = new F1(float.NegativeInfinity);
        var most = lowest;
        for (int i = row.Lane; i < row.Columns; i += Lanes)
        {
            most = default(Max).Fold(most, x.Load(row.Start + i, float.NegativeInfinity));
        }
        var shift = new F1(row.ReduceLanes(default(Max), most.Value));
        // If a row is fully masked, 0 replaces the maximum, so that no infinities are subtracted.
        shift = F1.IfEqual(shift, lowest, F1.Of(0f), shift);
        var sum = F1.Of(0f);
        for (int i = row.Lane; i < row.Columns; i += Lanes)
        {
            sum += F1.Exp(x.Load(row.Start + i, float.NegativeInfinity) - shift);
        }
        var log = F1.Log(new F1(row.ReduceLanes(default(Sum), sum.Value)));
        for (int i = row.Lane; i < row.Columns; i += Lanes)
        {
            int at = row.Start + i;
            Y[at] = x.Includes(at) ? (new F1(X[at]) - shift - log).Value : 0f;
        }
    }
}

/// <summary>dx += dy - e^y sum dy over the unmasked entries.</summary>
internal struct LogSoftmaxBackwardKernel : IKernel
{
    public int Lanes, Rows, Columns, All;
    public ArrayView<float> Y, Mask, DY, DX;

    public void Arrays(LaunchArrays arrays)
    {
        arrays.Read(ref Y);
        arrays.Read(ref Mask);
        arrays.Read(ref DY);
        arrays.Write(ref DX);
    }

    public readonly void Run(LaunchGroup group)
    {
        var row = new SharedRow(group, Lanes, Rows, Columns);
        var y = new MaskedRows(Y, Mask, All);
        var dy = new MaskedRows(DY, Mask, All);
        var lane = F1.Of(0f);
        for (int i = row.Lane; i < row.Columns; i += Lanes)
        {
            lane += dy.Load(row.Start + i, 0f);
        }
        var sum = new F1(-row.ReduceLanes(default(Sum), lane.Value));
        for (int i = row.Lane; i < row.Columns; i += Lanes)
        {
            int at = row.Start + i;
            var p = F1.Exp(y.Load(at, float.NegativeInfinity));
            DX[at] = (new F1(DX[at]) + F1.Fma(p, sum, dy.Load(at, 0f))).Value;
        }
    }
}

/// <summary>z += dx - sum e^y dx over the unmasked entries.</summary>
internal struct LogSoftmaxTangentKernel : IKernel
{
    public int Lanes, Rows, Columns, All;
    public ArrayView<float> Y, Mask, DX, Z;

    public void Arrays(LaunchArrays arrays)
    {
        arrays.Read(ref Y);
        arrays.Read(ref Mask);
        arrays.Read(ref DX);
        arrays.Write(ref Z);
    }

    public readonly void Run(LaunchGroup group)
    {
        var row = new SharedRow(group, Lanes, Rows, Columns);
        var y = new MaskedRows(Y, Mask, All);
        var dx = new MaskedRows(DX, Mask, All);
        var lane = F1.Of(0f);
        for (int i = row.Lane; i < row.Columns; i += Lanes)
        {
            int at = row.Start + i;
            lane = F1.Fma(F1.Exp(y.Load(at, float.NegativeInfinity)), dx.Load(at, 0f), lane);
        }
        var mean = new F1(row.ReduceLanes(default(Sum), lane.Value));
        for (int i = row.Lane; i < row.Columns; i += Lanes)
        {
            int at = row.Start + i;
            Z[at] += dx.Includes(at) ? (new F1(DX[at]) - mean).Value : 0f;
        }
    }
}
