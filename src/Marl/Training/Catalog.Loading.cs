using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.Loader;
using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <content>Libraries.</content>
public static partial class Catalog
{
    // The types that a part of options can have.
    private static readonly Type[] PartTypes = [typeof(MixerOptions), typeof(NetworkOptions), typeof(Exploration), typeof(UpdateRule)];

    private static readonly List<string> Libraries = [];

    /// <summary>The full paths of the libraries that are loaded.</summary>
    public static IReadOnlyList<string> Loaded => Libraries;

    /// <summary>
    /// Loads a library and adds its public types to the catalog: algorithms (records derived from <see cref="AlgorithmOptions"/>), mixers, networks, explorations and
    /// optimizers (records derived from the type of the part) and environments (<see cref="IEnvironment"/>, with the name that their spec says), each with a
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
        try
        {
            Type[] types = [.. new LibraryContext(path).LoadFromAssemblyPath(path).GetExportedTypes().Where(type => !type.IsAbstract && type.GetConstructor([]) is not null)];
            Algorithm[] algorithms = [.. types.Where(type => type.IsSubclassOf(typeof(AlgorithmOptions))).Select(type => new Algorithm(type))];
            (Type Base, Type Part)[] parts = [.. from type in types from part in PartTypes where type.IsSubclassOf(part) select (part, type)];
            EnvironmentFamily[] environments = [.. types.Where(type => type.IsAssignableTo(typeof(IEnvironment))).Select(FamilyOf)];
            if (algorithms.Length + parts.Length + environments.Length == 0)
            {
                throw new UsageException($"the library '{path}' has no public algorithm, part of options or environment that can be created without parameters");
            }
            RequireNew("algorithm", algorithms.Select(algorithm => algorithm.Name), Algorithms.Select(algorithm => algorithm.Name));
            RequireNew("environment", environments.Select(family => family.Pattern), Environments.Select(family => new EnvironmentId(family.Pattern).Name.Split('[')[0]));
            foreach (var part in PartTypes)
            {
                RequireNew(part.Name, parts.Where(one => one.Base == part).Select(one => Parts.NameOf(one.Part, part)), Parts.TypesOf(part, OptionsJson.Present).Select(type => (string)type.TypeDiscriminator!));
            }
            AllAlgorithms.AddRange(algorithms);
            AllEnvironments.AddRange(environments);
            foreach (var (part, type) in parts)
            {
                Parts.Add(part, type);
            }
            Libraries.Add(path);
        }
        catch (Exception e) when (e is BadImageFormatException or FileLoadException or FileNotFoundException or TypeLoadException or ReflectionTypeLoadException
            or TargetInvocationException or MissingMethodException)
        {
            throw new UsageException($"the library '{path}' cannot be loaded: {(e.InnerException ?? e).Message}");
        }

        void RequireNew(string kind, IEnumerable<string> added, IEnumerable<string> present)
        {
            var names = present.ToHashSet();
            if (added.FirstOrDefault(name => !names.Add(name)) is { } twice)
            {
                throw new UsageException($"the library '{path}' has {kind} '{twice}', and there is one of that name already; give it another by [DisplayName(\"..\")]");
            }
        }
    }

    /// <summary>Whether a library is loaded.</summary>
    public static bool IsLoaded(string path) => Libraries.Contains(Path.GetFullPath(path));

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

    /// <summary>Finds what a library depends on beside it; what this program has already, the engine above all, is shared.</summary>
    [RequiresUnreferencedCode("Loads assemblies by path.")]
    private sealed class LibraryContext(string path) : AssemblyLoadContext(path)
    {
        private readonly AssemblyDependencyResolver resolver = new(path);

        protected override Assembly? Load(AssemblyName name)
            => Default.Assemblies.Any(assembly => assembly.GetName().Name == name.Name) || resolver.ResolveAssemblyToPath(name) is not { } dependency
                ? null : LoadFromAssemblyPath(dependency);
    }
}
