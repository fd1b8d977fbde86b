using Marl.Native;
using Marl.Native.Gpu;
using Marl.Native.Nn;
using Marl.Native.Rl;

namespace Example;

/// <summary>The code of the packages' READMEs.</summary>
public static class PackageExamples
{
    /// <summary>src/Tensor/README.md</summary>
    public static float[] TensorPackage()
    {
        var rng = new Rng(1);
        var x = Tensor.Zeros(4, 3);
        foreach (ref float value in x.Span)
        {
            value = (float)rng.NextNormal();
        }

        // The Gram matrix x x^T, its logistic function, and the sum of each row.
        var device = Device.Cpu;
        var gram = Tensor.Zeros(4, 4);
        device.Gemm(Matrix.Of(x), Matrix.Of(x).T, Matrix.Of(gram));
        device.Map(default(Sigmoid), gram, gram);
        var sums = Tensor.Zeros(4);
        device.Reduce(default(Sum), gram, axis: 1, sums);
        Console.WriteLine(string.Join(", ", sums.ToArray()));
        return sums.ToArray();
    }

    /// <summary>src/Autodiff/README.md</summary>
    public static float[] AutodiffPackage()
    {
        // Minimizes the Rosenbrock function (1 - x)^2 + 100 (y - x^2)^2 by gradient descent.
        var point = Tensor.Of([-1, 1], 2);
        var tape = new Tape();
        for (int step = 0; step < 20_000; step++)
        {
            using (tape.Step())
            {
                var p = tape.Variable(point);
                var (x, y) = (p.Slice(0, 0, 1), p.Slice(0, 1, 1));
                var loss = ((1f - x).Square() + 100f * (y - x.Square()).Square()).Sum();
                tape.Backward(loss);
                for (int i = 0; i < 2; i++)
                {
                    point.Span[i] -= 0.001f * p.Gradient.Span[i];
                }
            }
        }
        Console.WriteLine($"minimum at {point.Span[0]:0.000}, {point.Span[1]:0.000}");
        return point.ToArray();
    }

    /// <summary>src/Marl/README.md</summary>
    public static double MarlPackage()
    {
        var options = new Ia2cOptions { Agent = new MlpNetwork(), Hidden = 64, LearningRate = 1e-3f };
        var (policy, summary) = Trainer.Train(options, () => Catalog.CreateEnvironment("lbf:8x8-2p-2f-coop"), new() { Steps = 600_000 },
            progress => Console.WriteLine($"step {progress.Steps,6}  return {progress.Evaluation.Mean:0.00}"));
        policy.Save("foraging.safetensors");

        var agents = Policy.Load("foraging.safetensors");
        var (environment, rng) = (Catalog.CreateEnvironment("lbf:8x8-2p-2f-coop"), new Rng(7));
        var episode = agents.Play(environment, ref rng);
        Console.WriteLine($"return {episode.Return:0.00} in {episode.Length} steps");
        return summary.ReturnMean;
    }

    /// <summary>src/Gpu/README.md</summary>
    public static void GpuPackage()
    {
        foreach (var listing in GpuDevices.List())
        {
            Console.WriteLine($"{listing.Id}: {listing.Description ?? listing.Problem}");
        }

        using var device = GpuDevices.Open("cuda:0");
        var configuration = RunConfiguration.Of(new QmixOptions(), "lbf:8x8-2p-2f-coop", new() { Steps = 1_000_000 });
        using var trainer = new Trainer(configuration, device: device);
        trainer.Run(progress => Console.WriteLine($"step {progress.Steps,7}  return {progress.Evaluation.Mean:0.00}"));
        trainer.Policy.Save("policy.safetensors");
    }
}
