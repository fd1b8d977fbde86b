using System.Globalization;
using System.Xml.Linq;
using Marl.Native.Cli.Playing;
using Marl.Native.Rl;

namespace Marl.Native.Tests.Cli;

/// <summary>Recordings as animated SVG.</summary>
public sealed class SceneSvgTests
{
    private const double Hold = Timeline.Hold;

    public static TheoryData<string> Renderable => [.. Catalog.EnvironmentIds.Where(id => Catalog.CreateEnvironment(id) is IRenderable)];

    [Theory]
    [MemberData(nameof(Renderable))]
    public void EveryAgentIsDrawnAndEveryAnimationLastsAsLong(string id)
    {
        var recording = Recordings.Random(id, episodes: 2);
        string text = SceneSvg.Text(recording);
        var picture = XDocument.Parse(text).Root!;
        // Scripted ones are no agents of the environment.
        int drawn = recording.Frames.Max(frame => frame.Scene is GridScene grid ? grid.Sprites.Count(sprite => sprite.Role.IsAgent())
            : ((PlaneScene)frame.Scene!).Discs.Count(disc => disc.Role.IsAgent()));
        Assert.InRange(drawn, recording.Agents, int.MaxValue);
        Assert.Equal(drawn, OfClass(picture, "agent").Count());
        double[] steps = [.. recording.Frames.GroupBy(frame => frame.Episode).Select(episode => episode.Count() - 1.0)];
        double seconds = (steps.Sum() + 2 * Hold) / Timeline.StepsPerSecond;
        var animations = picture.Descendants().Where(element => element.Attribute("keyTimes") is not null).ToArray();
        Assert.NotEmpty(animations);
        Assert.All(animations, animation =>
        {
            Assert.Equal(string.Create(CultureInfo.InvariantCulture, $"{seconds}s"), (string?)animation.Attribute("dur"));
            double[] times = [.. Numbers((string)animation.Attribute("keyTimes")!)];
            Assert.Equal(times.Order(), times);
            Assert.Equal(0, times[0]);
            Assert.InRange(times[^1], 0, 1);
            Assert.True((string?)animation.Attribute("calcMode") == "discrete" || times[^1] == 1, "an even change must end with the picture");
            Assert.Equal(times.Length, ((string)animation.Attribute("values")!).Split(';').Length);
        });
        Assert.DoesNotContain("NaN", text, StringComparison.Ordinal);
    }

    [Fact]
    public void FiftyStepsOfForagingAreSmall() => Assert.InRange(SceneSvg.Text(Recordings.Random("lbf:8x8-2p-2f-coop")).Length, 1000, 50_000);

    [Fact]
    public void FoodIsThereUntilItIsEaten()
    {
        var field = new Scenes(
            new GridScene(2, 3, [new(SceneRole.Target, 0, 2) { Label = "3" }, new(SceneRole.Agent, 0, 0) { Agent = 0 }]),
            new GridScene(2, 3, [new(SceneRole.Target, 0, 2) { Label = "3" }, new(SceneRole.Agent, 0, 1) { Agent = 0 }]),
            new GridScene(2, 3, [new(SceneRole.Agent, 1, 1) { Agent = 0 }]));
        var picture = SceneSvg.Draw(Recordings.Random(field), caption: false);
        var food = OfClass(picture, "target").First().Parent!;
        Assert.Equal("inline", (string?)food.Attribute("display"));
        // Two steps of a picture of 2 + 6.
        Assert.Equal(("inline;none", "0;0.25"), Keys(food));
        var agent = OfClass(picture, "agent").Single().Elements().Single();
        Assert.Equal("translate(48 48)", (string?)agent.Attribute("transform"));
        Assert.Equal(("48 48;144 48;144 144;144 144", "0;0.125;0.25;1"), Keys(agent));
    }

    [Fact]
    public void ACarriedShelfMovesWithItsAgent()
    {
        static GridScene Shelf(int col, bool carried) => new(1, 3,
        [
            new(SceneRole.Target, 0, col), new(SceneRole.Agent, 0, col) { Agent = 0, Facing = carried ? Facing.Up : Facing.Right, Carries = carried },
        ]);
        var picture = SceneSvg.Draw(Recordings.Random(new Scenes(Shelf(0, false), Shelf(0, true), Shelf(1, true))), caption: false);
        var load = OfClass(OfClass(picture, "agent").Single(), "load").Single();
        Assert.Equal(("none;inline", "0;0.125"), Keys(load));
        var standing = OfClass(picture, "target").First(shape => shape.Attribute("class")!.Value == "target").Parent!;
        Assert.Equal(("inline;none", "0;0.125"), Keys(standing));
        // From the right to up is a quarter of a turn to the left.
        Assert.Equal(("0;-90;-90", "0;0.125;1"), Keys(OfClass(picture, "arrow").Single()));
    }

    /// <summary>A disc at (x, y) is at (a + s x, b - s y) with one s for both axes and all frames of an episode, and all discs together reach from border to border.</summary>
    [Fact]
    public void AnEpisodeOfThePlaneFillsItsCanvas()
    {
        const double canvas = 480;
        static PlaneScene Plane(double x, double y) => new(1, [new(SceneRole.Agent, x, y, 0.1) { Agent = 0 }, new(SceneRole.Agent, 0, 0.2, 0.1) { Agent = 1 }]);
        var picture = SceneSvg.Draw(Recordings.Random(new Scenes(Plane(-0.5, 0), Plane(-0.5, 0.5), Plane(0.3, 0.1))), caption: false);
        var agents = OfClass(picture, "agent").Select(agent => agent.Elements().Single()).ToArray();
        double[][] moving = [.. Keys(agents[0]).Values.Split(';').Select(place => place.Split(' ').Select(Parse).ToArray())];
        double scale = (moving[2][0] - moving[1][0]) / 0.8;
        Assert.Equal(scale, (moving[0][1] - moving[1][1]) / 0.5, 0.1);
        // x from -0.6 to 0.4 is the longer side.
        Assert.Equal(canvas / 1.06, scale, 0.1);
        Assert.Equal(canvas, moving[0][0] - 0.1 * scale + (moving[2][0] + 0.1 * scale), 0.1);
        Assert.All(moving, place => Assert.InRange(place[1], 0.1 * scale, canvas - 0.1 * scale));
        Assert.Equal(0.1 * scale, Parse((string)OfClass(picture, "disc").First().Attribute("r")!), 0.1);
    }

    [Fact]
    public void TheChosenPayoffIsMarked()
    {
        var recording = Recordings.Random("climbing?steps=3");
        var picture = SceneSvg.Draw(recording, caption: false);
        Assert.Equal(9, OfClass(picture, "floor").Count(square => square.Parent!.Element(SceneSvg.Namespace + "text") is not null));
        string[] chosen = [.. recording.Frames.Skip(1).Select(frame => FrameText.Amount(frame.Rewards[0])).Distinct()];
        Assert.Equal(chosen.Order(), OfClass(picture, "target").Select(square => square.Parent!.Element(SceneSvg.Namespace + "text")?.Value).OfType<string>().Distinct().Order());
    }

    [Fact]
    public void NamesAreTextAndEveryNamedAgentIsInTheLegend()
    {
        const string name = "</script><b>&\u0007\ud800";
        var scenes = new Scenes(name, new GridScene(1, 1, [new(SceneRole.Agent, 0, 0) { Agent = 0, Label = name }]));
        var recording = Recordings.Random(scenes);
        string text = SceneSvg.Text(recording), page = ReplayPage.Text(recording);
        Assert.DoesNotContain("<b>", text + page, StringComparison.Ordinal);
        var words = XDocument.Parse(text).Descendants(SceneSvg.Namespace + "text").Select(word => word.Value).ToArray();
        Assert.Equal(3, words.Count(word => word == "</script><b>&\ufffd\ufffd"));
    }

    [Fact]
    public void ColorsOfAgentsCanBeToldFromTheirTextAndFromEachOther()
    {
        var colors = Enumerable.Range(0, 6).Select(AgentColors.Of).ToArray();
        Assert.Distinct(colors.Select(color => color.Fill));
        Assert.All(colors, color => Assert.InRange(Contrast.Between(color.Fill, color.Ink), 3, 21));
    }

    private static IEnumerable<XElement> OfClass(XElement element, string name)
        => element.Descendants().Where(part => ((string?)part.Attribute("class") ?? "").Split(' ').Contains(name));

    private static (string Values, string Times) Keys(XElement element)
    {
        var animation = element.Elements().First(part => part.Attribute("keyTimes") is not null);
        return ((string)animation.Attribute("values")!, (string)animation.Attribute("keyTimes")!);
    }

    private static IEnumerable<double> Numbers(string list) => list.Split(';').Select(Parse);

    private static double Parse(string number) => double.Parse(number, CultureInfo.InvariantCulture);

    /// <summary>Shows given scenes, whatever its agents do.</summary>
    private sealed class Scenes(string name, params Scene[] scenes) : IEnvironment, IRenderable
    {
        private int step;

        public Scenes(params Scene[] scenes) : this("scenes", scenes)
        {
        }

        public EnvironmentSpec Spec { get; } = new()
        {
            Id = name,
            Agents = [new(1, 1) { Name = name == "scenes" ? null : name }, new(1, 1)],
            StateSize = 2,
            EpisodeLimit = Math.Max(1, scenes.Length - 1),
            SnapshotSize = 1,
        };

        public Scene? Render() => scenes[Math.Min(step, scenes.Length - 1)];

        public void Reset(ref Rng rng) => step = 0;

        public StepResult Step(JointAction actions, Span<double> rewards, ref Rng rng)
        {
            rewards.Clear();
            return ++step >= Spec.EpisodeLimit ? StepResult.Truncated : StepResult.Running;
        }

        public void Observe(int agent, Span<float> observation) => observation.Clear();

        public void Save(Span<double> snapshot) => snapshot[0] = step;

        public void Restore(ReadOnlySpan<double> snapshot) => step = (int)snapshot[0];
    }
}
