namespace Marl.Native.Nn;

/// <summary>Saves and loads parameters as safetensors files: one F32 entry per slice, with PyTorch's names and layout.</summary>
/// <example>
/// <code>
/// var layout = new ParameterLayout();
/// var network = new Mlp(layout, [4, 32, 2]);
/// var parameters = new Parameters(layout).Initialize(new Rng(1));
/// Checkpoint.Save("network.safetensors", parameters);
/// var loaded = new Parameters(layout);
/// Checkpoint.Load("network.safetensors", loaded);
/// </code>
/// </example>
public static class Checkpoint
{
    /// <summary>Writes the values of all slices. An existing file is replaced atomically, or left unchanged if writing fails.</summary>
    /// <param name="path">The file.</param>
    /// <param name="parameters">The parameters.</param>
    /// <param name="metadata">Free text, by key.</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Save(string path, Parameters parameters, IReadOnlyDictionary<string, string>? metadata = null)
        => new Safetensors(parameters.Layout.Slices.Select(slice => SafetensorsEntry.Of(slice.Name, LengthsOf(slice), parameters[slice].ToArray())), metadata)
            .Write(path);

    /// <summary>Reads the values of all slices. The file must contain exactly these slices; otherwise no value is changed.</summary>
    /// <param name="path">The file.</param>
    /// <param name="parameters">The parameters to overwrite.</param>
    /// <returns>The metadata of the file.</returns>
    /// <exception cref="InvalidDataException">The file is damaged, or entries are missing, unknown, or of another shape or type.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static IReadOnlyDictionary<string, string> Load(string path, Parameters parameters)
    {
        var file = Safetensors.Read(path);
        var known = parameters.Layout.Slices.Select(slice => slice.Name).ToHashSet(StringComparer.Ordinal);
        string[] problems =
        [
            .. parameters.Layout.Slices.Select(slice => Problem(slice, file.Find(slice.Name))).OfType<string>(),
            .. from entry in file.Entries
               where !known.Contains(entry.Name)
               select $"'{SafetensorsHeader.Printable(entry.Name)}' is unknown",
        ];
        if (problems.Length > 0)
        {
            const int MaxShown = 10;
            string more = problems.Length > MaxShown ? $"; and {problems.Length - MaxShown} more" : "";
            throw new InvalidDataException($"{path} does not match the network: {string.Join("; ", problems.Take(MaxShown))}{more}");
        }
        foreach (var slice in parameters.Layout.Slices)
        {
            file.Find(slice.Name)!.TryGet(out float[] values);
            parameters[slice].CopyFrom(values);
        }
        return file.Metadata;
    }

    private static int[] LengthsOf(ParameterSlice slice) => [.. Enumerable.Range(0, slice.Shape.Rank).Select(axis => slice.Shape[axis])];

    private static string? Problem(ParameterSlice slice, SafetensorsEntry? entry)
    {
        if (entry is null)
        {
            return $"'{slice.Name}' is missing";
        }
        return entry.Type == "F32" && entry.Shape.SequenceEqual(LengthsOf(slice)) ? null : $"'{entry}' is not F32 {slice.Shape}";
    }
}
