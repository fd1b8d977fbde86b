using System.Reflection;
using System.Xml.Linq;

namespace Marl.Native.Tests;

/// <summary>The doors between the rooms, and what no room may do.</summary>
public sealed class HouseTests
{
    private const BindingFlags All = BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;

#if GPU
    private static readonly string[] Gpu = ["Marl.Native.Gpu"];
#else
    private static readonly string[] Gpu = [];
#endif

    private static readonly Dictionary<string, string[]> Doors = new()
    {
        ["Marl.Native.Tensor"] = [],
        ["Marl.Native.Autodiff"] = ["Marl.Native.Tensor"],
        ["Marl.Native.Nn"] = ["Marl.Native.Tensor", "Marl.Native.Autodiff"],
        ["Marl.Native"] = ["Marl.Native.Tensor", "Marl.Native.Autodiff", "Marl.Native.Nn"],
        ["marl"] = ["Marl.Native.Tensor", "Marl.Native.Autodiff", "Marl.Native.Nn", "Marl.Native", "System.CommandLine", "Spectre.Console", .. Gpu],
        ["Marl.Native.Gpu"] = ["Marl.Native.Tensor", "ILGPU"],
    };

    [Theory]
    [InlineData("Marl.Native.Tensor")]
    [InlineData("Marl.Native.Autodiff")]
    [InlineData("Marl.Native.Nn")]
    [InlineData("Marl.Native")]
    [InlineData("marl")]
#if GPU
    [InlineData("Marl.Native.Gpu")]
#endif
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
        string[] words = ["Agent", "Reward", "Episode", "Mixer", "QMIX"];
        var names = Assembly.Load(room).GetTypes().SelectMany(t => t.GetMembers(All).Select(m => $"{t.Name}.{m.Name}"));
        var documentation = XDocument.Load(Path.Combine(AppContext.BaseDirectory, room + ".xml")).Descendants("member").Select(member => member.ToString());
        Assert.DoesNotContain([.. names, .. documentation], text => words.Any(word => text.Contains(word, StringComparison.OrdinalIgnoreCase)));
    }

    /// <summary>An operator on lanes that is called once per element, not inlined, costs several times what it computes.</summary>
    [Theory]
    [InlineData("Marl.Native.Tensor")]
    [InlineData("Marl.Native.Autodiff")]
    [InlineData("Marl.Native.Nn")]
    [InlineData("Marl.Native")]
    public void EveryOperatorOnLanesIsInlined(string room)
    {
        Type[] lanes = [typeof(ILane<>), typeof(IFloatLane<>), typeof(ITileLane<>)];
        bool IsLane(Type type) => lanes.Any(lane => type.GetInterfaces().Any(i => i.IsGenericType && i.GetGenericTypeDefinition() == lane));
        // What computes for every lane, and the lanes' own arithmetic; D1 is for tests only.
        var operators =
            from type in Assembly.Load(room).GetTypes()
            where type.IsValueType || type == typeof(LaneMath)
            from method in type.GetMethods(All | BindingFlags.DeclaredOnly)
            where method.GetGenericArguments().Any(IsLane) || IsLane(type) && type != typeof(D1) && !method.Name.Contains("get_", StringComparison.Ordinal)
            select (Method: method, Name: $"{type.FullName}.{method.Name}");
        var found = operators.ToArray();
        Assert.True(room == "Marl.Native" || found.Length > 3, $"{room} has {found.Length} operators on lanes");
        Assert.Empty(found.Where(o => !o.Method.MethodImplementationFlags.HasFlag(MethodImplAttributes.AggressiveInlining)).Select(o => o.Name));
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
