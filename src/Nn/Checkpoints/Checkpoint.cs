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
        Load(file, parameters, path);
        return file.Metadata;
    }

    /// <summary>Reads the values of all slices from the content of a file, which must be exactly them; if it is not, no value is changed.</summary>
    /// <inheritdoc cref="EnsureFits"/>
    public static void Load(Safetensors file, Parameters parameters, string path)
    {
        EnsureFits(file, parameters.Layout, path);
        foreach (var slice in parameters.Layout.Slices)
        {
            file.Find(slice.Name)!.TryGet(out float[] values);
            parameters[slice].CopyFrom(values);
        }
    }

    /// <summary>Refuses a file that does not hold exactly the slices of a layout, or a value that is NaN or infinite. Nothing of the size of the layout is allocated.</summary>
    /// <param name="file">The content of the file.</param>
    /// <param name="layout">The slices that are needed.</param>
    /// <param name="path">The name of the file in errors.</param>
    /// <exception cref="InvalidDataException">Entries are missing, unknown, of another shape or type, or not finite; names them in one line.</exception>
    public static void EnsureFits(Safetensors file, ParameterLayout layout, string path)
    {
        var known = layout.Slices.Select(slice => slice.Name).ToHashSet(StringComparer.Ordinal);
        string[] problems =
        [
            .. layout.Slices.Select(slice => Problem(slice, file.Find(slice.Name))).OfType<string>(),
            .. from entry in file.Entries
               where !known.Contains(entry.Name)
               select $"'{SafetensorsHeader.Excerpt(entry.Name)}' is unknown",
        ];
        if (problems.Length > 0)
        {
            const int MaxShown = 10;
            string more = problems.Length > MaxShown ? $"; and {problems.Length - MaxShown} more" : "";
            throw new InvalidDataException($"{path} does not match the network: {string.Join("; ", problems.Take(MaxShown))}{more}");
        }
    }

    private static int[] LengthsOf(ParameterSlice slice) => [.. Enumerable.Range(0, slice.Shape.Rank).Select(axis => slice.Shape[axis])];

    private static string? Problem(ParameterSlice slice, SafetensorsEntry? entry)
    {
        if (entry is null)
        {
            return $"'{slice.Name}' is missing";
        }
        return entry.Type != "F32" || !entry.Shape.SequenceEqual(LengthsOf(slice)) ? $"'{SafetensorsHeader.Excerpt(entry.ToString())}' is not F32 {slice.Shape}"
            : entry.TryGet(out float[] values) && Array.Exists(values, value => !float.IsFinite(value)) ? $"'{slice.Name}' has values that are NaN or infinite" : null;
    }
}
