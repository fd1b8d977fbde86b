using System.Text.Json.Nodes;
using Marl.Native.Nn;
using Marl.Native.Rl;

namespace Marl.Native.Bench.Compare;

/// <summary>One step of Adam and of RMSprop over the parameters of (a) and of (c), gradients given.</summary>
internal static class OptimizerCases
{
    public static IEnumerable<Case> All()
    {
        foreach (string name in new[] { "a", "c" })
        {
            var size = QmixSize.Published.First(published => published.Name == name).Size;
            // Bytes per parameter: p and every memory are read and written, g is read.
            yield return Of("adam", name, size, new Adam { LearningRate = 5e-4 }, bytes: 7 * sizeof(float));
            yield return Of("rmsprop", name, size, new RmsProp { LearningRate = 5e-4, Epsilon = 1e-5 }, bytes: 5 * sizeof(float));
        }
    }

    private static Case Of(string rule, string name, QmixSize size, UpdateRule update, int bytes)
    {
        using var workers = new Workers(1);
        var layout = (size with { Batch = 1, Steps = 1 }).Learner(workers).Parameters.Layout;
        return new("Optimizer step", $"{rule}-{name} ({layout.Count / 1000}k)", _ => Ours(layout, update))
        {
            Long = name == "c",
            Bytes = (double)bytes * layout.Count,
            Threads = [1],
            PeerCase = "optimizer",
            Size = new JsonObject { ["rule"] = rule, ["shapes"] = Shapes(layout) },
            Variants = ["each", "foreach", "flat"],
            Seconds = 0.1,
        };
    }

    private static Work Ours(ParameterLayout layout, UpdateRule update)
    {
        var parameters = new Parameters(layout).Initialize(new Rng(6));
        Data.Uniform(0.1f, layout.Count).CopyTo(parameters.Gradient);
        var optimizer = new Optimizer(parameters, update);
        return new(() => optimizer.Step());
    }

    private static JsonArray Shapes(ParameterLayout layout)
    {
        JsonArray shapes = [];
        foreach (var slice in layout.Slices)
        {
            JsonArray lengths = [];
            for (int axis = 0; axis < slice.Shape.Rank; axis++)
            {
                lengths.Add(slice.Shape[axis]);
            }
            shapes.Add(lengths);
        }
        return shapes;
    }
}
