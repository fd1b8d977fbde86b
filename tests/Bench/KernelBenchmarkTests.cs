using System.Reflection;
using BenchmarkDotNet.Attributes;
using Marl.Native.Bench.Kernels;

namespace Marl.Native.Tests;

/// <summary>The versions of a kernel that are timed against each other compute the same.</summary>
public sealed class KernelBenchmarkTests
{
    public static TheoryData<Type> Kernels => new(typeof(KernelBenchmark).Assembly.GetTypes()
        .Where(type => type.IsSubclassOf(typeof(KernelBenchmark)) && !type.IsAbstract));

    [Theory]
    [MemberData(nameof(Kernels))]
    public void VersionsAgree(Type kernel)
    {
        var versions = kernel.GetMethods().Where(method => method.IsDefined(typeof(BenchmarkAttribute))).ToArray();
        Assert.Contains(versions, version => version.Name == "Naive");
        Assert.Contains(versions, version => version.Name == "Engine");
        float[] naive = Run("Naive");
        Assert.Contains(naive, value => value != 0);
        float scale = naive.Max(Math.Abs);
        foreach (var version in versions)
        {
            float[] result = Run(version.Name);
            Assert.Equal(naive.Length, result.Length);
            Assert.All(naive.Zip(result), pair => Assert.Equal(pair.First, pair.Second, 2e-5 * scale));
        }

        // From the same operands each time, at the first of the sizes.
        float[] Run(string version)
        {
            var benchmark = (KernelBenchmark)Activator.CreateInstance(kernel)!;
            foreach (var property in kernel.GetProperties())
            {
                if (property.GetCustomAttribute<ParamsAttribute>() is { } sizes)
                {
                    property.SetValue(benchmark, sizes.Values[0]);
                }
                else if (property.IsDefined(typeof(ParamsSourceAttribute)))
                {
                    property.SetValue(benchmark, Bench.Kernels.Gemm.Shapes.First());
                }
            }
            benchmark.Setup();
            kernel.GetMethod(version)!.Invoke(benchmark, null);
            Assert.True(benchmark.Work.Bytes > 0);
            return benchmark.Result.ToArray();
        }
    }
}
