using Marl.Native.Rl;

namespace Marl.Native.Tests;

/// <summary>A warehouse as its snapshot tells it, and what must hold there.</summary>
internal sealed record WarehouseState(
    RwareConfig Config, int Step, (int X, int Y, int Direction, int Carried)[] Agents, (int X, int Y)[] Shelves, int[] Queue)
{
    private static readonly (int X, int Y)[] ahead = [(0, -1), (0, 1), (-1, 0), (1, 0)];

    private string[] Floor { get; } =
        (Config.CustomLayout ?? WarehousePlan.CreateLayout(Config.ShelfRows, Config.ShelfColumns, Config.ColumnHeight)).Split('/');

    public int ShelvesOnGoals => Shelves.Count(shelf => Mark(shelf.X, shelf.Y) == 'g');

    public static WarehouseState Of(IEnvironment environment, RwareConfig config)
    {
        double[] snapshot = new double[environment.Spec.SnapshotSize];
        environment.Save(snapshot);
        int[] numbers = [.. snapshot.Select(number => (int)number)];
        int agents = 4 * config.Agents, shelves = numbers.Length - 2 - 5 * config.Agents - config.Requests;
        return new(config, numbers[0],
            [.. numbers.Skip(1).Take(agents).Chunk(4).Select(agent => (agent[0], agent[1], agent[2], agent[3]))],
            [.. numbers.Skip(1 + agents).Take(shelves).Chunk(2).Select(shelf => (shelf[0], shelf[1]))],
            [.. numbers.Skip(1 + agents + shelves).Take(config.Requests)]);
    }

    /// <summary>Agents and shelves have a place each, shelves rest where they may, requests differ; observations show just that.</summary>
    public void Check(IEnvironment environment)
    {
        Assert.Equal(Floor.Sum(row => row.Count(mark => mark == 'x')), Shelves.Length);
        Assert.Distinct(Agents.Select(agent => (agent.X, agent.Y)));
        Assert.Distinct(Shelves);
        Assert.Distinct(Queue);
        Assert.All(Queue, shelf => Assert.InRange(shelf, 1, Shelves.Length));
        Assert.All(Agents, agent => Assert.NotEqual(' ', Mark(agent.X, agent.Y)));
        Assert.All(Agents.Where(agent => agent.Carried > 0), agent => Assert.Equal((agent.X, agent.Y), Shelves[agent.Carried - 1]));
        for (int i = 0; i < Shelves.Length; i++)
        {
            if (!Agents.Any(agent => agent.Carried == i + 1))
            {
                Assert.Equal('x', Mark(Shelves[i].X, Shelves[i].Y));
            }
        }
        for (int i = 0; i < Agents.Length; i++)
        {
            float[] observation = new float[environment.Spec.Agents[i].ObservationSize];
            environment.Observe(i, observation);
            Assert.Equal(Observation(i), observation);
        }
    }

    /// <summary>One step later: agents went one cell ahead at most, and only if they wanted to; shelves moved with their agents.</summary>
    public void CheckAfter(WarehouseState before, int[] actions)
    {
        Assert.Equal(before.Step + 1, Step);
        for (int i = 0; i < Agents.Length; i++)
        {
            var (was, now) = (before.Agents[i], Agents[i]);
            if ((was.X, was.Y) != (now.X, now.Y))
            {
                Assert.Equal(1, actions[i]);
                Assert.Equal((was.X + ahead[was.Direction].X, was.Y + ahead[was.Direction].Y), (now.X, now.Y));
                // Nobody changes places with another.
                int other = Array.FindIndex(before.Agents, agent => (agent.X, agent.Y) == (now.X, now.Y));
                Assert.False(other >= 0 && (Agents[other].X, Agents[other].Y) == (was.X, was.Y));
            }
        }
        for (int i = 0; i < Shelves.Length; i++)
        {
            if (Shelves[i] != before.Shelves[i])
            {
                Assert.Contains(Agents, agent => agent.Carried == i + 1);
            }
        }
    }

    private float[] Observation(int i)
    {
        var self = Agents[i];
        List<float> numbers = [self.X, self.Y, self.Carried > 0 ? 1 : 0, .. OneHot(self.Direction), Mark(self.X, self.Y) == 'x' ? 0 : 1];
        for (int y = self.Y - Config.SensorRange; y <= self.Y + Config.SensorRange; y++)
        {
            for (int x = self.X - Config.SensorRange; x <= self.X + Config.SensorRange; x++)
            {
                int agent = Array.FindIndex(Agents, agent => (agent.X, agent.Y) == (x, y)), shelf = Array.IndexOf(Shelves, (x, y));
                numbers.AddRange([agent >= 0 ? 1 : 0, .. OneHot(agent >= 0 ? Agents[agent].Direction : 0)]);
                numbers.AddRange([shelf >= 0 ? 1 : 0, Queue.Contains(shelf + 1) ? 1 : 0]);
            }
        }
        return [.. numbers];
    }

    private static float[] OneHot(int direction) => [.. Enumerable.Range(0, 4).Select(i => i == direction ? 1f : 0f)];

    private char Mark(int x, int y) => y >= 0 && y < Floor.Length && x >= 0 && x < Floor[y].Length ? Floor[y][x] : ' ';
}
