using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Marl.Native.Rl;

namespace Marl.Native.Tests.Cli;

/// <summary>What marl play writes, in a browser.</summary>
public sealed partial class BrowserTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    /// <summary>The page is asked where the agents are at some steps, in either episode, and what it says about them; <c>--json</c> knows.</summary>
    [BrowserTheory]
    [InlineData("lbf:8x8-2p-2f-coop")]
    [InlineData("rware:tiny-4ag?steps=40")]
    [InlineData("predator-prey:6x6?predators=3&prey=3&steps=30")]
    [InlineData("climbing")]
    [InlineData("mpe:tag")]
    public void AReplayShowsEveryAgentWhereItIs(string id)
    {
        string[] play = ["play", "random", "--env", id, "--episodes", "2"];
        var frames = MarlProcess.Run(folder.Path, [.. play, "--json"]).HasSucceeded().Lines[..^1];
        MarlProcess.Run(folder.Path, [.. play, "--replay", "page.html"]).HasSucceeded();
        int[] steps = [0, 1, 2, 5, 17];
        File.AppendAllText(folder["page.html"], $$"""
            <script>
            const seen = [];
            for (const number of [0, 1]) {
              choose(number);
              for (const step of [{{string.Join(", ", steps)}}]) {
                goTo(step);
                const { left, top, width, height } = [...document.querySelectorAll('#scene .lines')].at(-1).getBoundingClientRect();
                seen.push({ number, step, said: element('step').textContent, actions: [...element('agents').rows].map(row => row.cells[1].textContent),
                  sum: element('total').textContent,
                  agents: [...document.querySelectorAll('#scene g.agent')].filter(agent => getComputedStyle(agent).display !== 'none')
                    .map(agent => agent.querySelector('.disc').getBoundingClientRect()).map(box => [(box.x + box.width / 2 - left) / width, (box.y + box.height / 2 - top) / height]) });
              }
            }
            document.body.innerHTML = '<pre id="seen">' + JSON.stringify(seen) + '</pre>';
            </script>
            """);
        var (document, console) = Browser.Open(folder["page.html"]);
        Assert.Empty(console);
        var seen = JsonNode.Parse(WebUtility.HtmlDecode(Seen().Match(document).Groups[1].Value))!.AsArray();
        Assert.Equal(2 * steps.Length, seen.Count);
        var environment = Catalog.CreateEnvironment(id);
        var rng = new Rng(1);
        environment.Reset(ref rng);
        var grid = ((IRenderable)environment).Render() as GridScene;
        foreach (var moment in seen)
        {
            var frame = frames.Single(frame => (int)frame["episode"]! == (int)moment!["number"]! && (int)frame["step"]! == (int)moment["step"]!);
            Assert.StartsWith($"step {frame["step"]} of ", (string)moment!["said"]!, StringComparison.Ordinal);
            Assert.Equal((double)frame["return"]!, double.Parse((string)moment["sum"]!, CultureInfo.InvariantCulture), 1e-4);
            Assert.Equal(frame["actions"]!.AsArray().Select(action => (string?)action), moment["actions"]!.AsArray().Select(action => (string?)action).Where(action => action != ""));
            JsonNode[] agents = [.. frame["things"]!.AsArray().Where(thing => (string?)thing!["role"] is "agent" or "opponent")!];
            var places = moment["agents"]!.AsArray();
            Assert.Equal(agents.Length, places.Count);
            foreach (var (agent, place) in agents.OrderBy(agent => grid is null ? (string?)agent["role"] : "").ThenBy(agent => (int)agent["agent"]!).Zip(places))
            {
                double x = (double)place![0]!, y = (double)place[1]!;
                if (grid is not null && agents.Count(other => (int)other["row"]! == (int)agent["row"]! && (int)other["col"]! == (int)agent["col"]!) == 1)
                {
                    Assert.Equal(((int)agent["col"]! + 0.5) / grid.Cols, x, 0.02 / grid.Cols + 0.01);
                    Assert.Equal(((int)agent["row"]! + 0.5) / grid.Rows, y, 0.02 / grid.Rows + 0.01);
                }
                Assert.InRange(x, 0, 1);
                Assert.InRange(y, 0, 1);
            }
        }
    }

    [BrowserFact]
    public void APictureIsAnImageThatMoves()
    {
        MarlProcess.Run(folder.Path, "play", "random", "--env", "lbf:8x8-2p-2f-coop", "--svg", "picture.svg").HasSucceeded();
        File.WriteAllText(folder["page.html"], """
            <img src="picture.svg" onload="document.title = this.naturalWidth + ' x ' + this.naturalHeight" onerror="document.title = 'broken'">
            """);
        var (document, console) = Browser.Open(folder["page.html"]);
        Assert.Empty(console);
        Assert.Matches(@"<title>512 x \d{3}</title>", document);

        File.WriteAllText(folder["inline.html"], File.ReadAllText(folder["picture.svg"]) + """
            <script>
            const picture = document.querySelector('svg'), agent = document.querySelector('.agent .disc');
            picture.pauseAnimations();
            const places = [0, 0.26, 3, 9].map(time => { picture.setCurrentTime(time); const box = agent.getBoundingClientRect(); return `${box.x} ${box.y}`; });
            document.title = new Set(places).size;
            </script>
            """);
        (document, console) = Browser.Open(folder["inline.html"]);
        Assert.Empty(console);
        Assert.Matches(@"<title>[2-4]</title>", document);
    }

    [BrowserFact]
    public void NamesAreText()
    {
        using var script = new External.Script(External.NamedScript.Deeds);
        MarlProcess.Run(folder.Path, "play", "random", "--env-cmd", script.Command, "--replay", "page.html").HasSucceeded();
        var (document, console) = Browser.Open(folder["page.html"], "#1");
        Assert.Empty(console);
        Assert.Contains(WebUtility.HtmlEncode(External.NamedScript.First), document, StringComparison.Ordinal);
        Assert.DoesNotContain("<b>", document, StringComparison.Ordinal);
        Assert.Contains("step 1 of 2", document, StringComparison.Ordinal);
    }

    [GeneratedRegex("<pre id=\"seen\">(.*?)</pre>")]
    private static partial Regex Seen();
}
