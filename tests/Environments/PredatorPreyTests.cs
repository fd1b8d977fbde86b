using Marl.Native.Rl;

namespace Marl.Native.Tests;

/// <summary>The rules in positions that are known. Actions: 0 right, 1 down, 2 left, 3 up, 4 stay, 5 catch.</summary>
public sealed class PredatorPreyTests
{
    private const int Stay = 4, Catch = 5;

    // Cells of 3 x 4:   0  1  2  3
    //                   4  5  6  7
    //                   8  9 10 11
    private const string Id = "predator-prey:3x4?predators=3&prey=1&sight=1&steps=9";

    [Theory]
    [InlineData(4, 6, 11, new[] { Catch, Catch, Stay }, 10, new[] { -1, -1, 11 })]
    [InlineData(4, 6, 1, new[] { Catch, Catch, Catch }, 10, new[] { -1, -1, -1 })]
    [InlineData(4, 6, 11, new[] { Catch, Stay, Stay }, -2, new[] { 4, 6, 11 })]
    [InlineData(4, 6, 11, new[] { Stay, Stay, Stay }, 0, new[] { 4, 6, 11 })]
    [InlineData(0, 6, 11, new[] { Catch, Catch, Stay }, -2, new[] { 0, 6, 11 })]
    public void TwoCatchTogetherAndOneIsPunished(int first, int second, int third, int[] actions, double reward, int[] cells)
    {
        var (world, rng) = (Catalog.CreateEnvironment(Id), new Rng(1));
        world.Restore([3, first, second, third, /* prey */ 5]);
        double[] rewards = new double[3], after = new double[5];
        var result = world.Step(actions, rewards, ref rng);
        Assert.Equal([reward, reward, reward], rewards);
        world.Save(after);
        Assert.Equal([4, .. cells.Select(cell => (double)cell)], after[..4]);
        Assert.Equal(reward > 0, after[4] == -1);
        Assert.Equal(reward > 0 ? StepResult.Terminated : StepResult.Running, result);
    }

    [Fact]
    public void PreyMovesToAFreeCellAndStaysWhereThereIsNone()
    {
        var (world, rng) = (Catalog.CreateEnvironment(Id), new Rng(1));
        var seen = new HashSet<double>();
        double[] after = new double[5];
        for (int i = 0; i < 100; i++)
        {
            world.Restore([0, 4, 6, 11, 5]);
            world.Step([Stay, Stay, Stay], new double[3], ref rng);
            world.Save(after);
            seen.Add(after[4]);
        }
        Assert.Equal([1, 9], seen.Order());
        // In a corner, with predators on both sides.
        world.Restore([0, 1, 4, 11, 0]);
        world.Step([Stay, Stay, Stay], new double[3], ref rng);
        world.Save(after);
        Assert.Equal(0, after[4]);
    }

    [Fact]
    public void PredatorsMoveWhereNobodyIs()
    {
        var (world, rng) = (Catalog.CreateEnvironment(Id), new Rng(1));
        double[] after = new double[5];
        world.Restore([0, 0, 1, 11, 8]);
        // Into the prey, to the left into another or after it, and up.
        world.Step([1, Stay, 3], new double[3], ref rng);
        world.Step([3, 3, 2], new double[3], ref rng);
        world.Save(after);
        Assert.Equal([2, 0, 1, 6], after[..4]);
    }

    [Fact]
    public void APredatorSeesWhatIsNearAndCatchesBesidePrey()
    {
        var world = Catalog.CreateEnvironment(Id);
        world.Restore([0, 0, 6, -1, 5]);
        float[] seen = new float[18];
        world.Observe(0, seen);
        // Itself in the middle, prey to the lower right; the other predator is too far away.
        Assert.Equal([8, 17], Ones(seen));
        world.Observe(1, seen);
        Assert.Equal([7, 8], Ones(seen));
        world.Observe(2, seen);
        Assert.Empty(Ones(seen));
        float[] state = new float[24];
        world.ReadState(state);
        Assert.Equal([0, 11, 12], Ones(state));
        Assert.Equal([0, 1, Stay], Available(0));
        Assert.Equal([0, 1, 2, 3, Stay, Catch], Available(1));
        Assert.Equal([Stay], Available(2));

        int[] Available(int agent)
        {
            bool[] available = new bool[6];
            world.ReadAvailable(agent, available);
            return [.. Enumerable.Range(0, 6).Where(action => available[action])];
        }

        static int[] Ones(float[] x) => [.. Enumerable.Range(0, x.Length).Where(i => x[i] == 1f)];
    }

    [Theory]
    [InlineData("predator-prey", "'' is not a size")]
    [InlineData("predator-prey:10", "'10' is not a size")]
    [InlineData("predator-prey:1x10", "the grid must be 2 to 128 cells")]
    [InlineData("predator-prey:3x3", "there must be at least as many cells")]
    [InlineData("predator-prey:10x10?needed=5", "at most 4 predators can be adjacent to a prey")]
    [InlineData("predator-prey:10x10?predators=1", "at most 1 predators can be adjacent to a prey")]
    [InlineData("predator-prey:10x10?sight=17", "sight must be at most 16")]
    [InlineData("predator-prey:10x10?punishment=-2", "punishment=-2 is not a number of at least 0")]
    [InlineData("predator-prey:10x10?preys=2", "did you mean 'prey'?")]
    public void ABadIdIsRefused(string id, string problem)
        => Assert.Contains(problem, Assert.Throws<UsageException>(() => Catalog.CreateEnvironment(id)).Message, StringComparison.Ordinal);
}
