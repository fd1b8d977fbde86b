using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.Loader;
using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <content>Libraries.</content>
public static partial class Catalog
{
    private const string NewName = "give it another name with [DisplayName(\"..\")]";

    // The base types of the parts of options, and their names in messages.
    private static readonly (Type Base, string Kind)[] PartKinds =
    [
        (typeof(MixerOptions), "mixer"),
        (typeof(NetworkOptions), "network"),
        (typeof(Exploration), "exploration"),
        (typeof(UpdateRule), "optimizer"),
    ];

    private static readonly List<(string Path, string Assembly)> Libraries = [];
    private static readonly List<Assembly> Assemblies = [];

    /// <summary>The full paths of the loaded libraries.</summary>
    public static IReadOnlyList<string> LoadedLibraries => [.. Libraries.Select(library => library.Path)];

    /// <summary>Lists the parts that options consist of (mixers, networks, explorations, optimizers), with the type of each one's options.</summary>
    public static IEnumerable<(string Kind, string Name, Type Options)> ListParts()
        => from part in PartKinds
           from type in Parts.TypesOf(part.Base, OptionsJson.Present)
           select (part.Kind, (string)type.TypeDiscriminator!, type.DerivedType);

    /// <summary>
    /// Loads a library and adds its public types to the catalog: algorithms (records derived from <see cref="AlgorithmOptions"/>), mixers, networks,
    /// explorations and optimizers (records derived from the type of the part), and environments (<see cref="IEnvironment"/>, by the id of their
    /// specification). The types need a constructor without parameters. Loading executes code of the library: load only libraries that you trust. Loading a
    /// library twice has no effect.
    /// </summary>
    /// <param name="path">The path of an assembly that was built against this version of Marl.Native; its dependencies must be in the same folder.</param>
    /// <exception cref="UsageException">The library does not exist, was built against another version, has nothing to add, or has a name that exists already.
    /// Nothing is added.</exception>
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

    /// <summary>Adds the public types of an assembly of this program, as <see cref="Load(string)"/> does, so that saved configurations and policies that name
    /// them can be read.</summary>
    /// <param name="assembly">The assembly, for example <c>typeof(MyOptions).Assembly</c>.</param>
    /// <exception cref="UsageException">The assembly has nothing to add, or has a name that exists already. Nothing is added.</exception>
    [RequiresUnreferencedCode("Types of an assembly are found by reflection.")]
    [RequiresDynamicCode("JSON of its types is read by reflection.")]
    public static void Load(Assembly assembly) => Add(assembly, $"the assembly '{assembly.GetName().Name}'");

    /// <summary>Returns whether a library is loaded.</summary>
    public static bool IsLoaded(string path) => LoadedLibraries.Contains(Path.GetFullPath(path));

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
            throw new UsageException($"{source} has no public algorithm, part of options or environment with a constructor without parameters");
        }
        RequireNew(source, "algorithm", algorithms.Select(algorithm => algorithm.Name), Algorithms.Select(algorithm => algorithm.Name), NewName);
        RequireNew(source, "environment", environments.Select(family => family.Pattern),
            Environments.SelectMany(family => (string[])[family.Pattern, NameOf(family.Pattern)]), "give its spec another id");
        // A part that the program has used before is known already.
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
            throw new UsageException($"{source} has {kind} '{twice}', a name that exists already; {remedy}");
        }
    }

    /// <summary>Returns the name that a family's pattern or an id starts with.</summary>
    private static string NameOf(string pattern) => pattern[..(pattern.IndexOfAny([':', '[', '?']) is >= 0 and var end ? end : pattern.Length)];

    [RequiresUnreferencedCode("Creates a type of a library.")]
    private static EnvironmentFamily FamilyOf(Type type)
    {
        var first = Create();
        using (first as IDisposable)
        {
            string name = first.Spec.Id;
            return new(name, Parts.DescriptionOf(type), [name]) { TryCreate = id => id.Text == name ? CreateNamed(name) : null };
        }

        IEnvironment CreateNamed(string name)
        {
            try
            {
                return Create();
            }
            catch (Exception error) when (EnvironmentException.IsForeign(error))
            {
                throw EnvironmentException.Of(error, name, "when it was created");
            }
        }

        // Without its wrapper the exception of the constructor says what is wrong.
        IEnvironment Create() => (IEnvironment)Activator.CreateInstance(type, BindingFlags.DoNotWrapExceptions, null, null, null)!;
    }

    /// <summary>Calls a function of a library; converts exceptions to <see cref="UsageException"/>.</summary>
    private static T Guarded<T>(string source, Func<T> get)
    {
        try
        {
            return get();
        }
        catch (BadImageFormatException)
        {
            throw new UsageException($"{source} cannot be loaded: it is not a .NET assembly");
        }
        catch (Exception e) when (e is not UsageException and not OutOfMemoryException)
        {
            throw new UsageException($"{source} cannot be loaded: {(e is TargetInvocationException { InnerException: { } inner } ? inner : e).Message}");
        }
    }

    /// <summary>Loads a library's dependencies from its folder. Assemblies of this program, the engine among them, are shared, so that their types are the
    /// same.</summary>
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
