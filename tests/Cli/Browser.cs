using System.Diagnostics;
using System.Text.Json.Nodes;
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

    /// <summary>Opens a page and runs a script in it.</summary>
    /// <param name="file">the page.</param>
    /// <param name="script">the body of an async function, which may await <c>drawn()</c>, the next frames of the screen.</param>
    /// <param name="fragment">#.. of the address.</param>
    /// <returns>what the script returns.</returns>
    /// <exception cref="Xunit.Sdk.XunitException">something else was printed to the console, an error for example.</exception>
    public static JsonNode Open(string file, string script, string fragment = "")
    {
        using var folder = new TemporaryFolder();
        string page = folder["page.html"];
        File.WriteAllText(page, $$"""
            {{File.ReadAllText(file)}}
            <script>
            const drawn = () => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
            window.addEventListener('load', async () => {
              const result = await (async () => { {{script}} })();
              console.log('result ' + encodeURIComponent(JSON.stringify(result)) + ' end');
            });
            </script>
            """);
        using var browser = Process.Start(new ProcessStartInfo(program!,
            ["--headless", "--no-sandbox", "--disable-gpu", $"--user-data-dir={folder["profile"]}", "--enable-logging=stderr", "--window-size=1200,800",
                "--remote-debugging-port=0", new Uri(page).AbsoluteUri + fragment])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        using var alarm = new Timer(_ => browser.Kill(entireProcessTree: true), null, Patience, Timeout.InfiniteTimeSpan);
        try
        {
            while (browser.StandardError.ReadLine() is { } line)
            {
                if (Result().Match(line) is { Success: true } result)
                {
                    return JsonNode.Parse(Uri.UnescapeDataString(result.Groups[1].Value))!;
                }
                Assert.DoesNotContain("CONSOLE", line, StringComparison.Ordinal);
            }
            throw new InvalidOperationException("the browser ended without a result");
        }
        finally
        {
            browser.Kill(entireProcessTree: true);
            browser.WaitForExit();
        }
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

    [GeneratedRegex("CONSOLE.*result (.*) end")]
    private static partial Regex Result();
}
