namespace Marl.Native.Cli.Playing;

/// <summary>Files that are part of the program.</summary>
internal static class Resources
{
    /// <summary>The text of one of them.</summary>
    public static string Read(string name)
    {
        using var stream = typeof(Resources).Assembly.GetManifestResourceStream(name)!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
