using System.Reflection;

namespace Marl.Native.Tests;

/// <summary>The doors between the rooms, and what no room may do.</summary>
public sealed class HouseTests
{
    private static readonly Dictionary<string, string[]> Doors = new()
    {
        ["Marl.Native.Tensor"] = [],
        ["Marl.Native.Autodiff"] = ["Marl.Native.Tensor"],
        ["Marl.Native.Nn"] = ["Marl.Native.Tensor", "Marl.Native.Autodiff"],
        ["Marl.Native"] = ["Marl.Native.Tensor", "Marl.Native.Autodiff", "Marl.Native.Nn"],
        ["marl"] = ["Marl.Native.Tensor", "Marl.Native.Autodiff", "Marl.Native.Nn", "Marl.Native", "Marl.Native.Gpu", "System.CommandLine", "Spectre.Console", "Spectre.Console.Ansi"],
        ["Marl.Native.Gpu"] = ["Marl.Native.Tensor", "ILGPU"],
    };

    [Theory]
    [InlineData("Marl.Native.Tensor")]
    [InlineData("Marl.Native.Autodiff")]
    [InlineData("Marl.Native.Nn")]
    [InlineData("Marl.Native")]
    [InlineData("marl")]
    [InlineData("Marl.Native.Gpu")]
    public void ARoomSeesOnlyTheRoomsBelowAndTheBaseLibrary(string room)
    {
        foreach (var reference in Assembly.Load(room).GetReferencedAssemblies())
        {
            // The base library has a name of its own for what goes wrong in the operating system.
            Assert.True(Doors[room].Contains(reference.Name) || reference.Name!.StartsWith("System.", StringComparison.Ordinal)
                || reference.Name == "Microsoft.Win32.Primitives",
                $"{room} references {reference.Name}");
        }
    }

    [Theory]
    [InlineData("Marl.Native.Tensor")]
    [InlineData("Marl.Native.Autodiff")]
    [InlineData("Marl.Native.Nn")]
    public void NoRoomBelowMarlKnowsOfAgentsRewardsOrEpisodes(string room)
    {
        var names = Assembly.Load(room).GetTypes().Where(t => t.IsPublic).SelectMany(t => t.GetMembers().Select(m => $"{t.Name}.{m.Name}"));
        Assert.DoesNotContain(names, name => new[] { "Agent", "Reward", "Episode" }.Any(word => name.Contains(word, StringComparison.OrdinalIgnoreCase)));
    }

    [Theory]
    [InlineData("Marl.Native.Tensor")]
    [InlineData("Marl.Native.Autodiff")]
    [InlineData("Marl.Native.Nn")]
    [InlineData("Marl.Native")]
    [InlineData("marl")]
    public void NoRoomHasStaticStateThatChanges(string room)
    {
        const BindingFlags Static = BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;
        var changing = Assembly.Load(room).GetTypes()
            .Where(t => !t.Name.Contains('<', StringComparison.Ordinal) && !t.FullName!.Contains("RunJson", StringComparison.Ordinal))
            .SelectMany(t => t.GetFields(Static)).Where(f => f is { IsInitOnly: false, IsLiteral: false }).Select(f => $"{f.DeclaringType}.{f.Name}");
        Assert.Empty(changing);
    }
}
