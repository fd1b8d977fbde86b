using System.Diagnostics;
using System.Text.RegularExpressions;

namespace Marl.Native.Tests.Cli;

/// <summary>A test that needs a browser: skipped by name where there is none.</summary>
public sealed class BrowserFactAttribute : FactAttribute
{
    public BrowserFactAttribute() => Skip = Browser.Missing;
}

/// <summary>A theory that needs a browser: skipped by name where there is none.</summary>
public sealed class BrowserTheoryAttribute : TheoryAttribute
{
    public BrowserTheoryAttribute() => Skip = Browser.Missing;
}

/// <summary>Chromium without a window.</summary>
internal static partial class Browser
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private static readonly string? program = Array.Find(["chromium", "chromium-browser", "google-chrome"], IsThere);

    /// <summary>Why tests that need it are skipped; null if it is there.</summary>
    public static string? Missing => program is null ? "there is no chromium" : null;

    /// <summary>The document of a page after its scripts have run for two seconds, and what was printed to its console.</summary>
    public static (string Document, string[] Console) Open(string file, string fragment = "")
    {
        using var folder = new TemporaryFolder();
        using var browser = Process.Start(new ProcessStartInfo(program!,
            ["--headless", "--no-sandbox", "--disable-gpu", $"--user-data-dir={folder.Path}", "--enable-logging=stderr", "--window-size=1200,800",
                "--virtual-time-budget=2000", "--dump-dom", new Uri(Path.GetFullPath(file)).AbsoluteUri + fragment])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var errors = browser.StandardError.ReadToEndAsync();
        string document = browser.StandardOutput.ReadToEnd();
        Assert.True(browser.WaitForExit(Patience), "the browser did not end");
        return (document, [.. ConsoleLine().Matches(errors.Result).Select(line => line.Value)]);
    }

    private static bool IsThere(string name)
    {
        try
        {
            using var browser = Process.Start(new ProcessStartInfo(name, "--version") { RedirectStandardOutput = true, RedirectStandardError = true })!;
            browser.WaitForExit();
            return browser.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }

    [GeneratedRegex("^.*CONSOLE.*$", RegexOptions.Multiline)]
    private static partial Regex ConsoleLine();
}
