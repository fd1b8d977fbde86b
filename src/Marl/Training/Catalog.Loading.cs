using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.Loader;
using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <content>Libraries.</content>
public static partial class Catalog
{
    private const string NewName = "give it another by [DisplayName(\"..\")]";

    // The types that a part of options can have, and what they are called.
    private static readonly (Type Base, string Kind)[] PartKinds =
    [
        (typeof(MixerOptions), "mixer"),
        (typeof(NetworkOptions), "network"),
        (typeof(Exploration), "exploration"),
        (typeof(UpdateRule), "optimizer"),
    ];

    private static readonly List<(string Path, string Assembly)> Libraries = [];
    private static readonly List<Assembly> Assemblies = [];

    /// <summary>The full paths of the libraries that are loaded.</summary>
    public static IReadOnlyList<string> Loaded => [.. Libraries.Select(library => library.Path)];

    /// <summary>The parts that options are made of: mixers, networks, explorations, optimizers; and the record of each.</summary>
    public static IEnumerable<(string Kind, string Name, Type Options)> ListParts()
        => from part in PartKinds
           from type in Parts.TypesOf(part.Base, OptionsJson.Present)
           select (part.Kind, (string)type.TypeDiscriminator!, type.DerivedType);

    /// <summary>
    /// Loads a library and adds its public types to the catalog: algorithms (records derived from <see cref="AlgorithmOptions"/>), mixers, networks, explorations and
    /// optimizers (records derived from the type of the part) and environments (<see cref="IEnvironment"/>, with the id that their spec says), each with a
    /// constructor without parameters. Loading runs code of the library: load none that you do not trust. To load it again changes nothing.
    /// </summary>
    /// <param name="path">An assembly, built against this version of Marl.Native; what it depends on lies beside it.</param>
    /// <exception cref="UsageException">There is no such library, it does not fit, has nothing to add, or two of one name. Nothing is added.</exception>
    [RequiresUnreferencedCode("Types of a library are found by reflection.")]
    [RequiresDynamicCode("The code of a library is compiled at run time.")]
    public static void Load(string path)
    {
        path = Path.GetFullPath(path);
        if (IsLoaded(path))
        {
            return;
        }
        if (!File.Exists(path))
        {
            throw new UsageException($"there is no library '{path}'");
        }
        string source = $"the library '{path}'";
        var assembly = Guarded(source, () => Open(path, source));
        Add(assembly, source);
        Libraries.Add((path, assembly.GetName().Name!));
    }

    /// <summary>Adds the public types of an assembly of this program, as <see cref="Load(string)"/> does: they are found by name then, as in a configuration or a
    /// policy that was saved.</summary>
    /// <param name="assembly">For example <c>typeof(MyOptions).Assembly</c>.</param>
    /// <exception cref="UsageException">It has nothing to add, or two of one name. Nothing is added.</exception>
    [RequiresUnreferencedCode("Types of an assembly are found by reflection.")]
    [RequiresDynamicCode("JSON of its types is read by reflection.")]
    public static void Load(Assembly assembly) => Add(assembly, $"the assembly '{assembly.GetName().Name}'");

    /// <summary>Whether a library is loaded.</summary>
    public static bool IsLoaded(string path) => Loaded.Contains(Path.GetFullPath(path));

    [RequiresUnreferencedCode("Loads an assembly by path.")]
    private static Assembly Open(string path, string source)
    {
        var name = AssemblyName.GetAssemblyName(path);
        var engine = typeof(Catalog).Assembly;
        if (engine.GetReferencedAssemblies().Append(engine.GetName()).Any(part => part.Name == name.Name))
        {
            throw new UsageException($"{source} is a part of Marl.Native and adds nothing to it; load a library of your own");
        }
        if (AssemblyLoadContext.Default.Assemblies.FirstOrDefault(assembly => assembly.FullName == name.FullName) is { } own)
        {
            return own;
        }
        if (Libraries.Find(library => library.Assembly == name.Name) is { Path: { } loaded })
        {
            throw new UsageException($"{source} is '{loaded}', which is loaded already, in another place or version; load one of the two");
        }
        var opened = new LibraryContext(path).LoadFromAssemblyPath(path);
        Version present = engine.GetName().Version!;
        foreach (var reference in opened.GetReferencedAssemblies())
        {
            if (reference.Name!.StartsWith(engine.GetName().Name!, StringComparison.Ordinal) && reference.Version is { } built
                && (built > present || (built.Major, built.Minor) != (present.Major, present.Minor)))
            {
                throw new UsageException($"{source} was built against {reference.Name} {built.ToString(3)}, and this is {present.ToString(3)}; build it again");
            }
        }
        return opened;
    }

    [RequiresUnreferencedCode("Finds the types of an assembly.")]
    private static void Add(Assembly assembly, string source)
    {
        if (Assemblies.Contains(assembly))
        {
            return;
        }
        Type[] types = Guarded(source, () => assembly.GetExportedTypes()
            .Where(type => !type.IsAbstract && !type.ContainsGenericParameters && type.GetConstructor([]) is not null).ToArray());
        Algorithm[] algorithms = [.. types.Where(type => type.IsSubclassOf(typeof(AlgorithmOptions))).Select(type => new Algorithm(type))];
        (Type Base, string Kind, Type Part)[] parts =
            [.. from type in types from part in PartKinds where type.IsSubclassOf(part.Base) select (part.Base, part.Kind, type)];
        EnvironmentFamily[] environments =
            [.. types.Where(type => type.IsAssignableTo(typeof(IEnvironment))).Select(type => Guarded(source, () => FamilyOf(type)))];
        if (algorithms.Length + parts.Length + environments.Length == 0)
        {
            throw new UsageException($"{source} has no public algorithm, part of options or environment that can be created without parameters");
        }
        RequireNew(source, "algorithm", algorithms.Select(algorithm => algorithm.Name), Algorithms.Select(algorithm => algorithm.Name), NewName);
        RequireNew(source, "environment", environments.Select(family => family.Pattern), Environments.SelectMany(family => (string[])[family.Pattern, NameOf(family.Pattern)]),
            "give its spec another id");
        // A part that the program used before it was loaded is known.
        var unknown = parts.Where(one => Parts.TypesOf(one.Base, OptionsJson.Present).All(type => type.DerivedType != one.Part)).ToArray();
        foreach (var (part, kind) in PartKinds)
        {
            var present = Parts.TypesOf(part, OptionsJson.Present);
            RequireNew(source, kind, unknown.Where(one => one.Base == part).Select(one => Parts.NameOf(one.Part, part)),
                present.Select(type => (string)type.TypeDiscriminator!), NewName);
        }
        AllAlgorithms.AddRange(algorithms);
        AllEnvironments.AddRange(environments);
        foreach (var (part, _, type) in unknown)
        {
            Parts.Add(part, type);
        }
        Assemblies.Add(assembly);
    }

    private static void RequireNew(string source, string kind, IEnumerable<string> added, IEnumerable<string> present, string remedy)
    {
        var names = present.ToHashSet();
        if (added.FirstOrDefault(name => !names.Add(name)) is { } twice)
        {
            throw new UsageException($"{source} has {kind} '{twice}', and there is one of that name already; {remedy}");
        }
    }

    /// <summary>The name that a family's pattern or an id begins with.</summary>
    private static string NameOf(string pattern) => pattern[..(pattern.IndexOfAny([':', '[', '?']) is >= 0 and var end ? end : pattern.Length)];

    [RequiresUnreferencedCode("Creates a type of a library.")]
    private static EnvironmentFamily FamilyOf(Type type)
    {
        var first = Create();
        using (first as IDisposable)
        {
            string name = first.Spec.Id;
            return new(name, Parts.DescriptionOf(type), [name]) { TryCreate = id => id.Text == name ? Create() : null };
        }

        IEnvironment Create() => (IEnvironment)Activator.CreateInstance(type)!;
    }

    /// <summary>What a library gives; whatever it throws is its fault, and one line.</summary>
    private static T Guarded<T>(string source, Func<T> get)
    {
        try
        {
            return get();
        }
        catch (BadImageFormatException)
        {
            throw new UsageException($"{source} cannot be loaded: it is no .NET assembly");
        }
        catch (Exception e) when (e is not UsageException and not OutOfMemoryException)
        {
            throw new UsageException($"{source} cannot be loaded: {(e is TargetInvocationException { InnerException: { } inner } ? inner : e).Message}");
        }
    }

    /// <summary>Finds what a library depends on beside it; what this program has, loaded yet or not, the engine above all, is shared: a type is one of its assembly.</summary>
    [RequiresUnreferencedCode("Loads assemblies by path.")]
    private sealed class LibraryContext(string path) : AssemblyLoadContext(path)
    {
        private readonly AssemblyDependencyResolver resolver = new(path);

        protected override Assembly? Load(AssemblyName name)
        {
            try
            {
                return Default.LoadFromAssemblyName(name);
            }
            catch (Exception e) when (e is FileNotFoundException or FileLoadException)
            {
                return resolver.ResolveAssemblyToPath(name) is { } dependency ? LoadFromAssemblyPath(dependency) : null;
            }
        }
    }
}
