using System.Diagnostics;

namespace Marl.Native.Tests.Cli;

/// <summary>marl completion bash, in bash itself: what the shell is given for a line.</summary>
public sealed class CompletionTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void BashIsGivenCommandsOptionsAlgorithmsEnvironmentsSettingsAndRuns()
    {
        Directory.CreateDirectory(folder["runs/mine"]);
        File.WriteAllText(folder["runs/mine/config.json"], "{}");
        Directory.CreateDirectory(folder["other"]);
        (string Line, string Candidates)[] cases =
        [
            ("marl tr", "train"),
            ("marl list opt", "options"),
            ("marl train cw", "cw-qmix"),
            ("marl train vdn --se", "--seed --seeds --set"),
            ("marl train vdn --env two", "two-step"),
            // Bash breaks words at colons and equals signs: what stands before is not repeated. What a shell would read is quoted.
            ("marl train vdn --env lbf:8x8-2p-2f-c", "8x8-2p-2f-coop"),
            ("marl train vdn --env mpe:spread?ag", @"spread\?agents=5\&ratio=0.25"),
            ("marl train qmix --set mixer.e", "mixer.embed="),
            ("marl train qmix --set hidden=8 mixer=q", "qmix qplex"),
            ("marl train qmix --set doubleQ=", "false true"),
            ("marl list options qt", "qtran qtran-alt"),
            ("marl eval ", "other/ random runs/ runs/mine"),
            ("marl resume runs/", "runs/mine"),
            ("marl completion ", "bash pwsh zsh"),
            ("marl train vdn --config x", ""),
        ];
        File.WriteAllText(folder["test.bash"], """
            marl() { "$DOTNET" "$MARL" "$@"; }
            eval "$(marl completion bash)" || exit 1
            while IFS= read -r COMP_LINE; do
                COMP_POINT=${#COMP_LINE}
                _marl marl
                echo "${COMPREPLY[*]}"
            done
            """);
        var start = new ProcessStartInfo("bash", ["--norc", "test.bash"])
        {
            WorkingDirectory = folder.Path,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        start.Environment["DOTNET"] = Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet";
        start.Environment["MARL"] = Path.Combine(AppContext.BaseDirectory, "marl.dll");
        using var bash = Process.Start(start)!;
        bash.StandardInput.Write(string.Concat(cases.Select(one => one.Line + "\n")));
        bash.StandardInput.Close();
        string[] lines = bash.StandardOutput.ReadToEnd().Split('\n');
        Assert.Equal(cases.Select(one => $"{one.Line} -> {one.Candidates}"), cases.Zip(lines, (one, line) => $"{one.Line} -> {line}"));
    }

    [Theory]
    [InlineData("bash", "complete -o default -F _marl marl")]
    [InlineData("zsh", "compdef _marl marl")]
    [InlineData("pwsh", "Register-ArgumentCompleter -Native -CommandName marl")]
    public void EachShellHasAScript(string shell, string registration)
        => Assert.Contains(registration, MarlProcess.Run(folder.Path, "completion", shell).HasSucceeded().Output, StringComparison.Ordinal);
}
