namespace Marl.Native.Nn;

/// <summary>Writes files atomically: a reader sees the old content or the new content, never a part, also after a crash of the system.</summary>
public static class AtomicFile
{
    private const string Extension = ".part";

    /// <summary>
    /// Writes a temporary file next to <paramref name="path"/>, flushes it to disk, renames it, and flushes the directory. If that fails, the temporary file is deleted and
    /// the file at <paramref name="path"/> is unchanged.
    /// </summary>
    /// <param name="path">The file to write or replace.</param>
    /// <param name="write">Writes the content.</param>
    /// <param name="predecessor">Where the replaced file is kept; null: it is not kept.</param>
    /// <exception cref="IOException">The file cannot be written or flushed.</exception>
    /// <exception cref="UnauthorizedAccessException">Writing to the directory is not permitted.</exception>
    public static void Write(string path, Action<Stream> write, string? predecessor = null)
    {
        string temporary = $"{path}.{Path.GetRandomFileName()}{Extension}";
        var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write);
        try
        {
            using (stream)
            {
                write(stream);
                Disk.Flush(stream);
            }
            if (predecessor is not null && File.Exists(path))
            {
                File.Move(path, predecessor, overwrite: true);
            }
            File.Move(temporary, path, overwrite: true);
        }
        catch (Exception e)
        {
            File.Delete(temporary);
            if (e is ArgumentOutOfRangeException)
            {
                // Thrown by the runtime when a file exceeds the limit of the system.
                throw new IOException($"'{path}' cannot be written: {e.Message}", e);
            }
            throw;
        }
        Disk.FlushDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
    }

    /// <summary>Writes what a file's stream and the system hold back to the disk.</summary>
    /// <exception cref="IOException">The disk failed.</exception>
    public static void FlushToDisk(FileStream stream) => Disk.Flush(stream);

    /// <summary>Deletes the temporary files that earlier processes left of <paramref name="path"/>, and no other file.</summary>
    public static void DeleteUnfinished(string path)
    {
        string name = Path.GetFileName(path);
        foreach (string file in Directory.EnumerateFiles(Path.GetDirectoryName(Path.GetFullPath(path))!, $"{name}.*{Extension}"))
        {
            // GetRandomFileName: eight characters, a dot and three.
            if (Path.GetFileName(file).Length == name.Length + 1 + 12 + Extension.Length)
            {
                File.Delete(file);
            }
        }
    }
}
