namespace Marl.Native.Cli.Playing;

/// <summary>Reads the embedded resources of the assembly.</summary>
internal static class Resources
{
    /// <summary>Returns the text of a resource.</summary>
    public static string Read(string name)
    {
        using var stream = typeof(Resources).Assembly.GetManifestResourceStream(name)!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
