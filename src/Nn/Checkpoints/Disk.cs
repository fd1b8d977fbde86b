using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Marl.Native.Nn;

/// <summary>An operation that changes what is on a disk, see <see cref="Disk.Observe"/>.</summary>
internal enum DiskOperation
{
    /// <summary>Opens a file to write it.</summary>
    Open,
    /// <summary>Writes bytes to a file.</summary>
    Write,
    /// <summary>Forces a file to disk.</summary>
    Flush,
    /// <summary>Renames a file.</summary>
    Rename,
    /// <summary>Deletes a file.</summary>
    Delete,
    /// <summary>Forces the names in a directory to disk.</summary>
    FlushDirectory,
}

/// <summary>
/// All access to files that must survive a failure. Errors are reported where they occur: files are unbuffered, and fsync is checked, whose error the runtime's
/// own Flush(true) ignores on Unix. Only regular files are read or appended to: opening a pipe could wait forever.
/// </summary>
internal static partial class Disk
{
    // The file system has no fsync for this kind of file (POSIX: EINVAL; Linux's EROFS and ENOTSUP, macOS's ENOTSUP): there is nothing to force.
    private static readonly int[] Unsupported = [22, 30, OperatingSystem.IsMacOS() ? 45 : 95];

    // O_RDONLY, O_NONBLOCK, O_CLOEXEC.
    private static readonly int OpenFlags = OperatingSystem.IsMacOS() ? 0x4 | 0x1000000 : 0x800 | 0x80000;

    private static readonly AsyncLocal<Action<DiskOperation, string>?> Observer = new();

    /// <summary>Calls a function before every operation of the current asynchronous flow, until the result is disposed. The operation fails if it
    /// throws.</summary>
    /// <param name="before">Receives the operation and the path.</param>
    public static IDisposable Observe(Action<DiskOperation, string> before)
    {
        Observer.Value = before;
        return new Observation();
    }

    /// <summary>Creates a file that does not exist.</summary>
    public static DiskFile Create(string path)
    {
        Begin(DiskOperation.Open, path);
        return new DiskFile(path, FileMode.CreateNew, FileShare.None);
    }

    /// <summary>Opens or creates a file to write after its end.</summary>
    /// <exception cref="IOException">It is not a regular file.</exception>
    public static DiskFile Append(string path)
    {
        Begin(DiskOperation.Open, path);
        RequireRegular(path);
        return new DiskFile(path, FileMode.OpenOrCreate, FileShare.Read);
    }

    /// <summary>Opens a file to read it.</summary>
    /// <exception cref="IOException">It is not a regular file, or cannot be read.</exception>
    public static FileStream OpenRead(string path)
    {
        RequireRegular(path);
        return new FileStream(path, FileMode.Open, FileAccess.Read);
    }

    /// <summary>Reads a text file; a byte order mark is skipped.</summary>
    /// <param name="path">The file.</param>
    /// <param name="maxLength">The largest size in bytes; by default 64 MiB.</param>
    /// <exception cref="IOException">It is not a regular file, is too long, or cannot be read.</exception>
    public static string ReadText(string path, long maxLength = 1 << 26)
    {
        using var stream = OpenRead(path);
        if (stream.Length > maxLength)
        {
            throw new IOException($"'{path}' has {stream.Length} bytes; at most {maxLength} are read");
        }
        // Devices that never end have the length 0.
        byte[] bytes = new byte[stream.Length];
        int read = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        using var reader = new StreamReader(new MemoryStream(bytes, 0, read));
        return reader.ReadToEnd();
    }

    /// <summary>Throws if there is something at a path that is neither a regular file nor a directory.</summary>
    /// <exception cref="IOException">It is a pipe or a device.</exception>
    public static void RequireRegular(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }
        using var file = Open(path, OpenFlags);
        try
        {
            // What cannot be opened is reported by whoever needs it.
            _ = file.IsInvalid ? 0 : RandomAccess.GetLength(file);
        }
        catch (NotSupportedException)
        {
            throw new IOException($"'{path}' is a pipe or a device, not a file");
        }
    }

    /// <summary>Renames a file, and replaces one of the new name.</summary>
    public static void Rename(string path, string newPath)
    {
        Begin(DiskOperation.Rename, newPath);
        File.Move(path, newPath, overwrite: true);
    }

    /// <summary>Deletes a file, if there is one.</summary>
    public static void Delete(string path)
    {
        Begin(DiskOperation.Delete, path);
        File.Delete(path);
    }

    /// <summary>Writes the entries of a directory to the disk; otherwise a crash of the system may undo a rename. Not necessary on Windows.</summary>
    /// <exception cref="IOException">The disk failed.</exception>
    public static void FlushDirectory(string path)
    {
        Begin(DiskOperation.FlushDirectory, path);
        if (!OperatingSystem.IsWindows())
        {
            using var directory = Open(path, OpenFlags);
            if (!directory.IsInvalid)
            {
                Synchronize(directory, path);
            }
        }
    }

    /// <summary>Writes what the system holds back of a file to the disk.</summary>
    /// <exception cref="IOException">The disk failed.</exception>
    public static void Flush(SafeFileHandle file, string path)
    {
        Begin(DiskOperation.Flush, path);
        if (OperatingSystem.IsWindows())
        {
            RandomAccess.FlushToDisk(file);
        }
        else
        {
            Synchronize(file, path);
        }
    }

    /// <summary>Tells the observer of an operation.</summary>
    internal static void Begin(DiskOperation operation, string path) => Observer.Value?.Invoke(operation, path);

    private static void Synchronize(SafeFileHandle file, string path)
    {
        while (FSync(file) != 0)
        {
            const int Interrupted = 4;
            int error = Marshal.GetLastPInvokeError();
            if (Unsupported.Contains(error))
            {
                return;
            }
            if (error != Interrupted)
            {
                throw new IOException($"'{path}' could not be written to disk: {new Win32Exception(error).Message}");
            }
        }
    }

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int FSync(SafeFileHandle file);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle Open(string path, int flags);

    private sealed class Observation : IDisposable
    {
        public void Dispose() => Observer.Value = null;
    }
}
