using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Marl.Native.Nn;

/// <summary>Forces files to disk, with an error where that fails. The runtime's own Flush(true) ignores the error of fsync on Unix.</summary>
internal static partial class Disk
{
    // The file system has no fsync for this kind of file (POSIX: EINVAL; Linux's EROFS and ENOTSUP, macOS's ENOTSUP): there is nothing to force.
    private static readonly int[] Unsupported = [22, 30, OperatingSystem.IsMacOS() ? 45 : 95];

    /// <summary>Writes the buffers of a stream and of the operating system to the disk.</summary>
    /// <exception cref="IOException">The disk failed.</exception>
    public static void Flush(FileStream stream)
    {
        stream.Flush(flushToDisk: OperatingSystem.IsWindows());
        if (!OperatingSystem.IsWindows())
        {
            Synchronize(stream.SafeFileHandle, stream.Name);
        }
    }

    /// <summary>Writes the entries of a directory to the disk; otherwise a crash of the system may undo a rename. Not necessary on Windows.</summary>
    /// <exception cref="IOException">The disk failed.</exception>
    public static void FlushDirectory(string path)
    {
        if (!OperatingSystem.IsWindows())
        {
            using var directory = Open(path, 0);
            if (!directory.IsInvalid)
            {
                Synchronize(directory, path);
            }
        }
    }

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
}
