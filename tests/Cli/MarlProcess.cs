using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;

namespace Marl.Native.Tests.Cli;

/// <summary>How a process ended.</summary>
internal sealed record Outcome(int Code, string Output, string Error)
{
    /// <summary>The lines of stdout as JSON.</summary>
    public JsonObject[] Lines
        => [.. Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!.AsObject())];

    /// <summary>The last line of --json.</summary>
    public JsonObject Summary => Lines[^1];

    /// <summary>Of the final weights.</summary>
    public string Sha => Summary["weightsSha256"]!.GetValue<string>();

    /// <summary>That it failed as it should: with this code and one line of this text on stderr.</summary>
    public void HasFailed(int code, string line)
    {
        Assert.Equal($"marl: {line}\n", Error.ReplaceLineEndings("\n"));
        Assert.Equal(code, Code);
    }

    /// <summary>That it ended well.</summary>
    public Outcome HasSucceeded()
    {
        Assert.Equal("", Error);
        Assert.Equal(0, Code);
        return this;
    }
}

/// <summary>The real command in a process of its own.</summary>
internal sealed partial class MarlProcess : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly Process process;
    private readonly Task<string> error;

    private MarlProcess(ProcessStartInfo start)
    {
        process = Process.Start(start)!;
        error = process.StandardError.ReadToEndAsync();
    }

    /// <summary>Starts it in a folder.</summary>
    public static MarlProcess Start(string folder, params IEnumerable<string> arguments) => new(Describe(folder, arguments));

    /// <summary>Runs it to its end.</summary>
    public static Outcome Run(string folder, params IEnumerable<string> arguments) => Run(Describe(folder, arguments));

    /// <summary>Runs another program of the tests' folder to its end.</summary>
    public static Outcome RunProgram(string assembly, string folder, params IEnumerable<string> arguments) => Run(DescribeAssembly(assembly, folder, arguments));

    /// <summary>Runs it to its end with environment variables "name=value" set.</summary>
    public static Outcome RunWith(string variable, string folder, params IEnumerable<string> arguments)
    {
        var start = Describe(folder, arguments);
        start.Environment[variable.Split('=')[0]] = variable.Split('=')[1];
        return Run(start);
    }

    /// <summary>Runs it to its end under strace, with options of strace.</summary>
    public static Outcome RunTraced(string folder, string[] options, params IEnumerable<string> arguments)
    {
        var marl = Describe(folder, arguments);
        return Run(Describe(folder, "strace", ["-f", "-qqq", "-o", "/dev/null", .. options, marl.FileName, .. marl.ArgumentList]));
    }

    /// <summary>Runs it to its end in a shell: "$@" is the command.</summary>
    public static Outcome RunInShell(string folder, string script, params IEnumerable<string> arguments)
    {
        var marl = Describe(folder, arguments);
        return Run(Describe(folder, "bash", ["-c", script, "marl", marl.FileName, .. marl.ArgumentList]));
    }

    /// <summary>Runs it to its end where no file may grow beyond some KiB: the nearest thing to a full disk that needs no rights.</summary>
    public static Outcome RunWithFilesUpTo(int kibibytes, string folder, params IEnumerable<string> arguments)
    {
        var marl = Describe(folder, arguments);
        string[] shell = ["-c", $"trap '' XFSZ; ulimit -f {kibibytes}; exec \"$@\"", "marl", marl.FileName, .. marl.ArgumentList];
        var start = Describe(folder, "bash", shell);
        // The runtime's own memory is a file otherwise.
        start.Environment["DOTNET_EnableWriteXorExecute"] = "0";
        return Run(start);
    }

    /// <summary>The next line of its output.</summary>
    public string? ReadLine() => process.StandardOutput.ReadLine();

    /// <summary>Asks it to end.</summary>
    public void Send(int signal) => Assert.Equal(0, Kill(process.Id, signal));

    /// <summary>Waits for its end.</summary>
    public Outcome Wait()
    {
        string output = process.StandardOutput.ReadToEnd();
        Assert.True(process.WaitForExit(Patience), "the command did not end");
        return new(process.ExitCode, output, error.Result);
    }

    public void Dispose()
    {
        if (!process.HasExited)
        {
            process.Kill();
        }
        process.Dispose();
    }

    private static Outcome Run(ProcessStartInfo start)
    {
        using var marl = new MarlProcess(start);
        return marl.Wait();
    }

    private static ProcessStartInfo Describe(string folder, IEnumerable<string> arguments) => DescribeAssembly("marl.dll", folder, arguments);

    private static ProcessStartInfo DescribeAssembly(string assembly, string folder, IEnumerable<string> arguments) => Describe(
        folder, Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", [Path.Combine(AppContext.BaseDirectory, assembly), .. arguments]);

    private static ProcessStartInfo Describe(string folder, string program, string[] arguments) => new(program, arguments)
    {
        WorkingDirectory = folder,
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    };

    [LibraryImport("libc", EntryPoint = "kill")]
    internal static partial int Kill(int process, int signal);
}
