using System.Globalization;
using System.Text.Json.Nodes;
using Marl.Native.Rl;

namespace Marl.Native.Tests.Cli;

/// <summary>What marl play writes, in a browser. None of it prints anything to the console.</summary>
public sealed class BrowserTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    /// <summary>The page is asked where the agents are at some steps of both episodes, and what it says of them; the same episodes as JSON have the answer.</summary>
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
        var seen = Browser.Open(folder["page.html"], """
            const moments = [];
            for (const number of [0, 1]) {
              choose(number);
              for (const step of [0, 1, 2, 5, 17]) {
                goTo(step);
                await drawn();
                const { left, top, width, height } = [...document.querySelectorAll('#scene .lines')].at(-1).getBoundingClientRect();
                const there = [...document.querySelectorAll('#scene g.agent')].filter(agent => getComputedStyle(agent).display !== 'none');
                const boxes = there.map(agent => agent.querySelector('.disc').getBoundingClientRect());
                moments.push({
                  number, step, said: element('step').textContent, total: element('total').textContent,
                  actions: [...element('agents').rows].map(row => row.cells[1].textContent),
                  places: boxes.map(box => [(box.x + box.width / 2 - left) / width, (box.y + box.height / 2 - top) / height]),
                });
              }
            }
            return moments;
            """).AsArray();
        Assert.Equal(10, seen.Count);
        var size = Size(id);
        foreach (var moment in seen)
        {
            var frame = frames.Single(frame => (int)frame["episode"]! == (int)moment!["number"]! && (int)frame["step"]! == (int)moment["step"]!);
            Assert.StartsWith($"step {frame["step"]} of ", (string)moment!["said"]!, StringComparison.Ordinal);
            Assert.Equal((double)frame["return"]!, double.Parse((string)moment["total"]!, CultureInfo.InvariantCulture), 1e-4);
            Assert.Equal(Words(frame["actions"]!), Words(moment["actions"]!).Where(action => action != ""));
            JsonNode[] agents = [.. frame["things"]!.AsArray().Select(thing => thing!).Where(thing => (string?)thing["role"] is "agent" or "opponent")];
            var places = moment["places"]!.AsArray();
            Assert.Equal(agents.Length, places.Count);
            foreach (var (agent, place) in agents.OrderBy(agent => size is null ? (string?)agent["role"] : "").ThenBy(agent => (int)agent["agent"]!).Zip(places))
            {
                var (x, y) = ((double)place![0]!, (double)place[1]!);
                Assert.InRange(x, 0, 1);
                Assert.InRange(y, 0, 1);
                // Agents that share a cell stand around its middle.
                if (size is { } cells)
                {
                    Assert.Equal((int)agent["col"]! + 0.5, x * cells.Cols, 0.25);
                    Assert.Equal((int)agent["row"]! + 0.5, y * cells.Rows, 0.25);
                }
            }
        }
    }

    [BrowserFact]
    public void KeysMoveTheClock()
    {
        MarlProcess.Run(folder.Path, "play", "random", "--env", "lbf:8x8-2p-2f-coop", "--episodes", "2", "--replay", "page.html").HasSucceeded();
        var said = Browser.Open(folder["page.html"], """
            const said = [];
            for (const key of ['ArrowRight', 'ArrowRight', 'ArrowLeft', 'End', 'Home', 'PageDown', ' ', ' ', '+']) {
              document.body.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
              await drawn();
              said.push(`${element('step').textContent.split(' of ')[0]} ${element('episode').value} ${element('play').textContent} ${element('speed').value}`);
            }
            return said;
            """, fragment: "#3");
        Assert.Equal(
        [
            "step 4 0 Play 4", "step 5 0 Play 4", "step 4 0 Play 4", "step 50 0 Play 4", "step 0 0 Play 4", "step 0 1 Play 4", "step 0 1 Pause 4", "step 0 1 Play 4", "step 0 1 Play 8",
        ], Words(said));
    }

    [BrowserFact]
    public void APictureIsAnImageThatMoves()
    {
        MarlProcess.Run(folder.Path, "play", "random", "--env", "lbf:8x8-2p-2f-coop", "--svg", "picture.svg").HasSucceeded();
        string picture = Convert.ToBase64String(File.ReadAllBytes(folder["picture.svg"]));
        File.WriteAllText(folder["page.html"], $"""<img src="data:image/svg+xml;base64,{picture}">{File.ReadAllText(folder["picture.svg"])}""");
        var seen = Browser.Open(folder["page.html"], """
            const places = new Set(), disc = document.querySelector('.agent .disc'), image = document.querySelector('img');
            while (places.size < 4) {
              await drawn();
              const { x, y } = disc.getBoundingClientRect();
              places.add(`${x} ${y}`);
            }
            return [image.naturalWidth, image.naturalHeight];
            """).AsArray();
        Assert.Equal(512, (int)seen[0]!);
        Assert.InRange((int)seen[1]!, 500, 700);
    }

    [BrowserFact]
    public void NamesAreText()
    {
        using var script = new External.Script(External.NamedScript.Deeds);
        MarlProcess.Run(folder.Path, "play", "random", "--env-cmd", script.Command, "--replay", "page.html").HasSucceeded();
        var seen = Browser.Open(folder["page.html"], """
            return [element('step').textContent, document.querySelectorAll('b').length, ...[...element('agents').rows].map(row => row.cells[0].textContent)];
            """, "#1").AsArray();
        Assert.Equal(["step 1 of 2", "0", $"A{External.NamedScript.First}", $"B{External.NamedScript.Second}"], seen.Select(value => value!.ToString()));
    }

    private static IEnumerable<string?> Words(JsonNode list) => list.AsArray().Select(word => (string?)word);

    /// <summary>Of a grid; null of a plane.</summary>
    private static (int Rows, int Cols)? Size(string id)
    {
        var environment = Catalog.CreateEnvironment(id);
        var rng = new Rng(1);
        environment.Reset(ref rng);
        return ((IRenderable)environment).Render() is GridScene grid ? (grid.Rows, grid.Cols) : null;
    }
}
