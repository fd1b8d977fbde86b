using Marl.Native.Rl;

namespace Marl.Native.Tests;

/// <summary>What traces cannot show: how episodes start, what always holds, and what can be chosen beyond what was recorded.</summary>
public sealed class RoboticWarehouseTests
{
    private const int Nothing = 0, Forward = 1, TurnRight = 3, Toggle = 4;
    private const int Up = 0, Down = 1;

    [Theory]
    [InlineData("rware:tiny-2ag", "rware:tiny-2ag")]
    [InlineData("rware:tiny-hard-5ag", "rware:tiny-5ag-hard")]
    [InlineData("rware:2x5-4ag-easy", "rware:medium-4ag-easy")]
    [InlineData("rware:1x5-2ag?queue=4&height=5", "rware:1x5-2ag-easy?height=5")]
    [InlineData("rware:tiny-1ag?queue=0", "rware:tiny-1ag-hard")]
    [InlineData("rware:large-9ag?steps=20&idle=10&reward=global&sensor=3&queue=7&height=4",
        "rware:large-9ag?height=4&queue=7&sensor=3&reward=global&idle=10&steps=20")]
    [InlineData("rware:x.x/.g.-2ag-hard?reward=individual", "rware:x.x/.g.-2ag-hard")]
    public void TheIdOfTheSpecificationBuildsTheSameAgain(string id, string canonical)
    {
        RwareConfig config = RwareConfig.Parse(new EnvironmentId(id));
        Assert.Equal(canonical, config.Id);
        Assert.Equal(config, RwareConfig.Parse(new EnvironmentId(canonical)));
        Assert.Equal(canonical, Catalog.CreateEnvironment(id).Spec.Id);
    }

    [Theory]
    [InlineData("tiny", 11, 10, 32)]
    [InlineData("small", 20, 10, 80)]
    [InlineData("medium", 20, 16, 144)]
    [InlineData("large", 29, 16, 224)]
    public void EveryRegisteredIdCanBeBuilt(string size, int rows, int cols, int shelves)
    {
        foreach (string difficulty in (string[])["", "-easy", "-hard"])
        {
            for (int agents = 1; agents <= 19; agents++)
            {
                if (size == "tiny" && difficulty == "-easy" && agents >= 16)
                {
                    continue; // more requests than shelves
                }

                RwareConfig config = RwareConfig.Parse(new EnvironmentId($"rware:{size}-{agents}ag{difficulty}"));
                var plan = config.Plan();
                Assert.Equal((rows, cols, shelves), (plan.Rows, plan.Cols, plan.Homes.Length));
                var rng = new Rng(1);
                new RoboticWarehouse(config).Reset(ref rng);
            }
        }
    }

    [Fact]
    public void AFloorHasHighwaysAroundItsBlocksAndRoomBeforeItsGoals()
        => Assert.Equal(
            "........../.xx.xx.xx./.xx.xx.xx./........../.xx....xx./.xx....xx./........../....gg....", WarehousePlan.CreateLayout(2, 3, 2));

    [Theory]
    [InlineData("rware:tiny-2ag")]
    [InlineData("rware:tiny-15ag-easy?steps=150")]
    [InlineData("rware:tiny-2ag?sensor=3")]
    [InlineData("rware:small-19ag?reward=global&height=3")]
    [InlineData("rware:xx../x..x/.gg.-6ag-hard?sensor=2&reward=two-stage&steps=100")]
    [InlineData("rware:x.g.x-2ag?queue=1&steps=50")]
    public void NothingIsLostAndEverythingIsSeen(string id)
    {
        var environment = Catalog.CreateEnvironment(id);
        RwareConfig config = RwareConfig.Parse(new EnvironmentId(id));
        Rng rng = new(3), policy = new(4);
        double[] rewards = new double[config.Agents];
        int[] actions = new int[config.Agents];
        for (int episode = 0; episode < 8; episode++)
        {
            environment.Reset(ref rng);
            WarehouseState state = WarehouseState.Of(environment, config);
            state.Check(environment);
            StepResult result;
            do
            {
                foreach (ref int action in actions.AsSpan())
                {
                    action = policy.NextInt(3) == 0 ? policy.NextInt(5) : Forward;
                }

                result = environment.Step(actions, rewards, ref rng);
                WarehouseState next = WarehouseState.Of(environment, config);
                next.Check(environment);
                next.CheckAfter(state, actions);
                if (config.Reward != WarehouseReward.TwoStage)
                {
                    // What one goal requests may wait on the next one, so a slot can change twice.
                    int changed = next.Queue.Zip(state.Queue).Count(slot => slot.First != slot.Second);
                    double deliveries = rewards.Sum() / (config.Reward == WarehouseReward.Global ? config.Agents : 1);
                    Assert.InRange(deliveries, changed, next.ShelvesOnGoals);
                }
                state = next;
            }
            while (result == StepResult.Running);
            Assert.Equal(config.EpisodeLimit, state.Step);
        }
    }

    [Fact]
    public void StartsAreUniform()
    {
        RwareConfig config = RwareConfig.Parse(new EnvironmentId("rware:tiny-2ag"));
        var environment = new RoboticWarehouse(config);
        var rng = new Rng(1);
        int[][] cells = [new int[110], new int[110]], requests = [new int[32], new int[32]], directions = [new int[4], new int[4]];
        for (int i = 0; i < 64_000; i++)
        {
            environment.Reset(ref rng);
            WarehouseState state = WarehouseState.Of(environment, config);
            for (int j = 0; j < 2; j++)
            {
                cells[j][10 * state.Agents[j].Y + state.Agents[j].X]++;
                directions[j][state.Agents[j].Direction]++;
                requests[j][state.Queue[j] - 1]++;
            }
        }
        foreach (int j in (int[])[0, 1])
        {
            Assert.True(Statistics.ChiSquare(cells[j]) < 172, "beyond the 99.99 % quantile for 109 degrees of freedom");
            Assert.True(Statistics.ChiSquare(directions[j]) < 21.2, "beyond the 99.99 % quantile for 3 degrees of freedom");
            Assert.True(Statistics.ChiSquare(requests[j]) < 68, "beyond the 99.99 % quantile for 31 degrees of freedom");
        }
    }

    [Fact]
    public void TheNextRequestIsUniformOverTheOthers()
    {
        // Agent 0 stands above the goal with shelf 1, which is requested beside shelf 3.
        RwareConfig config = RwareConfig.Parse(new EnvironmentId("rware:xxxxxx/.g....-1ag?queue=2"));
        var environment = new RoboticWarehouse(config);
        double[] before = [0, 1, 0, Down, 1, 1, 0, 0, 0, 2, 0, 3, 0, 4, 0, 5, 0, 3, 1, 0, 0], rewards = [0];
        int[] counts = new int[7];
        var rng = new Rng(5);
        for (int i = 0; i < 40_000; i++)
        {
            environment.Restore(before);
            environment.Step([Forward], rewards, ref rng);
            WarehouseState state = WarehouseState.Of(environment, config);
            Assert.Equal((1.0, 3), (rewards[0], state.Queue[0]));
            counts[state.Queue[1]]++;
        }
        Assert.Equal((0, 0), (counts[1], counts[3]));
        double distance = Statistics.ChiSquare([counts[2], counts[4], counts[5], counts[6]]);
        Assert.True(distance < 21.2, "beyond the 99.99 % quantile for 3 degrees of freedom");
    }

    [Theory]
    [InlineData("individual", "0 1; 0 0; 0 0; 0 0; 0 0; 0 0; 0 0")]
    [InlineData("global", "1 1; 0 0; 0 0; 0 0; 0 0; 0 0; 0 0")]
    [InlineData("two-stage", "0 0.5; 0 0; 0 0; 0 0; 0 0; 0 0.5; 0 0")]
    public void ADeliveryPays(string reward, string expected)
    {
        // Agent 1 brings shelf 1 to the goal below, tries in vain to leave it there, turns round, drives back, puts it down, lifts it again.
        RwareConfig config = RwareConfig.Parse(new EnvironmentId($"rware:.xx/.g.-2ag?queue=1&reward={reward}"));
        var environment = new RoboticWarehouse(config);
        environment.Restore([0, 0, 0, Up, 0, 1, 0, Down, 1, 1, 0, 2, 0, 1, 0, 0, 0]);
        var rng = new Rng(1);
        double[] rewards = new double[2];
        List<string> paid = [];
        foreach (int action in (int[])[Forward, Toggle, TurnRight, TurnRight, Forward, Toggle, Toggle])
        {
            environment.Step([Nothing, action], rewards, ref rng);
            paid.Add(string.Join(' ', rewards));
        }
        Assert.Equal(expected, string.Join("; ", paid));
    }

    [Fact]
    public void WithoutDeliveriesAnEpisodeIsTruncated()
    {
        RwareConfig config = RwareConfig.Parse(new EnvironmentId("rware:.xx/.g.-1ag?idle=3&steps=5"));
        var environment = new RoboticWarehouse(config);
        var rng = new Rng(1);
        double[] rewards = new double[1];
        environment.Restore([0, 1, 0, Up, 1, 1, 0, 2, 0, 1, 0, 0]);
        Assert.Equal(["Running", "Running", "Truncated"], Play(Nothing, Nothing, Nothing));
        // A delivery in the second step starts the count anew.
        environment.Restore([0, 1, 0, Down, 1, 1, 0, 2, 0, 1, 0, 0]);
        Assert.Equal(["Running", "Running", "Running", "Running", "Truncated"], Play(Nothing, Forward, Nothing, Nothing, Nothing));

        string[] Play(params int[] actions) => [.. actions.Select(action => environment.Step([action], rewards, ref rng).ToString())];
    }
}
