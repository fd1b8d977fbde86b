using Marl.Native.Cli.Playing;
using Marl.Native.Rl;

namespace Marl.Native.Tests.Cli;

/// <summary>Scenes as they appear in a terminal.</summary>
public sealed class SceneTextTests
{
    [Fact]
    public void AGridIsALinePerRow()
    {
        var grid = new GridScene(3, 4,
        [
            new(SceneRole.Floor, 0, 1), new(SceneRole.Floor, 0, 2), new(SceneRole.Goal, 2, 3),
            new(SceneRole.Item, 0, 2), new(SceneRole.Target, 1, 0), new(SceneRole.Item, 1, 2), new(SceneRole.Target, 1, 3),
            new(SceneRole.Target, 2, 0) { Label = "3" },
            new(SceneRole.Agent, 1, 2) { Agent = 0, Facing = Facing.Left },
            new(SceneRole.Agent, 1, 3) { Agent = 1, Facing = Facing.Up, Carries = true },
            new(SceneRole.Opponent, 2, 1) { Agent = 2, Label = "1" },
        ]);
        Assert.Equal(
        [
            " ·  _  □  ·",
            " ■  · A◀▫B▲■",
            " 3 C1  ·  G",
        ], SceneText.Plain(grid));
        Assert.Equal((SceneRole.Opponent, true), (SceneText.Lines(grid)[2][1].Role, SceneText.Lines(grid)[2][1].Fills));
    }

    [Fact]
    public void CellsAreAsWideAsTheWidestNeeds() => Assert.Equal(
        ["A120 ·   ·", " ·   ·   7"],
        SceneText.Plain(new GridScene(2, 3,
        [
            new(SceneRole.Agent, 0, 0) { Agent = 0, Label = "120" }, new(SceneRole.Target, 1, 2) { Label = "7" },
        ])));

    [Fact]
    public void APlaneIsASquareOfDotsWithThingsInTheirPlaces()
    {
        // 40 x 40 dots over -1.05 .. 1.05: x = -1 is dot 0.93, y = -1 dot 38.07; the agent's radius is 3.7 dots around 19.5.
        var plane = new PlaneScene(1,
        [
            new(SceneRole.Item, -1, -1, 0), new(SceneRole.Target, 1, 1, 0), new(SceneRole.Agent, 0, 0, 0.2) { Agent = 1, Label = "7" },
        ]);
        Assert.Equal(
        [
            "┌────────────────────┐",
            "│⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠂│",
            "│⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀│",
            "│⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀│",
            "│⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀│",
            "│⠀⠀⠀⠀⠀⠀⠀⠀⣰⣾⣷⣆⠀⠀⠀⠀⠀⠀⠀⠀│",
            "│⠀⠀⠀⠀⠀⠀⠀⠀⠹⢿B7⠀⠀⠀⠀⠀⠀⠀⠀│",
            "│⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀│",
            "│⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀│",
            "│⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀│",
            "│⠠⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀│",
            "└────────────────────┘",
        ], SceneText.Plain(plane, height: 12));
        Assert.Contains(SceneText.Lines(plane, height: 12)[6], run => run is { Role: SceneRole.Agent, Text: ['\u2839', ..] });
    }

    [Fact]
    public void APlaneGrowsUntilEverythingIsInIt()
    {
        string[] lines = [.. SceneText.Plain(new PlaneScene(1, [new(SceneRole.Agent, 5, -5, 0.05) { Agent = 0 }]), height: 6)];
        Assert.Equal('A', lines[4].TrimEnd('│')[^1]);
    }

    [Fact]
    public void WhatIsNoSceneHasNoLines()
    {
        Assert.Empty(SceneText.Lines(null));
        Assert.Empty(SceneText.Legend(null, Recordings.Random("two-step").Performance));
    }

    [Theory]
    [InlineData("lbf:8x8-2p-2f", "A agent (number: level)", "2 food (number: level)")]
    [InlineData("rware:tiny-2ag", "A agent", "■ requested shelf", "□ shelf", "G goal", "_ shelf location", "beside an agent: □ ■ carried, ▫ ▪ above it")]
    [InlineData("mpe:tag", "D opponent", "A agent", "○ landmark")]
    [InlineData("mpe:world-comm", "E opponent", "A agent (bubble: message)", "● food", "○ landmark", "○ forest")]
    [InlineData("predator-prey:10x10", "A predator", "■ prey")]
    [InlineData("climbing", "0 action", "11 payoff")]
    public void TheLegendNamesWhatIsThere(string id, params string[] entries)
    {
        var recording = Recordings.Random(id);
        Assert.Equal(entries, SceneText.Legend(recording.FirstScene, recording.Performance));
    }

    [Fact]
    public void EntriesFillLinesOfFortyColumns() => Assert.Equal(
        ["0123456789   0123456789   0123456789", "a", "0123456789 0123456789 0123456789 0123456789", "b   c"],
        SceneText.Wrap(["0123456789", "0123456789", "0123456789", "a", "0123456789 0123456789 0123456789 0123456789", "b", "c"], 38));
}
