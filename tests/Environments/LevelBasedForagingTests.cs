using Marl.Native.Rl;

namespace Marl.Native.Tests;

/// <summary>What traces cannot show: how episodes start, and what a configuration refuses.</summary>
public sealed class LevelBasedForagingTests
{
    [Theory]
    [InlineData("lbf:8x8-2p-2f")]
    [InlineData("lbf:8x8-3p-2f-coop")]
    [InlineData("lbf:15x15-4p-5f")]
    [InlineData("lbf:5x5-9p-9f")]
    [InlineData("lbf:12x6-4p-3f")]
    [InlineData("lbf-v1:8x8-4p-2f")]
    [InlineData("lbf-v1:8x8-2p-2f-coop")]
    [InlineData("lbf:9x9-3p-3f?min-player-level=2&max-player-level=4&min-food-level=3&max-food-level=5")]
    public void AStartFollowsTheSpawningRules(string id)
    {
        LbfConfig config = LbfConfig.Parse(new EnvironmentId(id));
        var environment = new LevelBasedForaging(config);
        var rng = new Rng(1);
        for (int episode = 0; episode < 300; episode++)
        {
            environment.Reset(ref rng);
            var (players, foods, spawned) = Read(environment, config);
            Assert.Equal(players.Length, players.Select(player => (player.Row, player.Col)).Distinct().Count());
            foreach (var (row, col, level) in players)
            {
                Assert.InRange(row, 0, config.Rows - 1);
                Assert.InRange(col, 0, config.Cols - 1);
                Assert.InRange(level, config.MinPlayerLevel, config.MaxPlayerLevel);
                Assert.DoesNotContain(foods, food => food.Row == row && food.Col == col);
            }
            int max = config.MaxFoodLevel ?? players.Select(player => player.Level).Order().Take(3).Sum();
            int last = config.ExclusiveFoodLevel && !config.Coop ? Math.Max(config.MinFoodLevel, max - 1) : max;
            foreach (var (row, col, level) in foods)
            {
                Assert.InRange(row, 1, config.Rows - 2);
                Assert.InRange(col, 1, config.Cols - 2);
                Assert.InRange(level, config.Coop ? max : config.MinFoodLevel, last);
                Assert.Single(foods, other => Math.Abs(other.Row - row) <= 1 && Math.Abs(other.Col - col) <= 1);
                Assert.Single(foods, other => Math.Abs(other.Row - row) + Math.Abs(other.Col - col) <= 2
                    && (other.Row == row || other.Col == col));
            }
            Assert.Equal(foods.OrderBy(food => (food.Row, food.Col)), foods);
            Assert.Equal(foods.Sum(food => food.Level), spawned);
        }
    }

    [Fact]
    public void StartsAreUniform()
    {
        LbfConfig config = new() { Foods = 1 };
        var environment = new LevelBasedForaging(config);
        const int count = 64_000;
        int[] playerCells = new int[64], foodCells = new int[36], playerLevels = new int[2];
        int[,] foodLevels = new int[2, 5]; // by the sum of the player levels: 2 (1..2) and 4 (1..4)
        for (int i = 0; i < count; i++)
        {
            // A new instance's first episode: no former players to avoid.
            var rng = new Rng(9).Split(RngPurpose.Test, i);
            environment.Restore(FirstEpisode(environment.Spec));
            environment.Reset(ref rng);
            var (players, foods, _) = Read(environment, config);
            playerCells[8 * players[0].Row + players[0].Col]++;
            playerLevels[players[0].Level - 1]++;
            foodCells[6 * (foods[0].Row - 1) + foods[0].Col - 1]++;
            int sum = players[0].Level + players[1].Level;
            if (sum != 3)
            {
                foodLevels[sum == 2 ? 0 : 1, foods[0].Level]++;
            }
        }
        Assert.True(Statistics.ChiSquare(playerCells) < 114, "beyond the 99.99 % quantile for 63 degrees of freedom");
        Assert.True(Statistics.ChiSquare(foodCells) < 77, "beyond the 99.99 % quantile for 35 degrees of freedom");
        Assert.True(Statistics.ChiSquare(playerLevels) < 15.2, "beyond the 99.99 % quantile for 1 degree of freedom");
        Assert.True(Statistics.ChiSquare([foodLevels[0, 1], foodLevels[0, 2]]) < 15.2);
        Assert.True(Statistics.ChiSquare([foodLevels[1, 1], foodLevels[1, 2], foodLevels[1, 3], foodLevels[1, 4]]) < 21.2);
    }

    /// <summary>From the second episode on, a player is not put where one that is not yet replaced stood at the end of the last one:
    /// player 0 avoids its own and player 1's old cell, player 1 only its own.</summary>
    [Fact]
    public void AStartAvoidsTheCellsOfTheEpisodeBefore()
    {
        LbfConfig config = new() { Rows = 5, Cols = 5, Foods = 1 };
        var environment = new LevelBasedForaging(config);
        double[] snapshot = FirstEpisode(environment.Spec);
        (int Row, int Col) old0 = (0, 0), old1 = (4, 3);
        (snapshot[2], snapshot[3], snapshot[4]) = (old0.Row, old0.Col, 1);
        (snapshot[5], snapshot[6], snapshot[7]) = (old1.Row, old1.Col, 1);
        bool player1TookOld0 = false;
        for (int i = 0; i < 2000; i++)
        {
            var rng = new Rng(2).Split(RngPurpose.Test, i);
            environment.Restore(snapshot);
            environment.Reset(ref rng);
            var (players, _, _) = Read(environment, config);
            (int, int) new0 = (players[0].Row, players[0].Col), new1 = (players[1].Row, players[1].Col);
            Assert.NotEqual(old0, new0);
            Assert.NotEqual(old1, new0);
            Assert.NotEqual(old1, new1);
            player1TookOld0 |= new1 == old0;
        }
        Assert.True(player1TookOld0);
    }

    [Fact]
    public void AnEpisodeWithoutPenaltyPaysAtMostOne()
    {
        var environment = Catalog.CreateEnvironment("lbf:5x5-3p-2f");
        Rng rng = new(1), policy = new(2);
        double[] rewards = new double[3];
        int[] actions = new int[3];
        int eaten = 0;
        for (int episode = 0; episode < 2000; episode++)
        {
            environment.Reset(ref rng);
            double total = 0;
            var result = StepResult.Running;
            while (result == StepResult.Running)
            {
                foreach (ref int action in actions.AsSpan())
                {
                    action = policy.NextInt(6);
                }

                result = environment.Step(actions, rewards, ref rng);
                total += rewards.Sum();
            }
            Assert.InRange(total, 0, 1 + 1e-12);
            if (result == StepResult.Terminated)
            {
                Assert.Equal(1, total, 1e-12);
                eaten++;
            }
        }
        Assert.True(eaten > 100, $"only {eaten} episodes ended with all food eaten");
    }

    [Theory]
    [InlineData("lbf:8x8-2p-2f", "lbf:8x8-2p-2f")]
    [InlineData("lbf:8x8-2p-2f-coop-2s", "lbf:8x8-2p-2f-2s-coop")]
    [InlineData("lbf:10x12-pen-3f-coop-9s-4p", "lbf:10x12-4p-3f-9s-coop-pen")]
    [InlineData("lbf-v1:8x8-2p-2f", "lbf-v1:8x8-2p-2f")]
    [InlineData("lbf:8x8-2p-2f?steps=25&penalty=0.25", "lbf:8x8-2p-2f?penalty=0.25&steps=25")]
    [InlineData("lbf:8x8-2p-2f?penalty=1e-7&max-food-level=4&min-food-level=2&max-player-level=3&min-player-level=2",
        "lbf:8x8-2p-2f?penalty=1E-07&min-player-level=2&max-player-level=3&min-food-level=2&max-food-level=4")]
    public void TheIdOfTheSpecificationBuildsTheSameAgain(string id, string canonical)
    {
        LbfConfig config = LbfConfig.Parse(new EnvironmentId(id));
        Assert.Equal(canonical, config.Id);
        Assert.Equal(config, LbfConfig.Parse(new EnvironmentId(canonical)));
        Assert.Equal(canonical, Catalog.CreateEnvironment(id).Spec.Id);
    }

    [Fact]
    public void EveryRegisteredSizeCanBeBuilt()
    {
        for (int size = 5; size <= 19; size++)
        {
            for (int players = 2; players <= 9; players++)
            {
                for (int foods = 1; foods <= 9; foods++)
                {
                    var environment = Catalog.CreateEnvironment($"lbf:{size}x{size}-{players}p-{foods}f-coop");
                    var rng = new Rng(1);
                    environment.Reset(ref rng);
                    environment.Reset(ref rng);
                }
            }
        }
    }

    private static double[] FirstEpisode(EnvironmentSpec spec)
    {
        double[] snapshot = new double[spec.SnapshotSize];
        ((IEnvironment)new LevelBasedForaging(LbfConfig.Parse(new EnvironmentId(spec.Id)))).Save(snapshot);
        return snapshot;
    }

    private static ((int Row, int Col, int Level)[] Players, (int Row, int Col, int Level)[] Foods, int Spawned) Read(
        LevelBasedForaging environment, LbfConfig config)
    {
        double[] snapshot = new double[environment.Spec.SnapshotSize];
        environment.Save(snapshot);
        var pieces = snapshot.Skip(2).Select(number => (int)number).Chunk(3).Select(triple => (triple[0], triple[1], triple[2])).ToArray();
        return (pieces[..config.Players], [.. pieces[config.Players..].Where(food => food.Item3 > 0)], (int)snapshot[1]);
    }
}
