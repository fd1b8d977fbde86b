namespace Marl.Native.Nn;

/// <summary>Weights on disk, as a safetensors file with one entry per slice of the parameters: PyTorch's names and layout,
/// F32.</summary>
public static class Checkpoint
{
    /// <summary>Writes the values of all slices. A file that was there is replaced in one piece, or left as it was if writing
    /// fails.</summary>
    /// <exception cref="IOException">it could not be written.</exception>
    public static void Save(string path, Parameters parameters, IReadOnlyDictionary<string, string>? metadata = null)
        => new Safetensors(parameters.Layout.Slices.Select(slice => SafetensorsEntry.Of(slice.Name, LengthsOf(slice), parameters[slice].ToArray())), metadata)
            .Write(path);

    /// <summary>Reads the values of all slices. The file must hold exactly them; if it does not, no value is changed.</summary>
    /// <returns>the metadata.</returns>
    /// <exception cref="InvalidDataException">the file is damaged, or entries are missing, unknown or of another shape or type;
    /// names the file and the entries in one line.</exception>
    /// <exception cref="IOException">it could not be read.</exception>
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
            const int Most = 10;
            string more = problems.Length > Most ? $"; and {problems.Length - Most} more" : "";
            throw new InvalidDataException($"{path} does not fit the network: {string.Join("; ", problems.Take(Most))}{more}");
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
