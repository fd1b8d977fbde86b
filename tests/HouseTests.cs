using System.Reflection;
using System.Xml.Linq;
using Marl.Native.Bench.House;
using Marl.Native.Rl;

namespace Marl.Native.Tests;

/// <summary>The doors between the rooms, and what no room may do.</summary>
public sealed class HouseTests
{
    private const int MostPublicTypes = 122;

    private const BindingFlags All = BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;

    private static readonly Dictionary<string, string[]> Packages = new()
    {
        ["marl"] = ["System.CommandLine", "Spectre.Console", "Spectre.Console.Ansi"],
        ["Marl.Native.Gpu"] = ["ILGPU"],
    };

    private static readonly Lazy<DependencyGraph> Graph = new(() => DependencyGraph.OfFolder(AppContext.BaseDirectory));

    public static TheoryData<string> Assemblies => new(Rooms.Packages.Select(package => package.Assembly)
        .Where(assembly => File.Exists(Path.Combine(AppContext.BaseDirectory, assembly + ".dll"))));

    [Fact]
    public void ATypeUsesOnlyTypesOfItsOwnRoomAndOfThoseBeforeIt()
    {
        string[] violations = [.. Graph.Value.Violations];
        Assert.True(violations.Length == 0, $"{violations.Length} against the direction; eng/house shows the rooms:\n{string.Join('\n', violations)}");
    }

    [Fact]
    public void EveryTypeIsInTheRoomOfItsFile()
    {
        var rooms = Graph.Value.Types.Select(type => type.ToString()).ToHashSet();
        // An interface, an enum, a class of which a source generator writes a part, one that says nothing but its base, and a type of several files.
        Assert.All(["Marl/IArchive", "Environments/StepResult", "Training/OptionsJson", "Environments/Scene", "Environments/RoboticWarehouse"],
            type => Assert.Contains(type, rooms));
        Assert.All(Rooms.OfMarl, room => Assert.Contains(Graph.Value.Types, type => type.Room == room));
    }

    [Fact]
    public void FewTypesArePublic()
    {
        string[] names = [.. Graph.Value.Types.Where(type => type.Room == Rooms.Foundation || Rooms.OfMarl.Contains(type.Room))
            .SelectMany(type => type.PublicNames.Select(name => $"{type.Room}/{name}"))];
        Assert.NotEmpty(names);
        Assert.True(names.Length <= MostPublicTypes,
            $"{names.Length} public types in Marl.Native, {MostPublicTypes} at most:\n{string.Join('\n', names)}");
    }

    [Theory]
    [MemberData(nameof(Assemblies))]
    public void APackageReferencesOnlyThoseBelowAndTheBaseLibrary(string assembly)
    {
        var below = Rooms.Packages.Where(package => Rooms.MayUse(Rooms.Packages.Single(own => own.Assembly == assembly).Room, package.Room));
        string[] allowed = [.. below.Select(package => package.Assembly), .. Packages.GetValueOrDefault(assembly, [])];
        foreach (var reference in Assembly.Load(assembly).GetReferencedAssemblies())
        {
            // The base library has a name of its own for what goes wrong in the operating system.
            Assert.True(allowed.Contains(reference.Name) || reference.Name!.StartsWith("System.", StringComparison.Ordinal)
                || reference.Name == "Microsoft.Win32.Primitives",
                $"{assembly} references {reference.Name}");
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
        // What computes for every lane, and the lanes' own arithmetic.
        var operators =
            from type in Assembly.Load(room).GetTypes()
            where type.IsValueType || type == typeof(LaneMath)
            from method in type.GetMethods(All | BindingFlags.DeclaredOnly)
            where method.GetGenericArguments().Any(IsLane) || IsLane(type) && !method.Name.Contains("get_", StringComparison.Ordinal)
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
            .Where(t => !t.Name.Contains('<', StringComparison.Ordinal) && !t.FullName!.Contains("OptionsJson", StringComparison.Ordinal))
            .SelectMany(t => t.GetFields(Static)).Where(f => f is { IsInitOnly: false, IsLiteral: false }).Select(f => $"{f.DeclaringType}.{f.Name}");
        Assert.Empty(changing);
    }
}
