using System.Text.Json.Nodes;
using Marl.Native.Nn;

namespace Marl.Native.Bench.Compare;

/// <summary>A GRU over the sequence of (a), forward and backward, with the gradients of its input and all its weights.</summary>
internal static class GruCases
{
    private const int Steps = 60, Rows = 160, Hidden = 64;

    public static IEnumerable<Case> All() =>
    [
        new("GRU sequence, forwards and backwards", $"gru-{Steps}x{Rows}x{Hidden}", Ours)
        {
            // Two products [R, H] x [H, 3H] a step; as many again for the gradients of inputs, and of weights.
            Flop = 3 * 2.0 * Steps * Rows * (2 * 3 * Hidden * Hidden),
            PeerCase = "gru",
            Size = new JsonObject { ["steps"] = Steps, ["rows"] = Rows, ["inputs"] = Hidden, ["hidden"] = Hidden },
            Variants = ["fused", "cell"],
        },
    ];

    private static Work Ours(int threads)
    {
        var layout = new ParameterLayout();
        var gru = new Gru(layout, Hidden, Hidden);
        var parameters = new Parameters(layout).Initialize(new Rng(5));
        return Work.OfParts([.. Enumerable.Range(0, threads).Select(_ => Part(gru, parameters, Rows / threads))]);
    }

    private static Action Part(Gru gru, Parameters parameters, int rows)
    {
        var (x, h0) = (Data.Noise(Steps, rows, Hidden), Tensor.Zeros(rows, Hidden));
        var (dy, gradient, tape) = (Tensor.Zeros(Steps, rows, Hidden), Tensor.Zeros(parameters.Values.Count), new Tape());
        dy.Span.Fill(1e-3f);
        return () =>
        {
            gradient.Span.Clear();
            using (tape.Step())
            {
                tape.Backward(gru.Forward(tape.Bind(parameters, gradient), tape.Variable(x), tape.Constant(h0)), dy);
            }
        };
    }
}
