using Marl.Native.Rl;

namespace Marl.Native.Tests;

/// <summary>In steady state an update with deep, normalized, recurrent networks makes no garbage either.</summary>
[Collection(nameof(Alone))]
public sealed class NetworkAllocationTests
{
    [Theory]
    [InlineData("qmix")]
    [InlineData("mappo")]
    public void SteadyStateUpdatesAllocateNothing(string algorithm)
    {
        const string foraging = "lbf:5x5-2p-1f";
        var layers = new GruNetwork { Layers = 2, LayerNorm = true };
        var configuration = Games.Configure(algorithm, foraging, 400, settings: [.. Games.TinyFor(algorithm), "environments=8"]);
        using var trainer = new Trainer(configuration with
        {
            Options = configuration.Options is OnPolicyOptions options ? options with { Agent = layers, CriticNetwork = layers }
                : configuration.Options with { Agent = layers },
        });
        var batch = Enumerable.Range(0, 8).Select(i => Games.Play(() => Catalog.CreateEnvironment(foraging), i)).ToArray();
        long before = 0;
        for (int update = 0; update < 100; update++)
        {
            before = update == 40 ? GC.GetAllocatedBytesForCurrentThread() : before;
            if (trainer.Learner is ReplayLearner replay)
            {
                replay.Update(batch);
            }
            else
            {
                trainer.Learner.Learn(batch, steps: 0);
            }
        }
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }
}
