using System.Diagnostics;
using Marl.Native.Rl;

namespace Marl.Native.Tests.External;

/// <summary>A test that needs Python: skipped by name where there is none.</summary>
public sealed class PythonFactAttribute : FactAttribute
{
    public PythonFactAttribute() => Skip = Python.Missing;
}

/// <summary>A theory that needs Python: skipped by name where there is none.</summary>
public sealed class PythonTheoryAttribute : TheoryAttribute
{
    public PythonTheoryAttribute() => Skip = Python.Missing;
}

internal static class Python
{
    /// <summary>Why tests that need it are skipped; null if it is there.</summary>
    public static string? Missing { get; } = IsThere() ? null : "there is no python3";

    /// <summary>The folder of the adapter and its example.</summary>
    public static string Folder { get; } = Path.Combine(AppContext.BaseDirectory, "python");

    /// <summary>The command line of the example.</summary>
    public static string Rendezvous { get; } = $"python3 '{Path.Combine(Folder, "rendezvous.py")}'";

    private static bool IsThere()
    {
        try
        {
            using var python = Process.Start(new ProcessStartInfo("python3", "--version") { RedirectStandardOutput = true })!;
            python.WaitForExit();
            return python.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}

/// <summary>Environments that are a few lines of shell: whatever is asked, they answer what was written down beforehand.</summary>
internal sealed class Script : IDisposable
{
    public const string Hello = """
        {"protocol":1,"agents":[{"name":"a","observation_size":2,"actions":2},{"name":"b","observation_size":1,"actions":3,"team":1}],"episode_limit":5}
        """;

    public const string Start = """{"observations":[[1,2],[3]]}""";

    public const string Step = """{"observations":[[1.5,-2e1],[3]],"rewards":[0,1],"terminated":false,"truncated":false}""";

    private readonly TemporaryFolder folder = new();

    /// <summary>What is done for each line that is read; a line that begins with { is answered.</summary>
    public Script(params IEnumerable<string> deeds)
    {
        File.WriteAllLines(folder["env.sh"], deeds.Select(deed =>
            $"read -r line || exit 0; echo \"$line\" >> '{folder["asked"]}'\n" + (deed.StartsWith('{') ? $"printf '%s\\n' '{deed}'" : deed)));
    }

    /// <summary>What was asked.</summary>
    public string[] Asked => File.ReadAllLines(folder["asked"]);

    /// <summary>The command line.</summary>
    public string Command => $"sh {folder["env.sh"]}";

    /// <summary>The environment.</summary>
    public ExternalEnvironment Begin(int timeout = 20) => new(Command, timeout);

    /// <summary>Whether a process has ended.</summary>
    public static bool HasEnded(int process)
    {
        try
        {
            // What has ended but was not yet asked for its exit code still has a number.
            return File.ReadAllText($"/proc/{process}/stat").Contains(") Z ", StringComparison.Ordinal);
        }
        catch (IOException)
        {
            return true;
        }
    }

    public void Dispose() => folder.Dispose();
}

/// <summary>An environment of two steps whose agents have names that HTML, XML and terminals could take for something else.</summary>
internal static class NamedScript
{
    public const string First = "</script><b>bold</b> & {{scene}}", Second = "plain";

    /// <summary>Its answers, see <see cref="Script"/>.</summary>
    public static string[] Deeds =>
    [
        $$$"""{"protocol":1,"agents":[{"name":"{{{First}}}","observation_size":1,"actions":2},{"name":"{{{Second}}}","observation_size":1,"actions":2}],"episode_limit":2}""",
        """{"observations":[[0],[0]]}""",
        """{"observations":[[1],[1]],"rewards":[0.5,0],"terminated":false,"truncated":false}""",
        """{"observations":[[2],[2]],"rewards":[0,1],"terminated":true,"truncated":false}""",
    ];
}
