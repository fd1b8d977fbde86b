using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Marl.Native.Tests.Cli;

/// <summary>A test that needs a pseudo-terminal: skipped by name where the system has none of this kind.</summary>
public sealed class TerminalFactAttribute : FactAttribute
{
    public TerminalFactAttribute() => Skip = PseudoTerminal.Missing;
}

/// <summary>A theory that needs a pseudo-terminal.</summary>
public sealed class TerminalTheoryAttribute : TheoryAttribute
{
    public TerminalTheoryAttribute() => Skip = PseudoTerminal.Missing;
}

/// <summary>The command on a pseudo-terminal, as a person has it: a screen of some size, keys, and changes of the size.</summary>
internal sealed partial class PseudoTerminal : IDisposable
{
    private const int ReadWrite = 2, NoControl = 0x100;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly string name;
    private readonly FileStream master;

    // As long as somebody has the other end, there is more to come.
    private readonly SafeFileHandle other;
    private readonly Process process;
    private readonly Screen screen;
    private readonly StringBuilder raw = new();
    private readonly Task reading;

    /// <summary>Starts the command in a folder.</summary>
    public PseudoTerminal(string folder, int width, int height, IEnumerable<string> arguments, params (string Name, string Value)[] environment)
    {
        int descriptor = OpenMaster(ReadWrite | NoControl);
        byte[] buffer = new byte[64];
        Assert.True(descriptor >= 0);
        Assert.Equal([0, 0, 0], [Grant(descriptor), Unlock(descriptor), Name(descriptor, buffer, (nuint)buffer.Length)]);
        name = Encoding.ASCII.GetString(buffer).TrimEnd('\0');
        other = new(Open(Encoding.ASCII.GetBytes(name + '\0'), ReadWrite | NoControl), ownsHandle: true);
        screen = new(width, height);
        SetSize(width, height);
        string dotnet = Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", marl = Path.Combine(AppContext.BaseDirectory, "marl.dll");
        // A session of its own, whose terminal this is.
        ProcessStartInfo start = new("sh", ["-c", """exec setsid -c "$@" <"$0" >"$0" 2>"$0" """, name, dotnet, marl, .. arguments])
        {
            WorkingDirectory = folder,
        };
        start.Environment["TERM"] = "xterm-256color";
        start.Environment.Remove("NO_COLOR");
        foreach (var (variable, value) in environment)
        {
            start.Environment[variable] = value;
        }
        master = new FileStream(new SafeFileHandle(descriptor, ownsHandle: true), FileAccess.ReadWrite, bufferSize: 0);
        process = Process.Start(start)!;
        reading = Task.Run(Read);
    }

    /// <summary>Why tests that need one are skipped; null if there is one.</summary>
    public static string? Missing => OperatingSystem.IsLinux() && File.Exists("/dev/ptmx") && File.Exists("/usr/bin/setsid") ? null : "there is no pseudo-terminal";

    /// <summary>All that was written, with its control sequences.</summary>
    public string Raw
    {
        get
        {
            lock (screen)
            {
                return raw.ToString();
            }
        }
    }

    /// <summary>Waits until the screen shows something.</summary>
    /// <returns>its rows.</returns>
    public string[] WaitFor(Func<string[], bool> shown)
    {
        var watch = Stopwatch.StartNew();
        while (true)
        {
            lock (screen)
            {
                if (shown(screen.Rows))
                {
                    return screen.Rows;
                }
                Assert.True(watch.Elapsed < Patience, "the screen never showed what it should; it shows\n" + string.Join('\n', screen.Lines));
            }
            Thread.Sleep(10);
        }
    }

    /// <summary>Changes the size of the terminal.</summary>
    public void Resize(int width, int height)
    {
        lock (screen)
        {
            screen.Resize(width, height);
        }
        SetSize(width, height);
    }

    /// <summary>Presses keys.</summary>
    public void Type(string keys) => master.Write(Encoding.UTF8.GetBytes(keys));

    /// <summary>Waits for the end of the command.</summary>
    /// <returns>its exit code, and what the terminal shows then.</returns>
    public (int Code, string[] Lines) Wait()
    {
        Assert.True(process.WaitForExit(Patience), "the command did not end");
        other.Dispose();
        Assert.True(reading.Wait(Patience));
        Assert.False(screen.IsAlternate);
        return (process.ExitCode, screen.Lines);
    }

    public void Dispose()
    {
        if (!process.HasExited)
        {
            process.Kill();
            process.WaitForExit();
        }
        other.Dispose();
        reading.Wait(Patience);
        process.Dispose();
        master.Dispose();
    }

    private void Read()
    {
        var decoder = Encoding.UTF8.GetDecoder();
        byte[] bytes = new byte[4096];
        char[] chars = new char[4096];
        try
        {
            for (int count = master.Read(bytes); count > 0; count = master.Read(bytes))
            {
                int decoded = decoder.GetChars(bytes, 0, count, chars, 0);
                lock (screen)
                {
                    raw.Append(chars, 0, decoded);
                    screen.Write(chars, 0, decoded);
                }
            }
        }
        catch (IOException)
        {
            // So it is told that nobody has the other end any more.
        }
    }

    private void SetSize(int width, int height)
    {
        using var stty = Process.Start("stty",
            ["-F", name, "cols", width.ToString(CultureInfo.InvariantCulture), "rows", height.ToString(CultureInfo.InvariantCulture)]);
        stty.WaitForExit();
        Assert.Equal(0, stty.ExitCode);
    }

    [LibraryImport("libc", EntryPoint = "posix_openpt")]
    private static partial int OpenMaster(int flags);

    [LibraryImport("libc", EntryPoint = "open")]
    private static partial int Open(byte[] path, int flags);

    [LibraryImport("libc", EntryPoint = "grantpt")]
    private static partial int Grant(int descriptor);

    [LibraryImport("libc", EntryPoint = "unlockpt")]
    private static partial int Unlock(int descriptor);

    [LibraryImport("libc", EntryPoint = "ptsname_r")]
    private static partial int Name(int descriptor, byte[] name, nuint length);
}
