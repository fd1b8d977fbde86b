using System.Runtime.CompilerServices;
using System.Text;
using Marl.Native.Nn;
using Microsoft.Win32.SafeHandles;

namespace Marl.Native.Cli;

/// <summary>Properties of the terminal, read without loading Spectre.Console, which a run with redirected output does not need.</summary>
internal static class Terminal
{
    private const int MaxErrorLength = 1000;

    /// <summary>Whether the output is a terminal that can show a live view of at least this size.</summary>
    public static bool CanDraw(int width, int height) => !Console.IsOutputRedirected
        && Environment.GetEnvironmentVariable("TERM") is not ("dumb" or "")
        && Console.WindowWidth >= width && Console.WindowHeight >= height;

    /// <summary>Writes "marl: " and a message to stderr, as one line of at most 1000 characters without control characters, whatever it quotes.</summary>
    public static void WriteError(string message)
    {
        string line = $"marl: {Printable.Of(message.ReplaceLineEndings(" "), MaxErrorLength)}";
        try
        {
            WriteToConsole(line);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or TypeInitializationException or BadImageFormatException)
        {
            WriteUnbuffered(line);
        }
    }

    // A method of its own: without a free descriptor the console's assembly cannot be loaded.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void WriteToConsole(string line) => Console.Error.WriteLine(line);

    /// <summary>Writes to stderr without the console, which duplicates the descriptor: there may be no other.</summary>
    private static void WriteUnbuffered(string line)
    {
        try
        {
            using var handle = new SafeFileHandle(2, ownsHandle: false);
            using var stream = new FileStream(handle, FileAccess.Write, bufferSize: 0);
            stream.Write(Encoding.UTF8.GetBytes($"{line}\n"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            // There is no stderr. The exit code says that something failed.
        }
    }
}
