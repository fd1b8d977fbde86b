namespace Marl.Native.Nn;

/// <summary>Writing a file so that whoever opens it finds the old content or the new, never a part.</summary>
public static class AtomicFile
{
    /// <summary>Writes a temporary file beside <paramref name="path"/>, forces it to disk and renames it. If anything fails the
    /// temporary file is removed, and what was at <paramref name="path"/> is still there.</summary>
    /// <exception cref="IOException">it could not be written.</exception>
    /// <exception cref="UnauthorizedAccessException">the folder is not ours to write to.</exception>
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
                // The runtime's word for a file that is longer than the system allows.
                throw new IOException($"'{path}' cannot be written: {e.Message}", e);
            }
            throw;
        }
    }
}
