using ILGPU.Runtime.OpenCL;

namespace Marl.Native.Gpu;

/// <summary>Launches of the elementwise kernels.</summary>
public sealed partial class GpuDevice
{
    /// <inheritdoc/>
    public override void Map<TOp>(TOp op, Tensor x, Tensor y)
        => ForEachElement(new MapKernel<TOp> { Op = op, Count = y.Count, X = View(x, y.Count), Y = View(y) }, y.Count);

    /// <inheritdoc/>
    public override void MapDerivative<TOp>(TOp op, Tensor x, Tensor y, Tensor dy, Tensor z, bool accumulate)
    {
        int n = z.Count;
        ForEachElement(new MapDerivativeKernel<TOp>
        {
            Op = op,
            Count = n,
            Accumulate = Flag(accumulate),
            X = View(x, n),
            Y = View(y, n),
            DY = View(dy, n),
            Z = View(z),
        }, n);
    }

    /// <inheritdoc/>
    public override void Zip<TOp>(TOp op, Tensor a, Tensor b, Tensor y)
    {
        if (a.Shape == y.Shape && b.Shape == y.Shape)
        {
            ForEachElement(new SameShapeZipKernel<TOp> { Op = op, Count = y.Count, A = View(a), B = View(b), Y = View(y) }, y.Count);
            return;
        }
        var nest = new LoopNest(y.Shape);
        nest.SetBroadcast(0, a.Shape);
        nest.SetBroadcast(1, b.Shape);
        if (nest.Collapse(2))
        {
            ForEachElement(new ZipKernel<TOp>
            {
                Op = op,
                Lengths = Int4.Lengths(nest),
                AStrides = Int4.Strides(nest, 0),
                BStrides = Int4.Strides(nest, 1),
                A = View(a),
                B = View(b),
                Y = View(y),
            }, y.Count);
        }
    }

    /// <inheritdoc/>
    public override void ZipDerivative<TOp>(TOp op, bool second, Tensor a, Tensor b, Tensor y, Tensor dy, Tensor z)
    {
        var nest = new LoopNest(z.Shape);
        nest.SetBroadcast(0, a.Shape);
        nest.SetBroadcast(1, b.Shape);
        nest.SetBroadcast(2, dy.Shape);
        if (nest.Collapse(3))
        {
            ForEachElement(new ZipDerivativeKernel<TOp>
            {
                Op = op,
                Second = Flag(second),
                Lengths = Int4.Lengths(nest),
                AStrides = Int4.Strides(nest, 0),
                BStrides = Int4.Strides(nest, 1),
                DYStrides = Int4.Strides(nest, 2),
                A = View(a),
                B = View(b),
                Y = View(y, z.Count),
                DY = View(dy),
                Z = View(z),
            }, z.Count);
        }
    }

    /// <inheritdoc/>
    public override void Update<TRule>(TRule rule, Tensor p, Tensor g, Tensor m, Tensor v, Tensor scale)
    {
        int n = p.Count;
        var parameters = View(p);
        var kernel = new UpdateKernel<TRule>
        {
            Rule = rule,
            Count = n,
            HasM = Flag(!m.IsNone),
            HasV = Flag(!v.IsNone),
            P = parameters,
            G = View(g, n),
            M = ViewOr(m, n, parameters),
            V = ViewOr(v, n, parameters),
            HasScale = Flag(!scale.IsNone),
            Scale = ViewOr(scale, 1, parameters),
        };
        if (TRule.VariesByStep)
        {
            // A graph is replayed with the same arguments: this launch follows it.
            Flush();
            Issue(kernel, GroupsFor(n), threads);
        }
        else
        {
            ForEachElement(kernel, n);
        }
    }

    /// <inheritdoc/>
    public override void ClipScale(Tensor squares, Tensor loss, float max, Tensor scale, Tensor log)
    {
        if (accelerator is CLAccelerator { Capabilities.Float64: false })
        {
            ClipScale<SingleSum>(squares, loss, max, scale, log);
        }
        else
        {
            ClipScale<DoubleSum>(squares, loss, max, scale, log);
        }
    }

    private void ClipScale<TSum>(Tensor squares, Tensor loss, float max, Tensor scale, Tensor log) where TSum : struct, ISum
    {
        var result = View(scale, 1);
        Launch(new ClipScaleKernel<TSum>
        {
            Count = squares.Count,
            Max = max,
            HasLoss = Flag(!loss.IsNone),
            Squares = View(squares),
            Loss = ViewOr(loss, 1, result),
            Scale = result,
            LogRows = log.IsNone ? 0 : (log.Count - 1) / (squares.Count + 1),
            Log = log.IsNone ? result : View(log),
        }, groups: 1, threads: 1);
    }
}
