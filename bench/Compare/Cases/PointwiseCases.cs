using System.Numerics.Tensors;
using System.Text.Json.Nodes;

namespace Marl.Native.Bench.Compare;

/// <summary>Functions of every number of a tensor: where they come from memory, beside a plain copy, and where they stay in the
/// cache.</summary>
internal static class PointwiseCases
{
    // 256 MiB each, more than any cache; and 256 KiB each, the size of a layer's activations.
    private const int Large = 1 << 26, Small = 1 << 16;

    public static IEnumerable<Case> All()
    {
        foreach (string op in new[] { "copy", "add", "relu", "tanh" })
        {
            yield return Of("Pointwise from memory, 67M numbers", op, Large, "memory");
        }
        foreach (string op in new[] { "copy", "add", "relu", "exp", "sigmoid", "tanh" })
        {
            yield return Of("Pointwise in cache, 64k numbers", op, Small, "cache");
        }
    }

    private static Case Of(string group, string op, int count, string place) => new(group, $"{op}-{place}", _ => Ours(op, count))
    {
        Long = count == Large,
        Bytes = (op == "add" ? 3.0 : 2.0) * sizeof(float) * count,
        Threads = [1],
        PeerCase = "pointwise",
        Size = new JsonObject { ["count"] = count, ["op"] = op },
        Variants = [""],
        TensorPrimitives = () => Library(op, count),
        Seconds = count == Large ? 0.2 : 0.05,
    };

    private static Work Ours(string op, int count)
    {
        var (x, y, device) = (Data.Uniform(4f, count), Tensor.Zeros(count), Device.Cpu);
        switch (op)
        {
            case "copy":
                return new(() => device.Copy(x, y));
            case "add":
                var z = Data.Uniform(4f, count);
                return new(() => device.Zip(default(Add), x, z, y));
            case "relu":
                return new(() => device.Map(default(Relu), x, y));
            case "exp":
                return new(() => device.Map(default(Exp), x, y));
            case "sigmoid":
                return new(() => device.Map(default(Sigmoid), x, y));
            default:
                return new(() => device.Map(default(Tanh), x, y));
        }
    }

    private static Work Library(string op, int count)
    {
        var (x, y) = (Data.Uniform(4f, count), Tensor.Zeros(count));
        switch (op)
        {
            case "copy":
                return new(() => x.Span.CopyTo(y.Span));
            case "add":
                var z = Data.Uniform(4f, count);
                return new(() => TensorPrimitives.Add(x.Span, z.Span, y.Span));
            case "relu":
                return new(() => TensorPrimitives.Max(x.Span, 0f, y.Span));
            case "exp":
                return new(() => TensorPrimitives.Exp(x.Span, y.Span));
            case "sigmoid":
                return new(() => TensorPrimitives.Sigmoid(x.Span, y.Span));
            default:
                return new(() => TensorPrimitives.Tanh(x.Span, y.Span));
        }
    }
}
