namespace Marl.Native.Bench.House;

/// <summary>
/// The rooms of the house and the direction between them. A package is one room, named after its folder in <c>src</c>; <c>src/Marl</c> has a room in each of
/// its folders, and the files directly in it are their foundation, the room <c>Marl</c>.
/// </summary>
internal static class Rooms
{
    /// <summary>The room of the files directly in <c>src/Marl</c>.</summary>
    public const string Foundation = "Marl";

    /// <summary>The packages as (room, assembly).</summary>
    public static IReadOnlyList<(string Room, string Assembly)> Packages { get; } =
    [
        ("Tensor", "Marl.Native.Tensor"), ("Autodiff", "Marl.Native.Autodiff"), ("Nn", "Marl.Native.Nn"), (Foundation, "Marl.Native"), ("Cli", "marl"),
        (Gpu, "Marl.Native.Gpu"),
    ];

    /// <summary>The rooms of <c>src/Marl</c> without the foundation; each may use those before it.</summary>
    public static IReadOnlyList<string> OfMarl { get; } = ["Environments", "Experience", "Networks", "Acting", "Learning", "Algorithms", "Training"];

    /// <summary>All rooms; but for the GPU's, each may use those before it.</summary>
    public static IReadOnlyList<string> All { get; } = ["Tensor", "Autodiff", "Nn", Foundation, .. OfMarl, "Cli", Gpu];

    private const string Gpu = "Gpu";

    /// <summary>Whether the code of one room may use the types of another. The GPU's is a device for tensors, which only the command sees.</summary>
    public static bool MayUse(string from, string to)
        => from == to || (from == Gpu ? to == "Tensor" : to == Gpu ? from == "Cli" : Index(to) >= 0 && Index(to) < Index(from));

    /// <summary>The room of a source file by its path, or null outside of <c>src</c>: generated code, for instance.</summary>
    public static string? OfFile(string path)
    {
        string[] parts = path.Split('/', '\\');
        int package = Array.LastIndexOf(parts, "src") + 1;
        if (package == 0 || package + 1 >= parts.Length || parts[package + 1] is "obj" or "bin")
        {
            return null;
        }
        return parts[package] == Foundation && package + 2 < parts.Length ? parts[package + 1] : parts[package];
    }

    private static int Index(string room)
    {
        for (int i = 0; i < All.Count; i++)
        {
            if (All[i] == room)
            {
                return i;
            }
        }
        return -1;
    }
}
