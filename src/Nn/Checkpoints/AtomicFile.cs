namespace Marl.Native.Nn;

/// <summary>Writes files atomically: a reader sees the old content or the new content, never a part, also after a crash of the system.</summary>
public static class AtomicFile
{
    private const string Extension = ".part";

    /// <summary>
    /// Writes a temporary file next to <paramref name="path"/>, flushes it to disk, renames it, and flushes the directory. If writing or renaming fails, the
    /// temporary file is deleted and the file at <paramref name="path"/> is unchanged; if flushing the directory fails, the new file is there, but a crash of the
    /// system may undo the renaming.
    /// </summary>
    /// <param name="path">The file to write or replace.</param>
    /// <param name="write">Writes the content.</param>
    /// <param name="predecessor">Where the replaced file is kept; null: it is not kept. Between two renamings a crash leaves it as the only file.</param>
    /// <exception cref="IOException">The file cannot be written or flushed.</exception>
    /// <exception cref="UnauthorizedAccessException">Writing to the directory is not permitted.</exception>
    public static void Write(string path, Action<Stream> write, string? predecessor = null)
    {
        string temporary = TemporaryName(path);
        var stream = Disk.Create(temporary);
        bool isMoved = false;
        try
        {
            using (stream)
            {
                write(stream);
                stream.FlushToDisk();
            }
            if (predecessor is not null && File.Exists(path))
            {
                Disk.Rename(path, predecessor);
                isMoved = true;
            }
            Disk.Rename(temporary, path);
        }
        catch (Exception e)
        {
            Undo();
            if (e is ArgumentOutOfRangeException)
            {
                // Thrown by the runtime when a file exceeds the limit of the system.
                throw new IOException($"'{path}' cannot be written: {e.Message}", e);
            }
            throw;
        }
        Disk.FlushDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);

        void Undo()
        {
            try
            {
                Disk.Delete(temporary);
                if (isMoved)
                {
                    Disk.Rename(predecessor!, path);
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // The caller is told of the first error. The temporary file is deleted at the next start.
            }
        }
    }

    /// <summary>Deletes the temporary files that earlier processes left of <paramref name="path"/>, and no other file.</summary>
    public static void DeleteUnfinished(string path)
    {
        string name = Path.GetFileName(path);
        foreach (string file in Directory.EnumerateFiles(Path.GetDirectoryName(Path.GetFullPath(path))!, $"{name}.*{Extension}"))
        {
            // GetRandomFileName: eight characters, a dot and three.
            if (Path.GetFileName(file).Length == name.Length + 1 + 12 + Extension.Length)
            {
                Disk.Delete(file);
            }
        }
    }

    /// <summary>Returns the name of a temporary file, which <see cref="DeleteUnfinished"/> deletes should it be left.</summary>
    internal static string TemporaryName(string path) => $"{path}.{Path.GetRandomFileName()}{Extension}";
}
