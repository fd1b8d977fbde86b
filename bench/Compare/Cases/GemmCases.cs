using System.Text.Json.Nodes;

namespace Marl.Native.Bench.Compare;

/// <summary>Matrix products of the shapes of agent networks: few columns, small depth, tens to thousands of rows.</summary>
internal static class GemmCases
{
    public static IEnumerable<Case> All()
    {
        // Forward pass of a layer, y = x W^T.
        (int M, int N, int K)[] layers =
        [
            (60, 64, 64), (160, 64, 96), (160, 192, 64), (640, 192, 64), (1920, 64, 120), (1920, 160, 64),
            (9600, 64, 96), (9600, 192, 64), (10000, 128, 128), (10000, 192, 128),
        ];
        foreach (var (m, n, k) in layers)
        {
            yield return Of("nt", m, n, k);
        }
        // Backward pass: the gradients of a GRU step's state and inputs, dx = dy W, and of its weights, dW = dy^T x.
        yield return Of("nn", 160, 64, 192);
        yield return Of("nn", 9600, 64, 192);
        yield return Of("tn", 192, 64, 9600);
    }

    private static Case Of(string kind, int m, int n, int k)
        => new("Gemm, c [m, n] of depth k", $"gemm-{kind}-{m}x{n}x{k}", threads => Ours(kind, m, n, k, threads))
        {
            Flop = 2.0 * m * n * k,
            PeerCase = "gemm",
            Size = new JsonObject { ["m"] = m, ["n"] = n, ["k"] = k },
            Variants = [kind],
            Seconds = 0.05,
        };

    /// <summary>Each thread computes a part of the rows of c, as shards of a batch do.</summary>
    private static Work Ours(string kind, int m, int n, int k, int threads)
        => Work.OfParts([.. Enumerable.Range(0, threads).Select(_ => Part(kind, m / threads, n, k))]);

    private static Action Part(string kind, int m, int n, int k)
    {
        var c = Matrix.Of(Tensor.Zeros(m, n));
        var a = kind == "tn" ? Matrix.Of(Data.Noise(k, m)).T : Matrix.Of(Data.Noise(m, k));
        var b = kind == "nt" ? Matrix.Of(Data.Noise(n, k)).T : Matrix.Of(Data.Noise(k, n));
        return () => Device.Cpu.Gemm(a, b, c);
    }
}
