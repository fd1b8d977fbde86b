namespace Marl.Native.Bench.Compare;

/// <summary>The repository of this program.</summary>
internal static class Repository
{
    /// <summary>The folder of the solution, above this program.</summary>
    public static string Root { get; } = Find();

    private static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Marl.Native.sln")))
            {
                return folder.FullName;
            }
        }
        throw new DirectoryNotFoundException($"no folder above {AppContext.BaseDirectory} holds Marl.Native.sln");
    }
}
