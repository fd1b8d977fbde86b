using Microsoft.Win32.SafeHandles;

namespace Marl.Native.Nn;

/// <summary>A file that is written from its end on, without a buffer: a write that fails throws at once, and closing the file writes nothing.</summary>
internal sealed class DiskFile : Stream
{
    private readonly string path;
    private readonly SafeFileHandle file;
    private long position;

    /// <summary>Opens the file.</summary>
    public DiskFile(string path, FileMode mode, FileShare share)
    {
        (this.path, file) = (path, File.OpenHandle(path, mode, FileAccess.Write, share));
        position = RandomAccess.GetLength(file);
    }

    /// <inheritdoc/>
    public override bool CanRead => false;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => true;

    /// <inheritdoc/>
    public override long Length => position;

    /// <inheritdoc/>
    public override long Position
    {
        get => position;
        set => throw new NotSupportedException();
    }

    /// <inheritdoc/>
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        if (buffer.IsEmpty)
        {
            return;
        }
        Disk.Begin(DiskOperation.Write, path);
        RandomAccess.Write(file, buffer, position);
        position += buffer.Length;
    }

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    public override void Flush()
    {
        // There is no buffer.
    }

    /// <summary>Writes what the system holds back of the file to the disk.</summary>
    /// <exception cref="IOException">The disk failed.</exception>
    public void FlushToDisk() => Disk.Flush(file, path);

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        file.Dispose();
        base.Dispose(disposing);
    }
}
