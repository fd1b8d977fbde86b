namespace Marl.Native.Nn;

/// <summary>Writes files atomically: a reader sees the old content or the new content, never a part.</summary>
public static class AtomicFile
{
    /// <summary>
    /// Writes a temporary file next to <paramref name="path"/>, flushes it to disk and renames it. If that fails, the temporary file is deleted and the file at
    /// <paramref name="path"/> is unchanged.
    /// </summary>
    /// <param name="path">The file to write or replace.</param>
    /// <param name="write">Writes the content.</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">Writing to the directory is not permitted.</exception>
    public static void Write(string path, Action<Stream> write)
    {
        string temporary = $"{path}.{Path.GetRandomFileName()}.tmp";
        var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write);
        try
        {
            using (stream)
            {
                write(stream);
                stream.Flush(flushToDisk: true);
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
    }
}
