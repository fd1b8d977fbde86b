using Marl.Native.Rl;

namespace Marl.Native.Tests;

/// <summary>What there is to see in states that are known.</summary>
public sealed class SceneTests
{
    public static TheoryData<string> Pictured => [.. Catalog.EnvironmentIds.Where(id => Catalog.CreateEnvironment(id) is IRenderable)];

    [Fact]
    public void ForagingShowsPlayersAndTheFoodThatIsLeft()
    {
        var field = Catalog.CreateEnvironment("lbf:4x5-2p-2f");
        field.Restore([7, 5, /* players: row, column, level */ 0, 4, 1, 2, 1, 2, /* foods; one is eaten */ 1, 2, 3, 0, 0, 0]);
        var grid = Assert.IsType<GridScene>(((IRenderable)field).Render());
        Assert.Equal((4, 5), (grid.Rows, grid.Cols));
        Assert.Equal(
        [
            new(SceneRole.Target, 1, 2) { Label = "3" },
            new(SceneRole.Agent, 0, 4) { Agent = 0, Label = "1" },
            new(SceneRole.Agent, 2, 1) { Agent = 1, Label = "2" },
        ], grid.Sprites);
    }

    [Fact]
    public void TheWarehouseShowsFloorShelvesRequestsAndWhoCarriesWhat()
    {
        var warehouse = Catalog.CreateEnvironment("rware:.xx./..g.-2ag-hard");
        // Agent 0 carries shelf 2, which is requested, to the left of its place; agent 1 stands under shelf 1 and looks to the right.
        warehouse.Restore([3, /* x, y, direction, carried */ 3, 0, 1, 2, 1, 0, 3, 0, /* shelves */ 1, 0, 3, 0, /* queue */ 2, 0, 0, 0]);
        var grid = Assert.IsType<GridScene>(((IRenderable)warehouse).Render());
        Assert.Equal((2, 4), (grid.Rows, grid.Cols));
        Assert.Equal(
        [
            new(SceneRole.Floor, 0, 1),
            new(SceneRole.Floor, 0, 2),
            new(SceneRole.Goal, 1, 2),
            new(SceneRole.Item, 0, 1),
            new(SceneRole.Target, 0, 3),
            new(SceneRole.Agent, 0, 3) { Agent = 0, Facing = Facing.Down, Carries = true },
            new(SceneRole.Agent, 0, 1) { Agent = 1, Facing = Facing.Right },
        ], grid.Sprites);
    }

    [Fact]
    public void AParticleWorldShowsWhereItsGoalIsAndWhatWasSaid()
    {
        var world = Catalog.CreateEnvironment("mpe:speaker-listener");
        // Step, goal; positions of speaker, listener and three landmarks; velocities; messages of both.
        world.Restore([1, 2, -0.5, 0.5, 0.25, 1.5, 0, 0, 0.1, 0.2, -0.3, -0.4, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0]);
        var plane = Assert.IsType<PlaneScene>(((IRenderable)world).Render());
        Assert.Equal(1, plane.Extent);
        Assert.Equal(1.5 + 0.075, plane.Reach, 1e-12);
        Assert.Equal(
        [
            new(SceneRole.Goal, -0.3, -0.4, 0.04),
            new(SceneRole.Item, 0, 0, 0.04),
            new(SceneRole.Item, 0.1, 0.2, 0.04),
            new(SceneRole.Agent, -0.5, 0.5, 0.075) { Agent = 0, Label = "1" },
            new(SceneRole.Agent, 0.25, 1.5, 0.075) { Agent = 1 },
        ], plane.Discs);
    }

    [Fact]
    public void GoalsOfReferenceAreMeantForTheAgentThatDoesNotKnowThem()
    {
        var world = Catalog.CreateEnvironment("mpe:reference");
        double[] snapshot = new double[world.Spec.SnapshotSize];
        (snapshot[1], snapshot[2]) = (2, 0); // agent 0 knows that agent 1 shall go to landmark 2; agent 1 that agent 0 shall go to 0
        for (int landmark = 0; landmark < 3; landmark++)
        {
            snapshot[3 + 2 * (2 + landmark)] = landmark;
        }

        world.Restore(snapshot);
        var discs = ((PlaneScene)((IRenderable)world).Render()!).Discs;
        Assert.Equal([(0.0, 0), (2.0, 1)],
            discs.Where(disc => disc.Role == SceneRole.Goal).OrderBy(disc => disc.X).Select(disc => (disc.X, disc.Agent!.Value)));
        snapshot[2] = 2;
        world.Restore(snapshot);
        discs = ((PlaneScene)((IRenderable)world).Render()!).Discs;
        Assert.Equal([(2.0, null)], discs.Where(disc => disc.Role == SceneRole.Goal).Select(disc => (disc.X, disc.Agent)));
    }

    [Fact]
    public void TeamsForestsAndFoodHaveTheirRoles()
    {
        var world = Catalog.CreateEnvironment("mpe:world-comm");
        var rng = new Rng(1);
        world.Reset(ref rng);
        var roles = ((PlaneScene)((IRenderable)world).Render()!).Discs.Select(disc => (disc.Role, disc.Radius));
        Assert.Equal(
        [
            (SceneRole.Shelter, 0.3), (SceneRole.Shelter, 0.3), (SceneRole.Item, 0.2), (SceneRole.Target, 0.03), (SceneRole.Target, 0.03),
            (SceneRole.Agent, 0.075), (SceneRole.Agent, 0.075), (SceneRole.Agent, 0.075), (SceneRole.Agent, 0.075),
            (SceneRole.Opponent, 0.045), (SceneRole.Opponent, 0.045),
        ], roles);
    }

    [Theory]
    [MemberData(nameof(Pictured))]
    public void EveryAgentIsInThePictureAndItsActionsHaveNamesOfTheirOwn(string id)
    {
        var environment = Catalog.CreateEnvironment(id);
        var rng = new Rng(1);
        environment.Reset(ref rng);
        // Players of matrix games are nowhere before their first step.
        int[] first = [.. environment.Spec.Agents.Select((agent, i) =>
        {
            bool[] available = new bool[agent.ActionCount];
            environment.ReadAvailable(i, available);
            return Array.IndexOf(available, true);
        })];
        var actions = environment.Spec.ActionLayout.VectorSize > 0 ? JointAction.Create(new float[first.Length * environment.Spec.ActionCount], environment.Spec.ActionCount) : first;
        environment.Step(actions, new double[first.Length], ref rng);
        var pictured = Assert.IsAssignableFrom<IRenderable>(environment);
        var agents = pictured.Render() is GridScene grid
            ? grid.Sprites.Where(sprite => sprite.Role.IsAgent()).Select(sprite => (sprite.Agent, sprite.Role))
            : ((PlaneScene)pictured.Render()!).Discs.Where(disc => disc.Role.IsAgent()).Select(disc => (disc.Agent, disc.Role));
        var expected = environment.Spec.Agents.Select((agent, i) => ((int?)i, SceneRoles.OfTeam(agent.Team)));
        Assert.Equal(expected, agents.Take(environment.Spec.Agents.Length));
        for (int agent = 0; agent < environment.Spec.Agents.Length; agent++)
        {
            Assert.Distinct(Enumerable.Range(0, environment.Spec.Agents[agent].ActionCount)
                .Select(action => pictured.ActionName(agent, action)));
        }
    }

    [Fact]
    public void AMatrixGameShowsItsPayoffsAndWhatWasChosen()
    {
        var game = new MatrixGame("game", [2, 3], [[1, 2, 3, 4, 5, 6]]);
        var rng = new Rng(1);
        game.Reset(ref rng);
        var before = Assert.IsType<GridScene>(game.Render());
        Assert.Equal((3, 4), (before.Rows, before.Cols));
        Assert.Equal(["1", "2", "3", "4", "5", "6"], before.Sprites.Where(sprite => sprite.Role == SceneRole.Floor).OrderBy(sprite => sprite.Row).ThenBy(sprite => sprite.Col)
            .Select(sprite => sprite.Label));
        Assert.DoesNotContain(before.Sprites, sprite => sprite.Role is SceneRole.Agent or SceneRole.Target);
        game.Step([1, 2], new double[2], ref rng);
        Assert.Equal(
        [
            new(SceneRole.Target, 2, 3) { Label = "6" },
            new(SceneRole.Agent, 2, 0) { Agent = 0, Label = "1" },
            new(SceneRole.Agent, 0, 3) { Agent = 1, Label = "2" },
        ], ((GridScene)game.Render()!).Sprites.Where(sprite => sprite.Role is SceneRole.Agent or SceneRole.Target));
    }

    [Fact]
    public void ThreePlayersChooseARowAndAColumnOfJointActions()
    {
        var game = new MatrixGame("game", [1, 2, 3], [[1, 2, 3, 4, 5, 6], [0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, -1.5]]);
        var rng = new Rng(1);
        game.Reset(ref rng);
        game.Step([0, 1, 2], new double[3], ref rng);
        var scene = (GridScene)game.Render()!;
        Assert.Equal((3, 7), (scene.Rows, scene.Cols));
        Assert.Equal(["0", "0", "0", "1", "1", "1"], scene.Sprites.Where(sprite => sprite is { Role: SceneRole.Item, Row: 0 }).Select(sprite => sprite.Label));
        Assert.Equal(["0", "1", "2", "0", "1", "2"], scene.Sprites.Where(sprite => sprite is { Role: SceneRole.Item, Row: 1 }).Select(sprite => sprite.Label));
        Assert.Equal(
        [
            new(SceneRole.Target, 2, 6) { Label = "6, 0, -1.5" },
            new(SceneRole.Agent, 2, 0) { Agent = 0, Label = "0" },
            new(SceneRole.Agent, 0, 6) { Agent = 1, Label = "1" },
            new(SceneRole.Agent, 1, 6) { Agent = 2, Label = "2" },
        ], scene.Sprites.Where(sprite => sprite.Role is SceneRole.Agent or SceneRole.Target));
    }

    [Fact]
    public void AMatrixThatNobodyCouldReadHasNoScene()
        => Assert.Null(new MatrixGame("game", [2, 41], [new double[82]]).Render());

    [Theory]
    [InlineData("mpe:spread")]
    [InlineData("mpe-v0:spread")]
    public void AParticleMovesWhereItsActionSays(string id)
    {
        var world = Catalog.CreateEnvironment(id + "?agents=1");
        var pictured = (IRenderable)world;
        for (int action = 0; action < 5; action++)
        {
            world.Restore(new double[world.Spec.SnapshotSize]);
            var rng = new Rng(1);
            for (int step = 0; step < 2; step++)
            {
                world.Step([action], new double[1], ref rng);
            }

            var agent = ((PlaneScene)pictured.Render()!).Discs.Single(disc => disc.Role == SceneRole.Agent);
            Assert.Equal(pictured.ActionName(0, action), (Math.Sign(agent.X), Math.Sign(agent.Y)) switch
            {
                (-1, 0) => "left",
                (1, 0) => "right",
                (0, -1) => "down",
                (0, 1) => "up",
                _ => "nothing",
            });
        }
    }
}
