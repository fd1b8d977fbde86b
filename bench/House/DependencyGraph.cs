using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace Marl.Native.Bench.House;

/// <summary>A type that is not nested, with its nested types, in the room of its source file.</summary>
internal sealed record HouseType(string Room, string Name)
{
    /// <summary>The public ones of it and its nested types.</summary>
    public List<string> PublicNames { get; } = [];

    /// <inheritdoc/>
    public override string ToString() => $"{Room}/{Name}";
}

/// <summary>One type uses another, in these members.</summary>
internal sealed record Dependency(HouseType From, HouseType To, IReadOnlyList<string> Members)
{
    /// <inheritdoc/>
    public override string ToString()
        => $"{From} -> {To} ({string.Join(", ", Members.Take(4))}{(Members.Count > 4 ? $", and {Members.Count - 4} more" : "")})";
}

/// <summary>
/// Which types use which, from compiled assemblies and their portable PDBs: in base types, interfaces, constraints, attributes, signatures, locals and
/// method bodies. A use of a member is a use of the type that declares it and of the types in its signature, so that an enum which is passed counts, although
/// it is an integer in the code. A constant that the compiler has copied, <c>nameof</c> and documentation leave no trace.
/// </summary>
internal sealed class DependencyGraph
{
    private readonly Dictionary<string, HouseType> types = [];
    private readonly List<string> misplaced = [];

    private DependencyGraph(IReadOnlyList<string> assemblies)
    {
        foreach (string path in assemblies)
        {
            Open(path, Declare);
        }

        var members = new Dictionary<(HouseType From, HouseType To), SortedSet<string>>();
        foreach (string path in assemblies)
        {
            Open(path, (image, code, _) => new ReferenceWalker(image, code, (from, to, member) =>
            {
                if (types.TryGetValue(from, out var user) && types.TryGetValue(to, out var used) && user != used)
                {
                    if (!members.TryGetValue((user, used), out var found))
                    {
                        members[(user, used)] = found = new(StringComparer.Ordinal);
                    }

                    found.Add(member);
                }
            }).Walk());
        }
        Types = [.. types.Values.OrderBy(type => type.ToString(), StringComparer.Ordinal)];
        Dependencies = [.. members.Select(pair => new Dependency(pair.Key.From, pair.Key.To, [.. pair.Value]))
            .OrderBy(dependency => dependency.ToString(), StringComparer.Ordinal)];
    }

    /// <summary>The types that are declared in source code.</summary>
    public IReadOnlyList<HouseType> Types { get; }

    /// <summary>Every pair of types of which one uses the other.</summary>
    public IReadOnlyList<Dependency> Dependencies { get; }

    /// <summary>What should not be: types in no room or in two, and dependencies against the direction.</summary>
    public IEnumerable<string> Violations
        => misplaced.Concat(Dependencies.Where(d => !Rooms.MayUse(d.From.Room, d.To.Room)).Select(d => d.ToString()));

    /// <summary>Reads those assemblies of the house that lie in a folder, their PDBs beside them.</summary>
    public static DependencyGraph OfFolder(string folder) => Of(_ => folder);

    /// <summary>Reads the assemblies of the house; one that is not in the folder of its room is left out.</summary>
    public static DependencyGraph Of(Func<string, string> folder)
        => new([.. Rooms.Packages.Select(package => Path.Combine(folder(package.Room), package.Assembly + ".dll")).Where(File.Exists)]);

    private static void Open(string path, Action<PEReader, MetadataReader, MetadataReader> read)
    {
        using var image = new PEReader(File.OpenRead(path));
        if (!image.TryOpenAssociatedPortablePdb(path, pdb => File.Exists(pdb) ? File.OpenRead(pdb) : null, out var symbols, out _))
        {
            throw new FileNotFoundException($"{path} has no portable PDB beside it");
        }
        using (symbols)
        {
            read(image, image.GetMetadataReader(), symbols!.GetMetadataReader());
        }
    }

    private void Declare(PEReader image, MetadataReader code, MetadataReader symbols)
    {
        var sources = new SourceFiles(code, symbols);
        foreach (var group in code.TypeDefinitions.ToLookup(handle => Outermost(code, handle)))
        {
            string name = FullName(code, group.Key);
            if (IsGenerated(name))
            {
                continue;
            }
            string[] rooms = [.. group.SelectMany(sources.Of).Select(Rooms.OfFile).OfType<string>().Distinct().Order(StringComparer.Ordinal)];
            string plain = Plain(code.GetString(code.GetTypeDefinition(group.Key).Name));
            if (rooms is not [var room] || !Rooms.All.Contains(room))
            {
                string where = rooms.Length == 0 ? "no room" : rooms.Length == 1 ? $"an unknown room, {rooms[0]}" : string.Join(" and ", rooms);
                misplaced.Add($"{name} is in {where}");
            }
            var type = types[name] = new HouseType(rooms.FirstOrDefault("?"), plain);
            type.PublicNames.AddRange(group.Where(handle => IsPublic(code, handle)).Select(handle => DisplayName(code, handle)));
        }
    }

    // Types that compilers and source generators add are in namespaces of the base library, or have names that C# does not allow.
    private static bool IsGenerated(string name)
        => name.StartsWith('<') || name.StartsWith("System.", StringComparison.Ordinal) || name.StartsWith("Microsoft.", StringComparison.Ordinal);

    private static bool IsPublic(MetadataReader code, TypeDefinitionHandle handle)
    {
        var type = code.GetTypeDefinition(handle);
        var visibility = type.Attributes & TypeAttributes.VisibilityMask;
        return visibility == TypeAttributes.Public || (visibility == TypeAttributes.NestedPublic && IsPublic(code, type.GetDeclaringType()));
    }

    private static string DisplayName(MetadataReader code, TypeDefinitionHandle handle)
    {
        var type = code.GetTypeDefinition(handle);
        string name = Plain(code.GetString(type.Name));
        return type.GetDeclaringType() is { IsNil: false } outer ? $"{DisplayName(code, outer)}.{name}" : name;
    }

    private static string Plain(string name) => name.Split('`')[0];

    /// <summary>The full name of the type that a type is nested in, or its own.</summary>
    public static string FullName(MetadataReader code, TypeDefinitionHandle handle)
    {
        var type = code.GetTypeDefinition(Outermost(code, handle));
        return TypeNames.Join(code.GetString(type.Namespace), code.GetString(type.Name));
    }

    private static TypeDefinitionHandle Outermost(MetadataReader code, TypeDefinitionHandle handle)
    {
        while (code.GetTypeDefinition(handle).GetDeclaringType() is { IsNil: false } outer)
        {
            handle = outer;
        }

        return handle;
    }
}
