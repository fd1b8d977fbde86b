using System.Diagnostics;
using Marl.Native.Rl;

namespace Marl.Native.Tests.External;

/// <summary>Environments in another process: what they say arrives, and whatever they do wrong is named.</summary>
public sealed class ExternalEnvironmentTests
{
    [Fact]
    public void WhatTheProgramSaysArrives()
    {
        using var script = new Script(Script.Hello, Script.Start, Script.Step,
            """{"observations":[[0,0],[0]],"rewards":[-0.1,2],"terminated":true,"truncated":false,"available":[[0,1],[true,false,1]]}""");
        using var environment = script.Begin();
        var spec = environment.Spec;
        Assert.Equal([new AgentSpec(2, 2), new AgentSpec(1, 3, Team: 1)], spec.Agents);
        Assert.Equal((3, 5, RewardMode.Sum), (spec.StateSize, spec.EpisodeLimit, spec.Reward));
        var (rng, rewards, state) = (new Rng(1), new double[2], new float[3]);
        environment.Reset(ref rng);
        environment.ReadState(state);
        Assert.Equal([1, 2, 3], state);
        Assert.Equal([true, true, true], Available(environment, 1, 3));
        Assert.Equal(StepResult.Running, environment.Step([1, 2], rewards, ref rng));
        environment.ReadState(state);
        Assert.Equal([1.5f, -20, 3], state);
        Assert.Equal([0, 1], rewards);
        Assert.Equal(StepResult.Terminated, environment.Step([0, 1], rewards, ref rng));
        Assert.Equal([-0.1, 2], rewards);
        Assert.Equal([[false, true], [true, false, true]], new[] { Available(environment, 0, 2), Available(environment, 1, 3) });
        var expected = new Rng(1);
        Assert.Equal([
            """{"type":"hello","protocol":1}""", $$"""{"type":"reset","seed":{{expected.NextInt(int.MaxValue)}}}""",
            """{"type":"step","actions":[1,2]}""", """{"type":"step","actions":[0,1]}"""], script.Asked);
    }

    [Fact]
    public void ActionsOfSeveralPartsAreLists()
    {
        using var script = new Script(
            """
            {"protocol":1,"agents":[{"observation_size":1,"branches":[2,3]},{"observation_size":1,"branches":[4],"actions":2,"box":[-1,1]},{"observation_size":1,"actions":3}],"episode_limit":5}
            """,
            """{"observations":[[0],[0],[0]],"available":[[1,0,0,1,1],[0,1,1,1,1,1],[1,1,1]]}""",
            """{"observations":[[1],[1],[1]],"rewards":[0,0,0],"terminated":false,"truncated":false}""",
            """{"observations":[[1],[1],[1]],"available":[[1,0,0,0,0],[0,1,1,1,1,1],[1,1,1]],"rewards":[0,0,0],"terminated":false,"truncated":false}""");
        using var environment = script.Begin();
        Assert.Equal([new AgentSpec(1, [2, 3]), new(1, [4], 2, Box: new(-1, 1)), new(1, 3)], environment.Spec.Agents);
        var (rng, available) = (new Rng(1), new bool[6]);
        environment.Reset(ref rng);
        environment.ReadAvailable(1, available);
        Assert.Equal([false, true, true, true, true, true], available);
        environment.Step(JointAction.Create([1, 2, 3, 0, 1, 0], 2, [0f, 0f, 0.5f, -1f, 0f, 0f], 2), new double[3], ref rng);
        Assert.Equal("""{"type":"step","actions":[[1,2],[3,0.5,-1],1]}""", script.Asked[2]);
        Assert.Contains("agent '0' has no available action", Assert.Throws<EnvironmentException>(
            () => environment.Step(JointAction.Create(new int[6], 2, new float[6], 2), new double[3], ref rng)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AnEpisodeIsCutOffAtTheLimitAndAStateOfItsOwnIsRead()
    {
        string hello = Script.Hello.Replace("\"episode_limit\":5", "\"episode_limit\":1,\"state_size\":1,\"reward\":\"mean\"", StringComparison.Ordinal);
        using var script = new Script(hello, Script.Start[..^1] + ",\"state\":[7]}", Script.Step[..^1] + ",\"state\":[8]}");
        using var environment = script.Begin();
        Assert.Equal((1, RewardMode.Mean), (environment.Spec.StateSize, environment.Spec.Reward));
        var (rng, state) = (new Rng(1), new float[1]);
        environment.Reset(ref rng);
        environment.ReadState(state);
        Assert.Equal(7, state[0]);
        Assert.Equal(StepResult.Truncated, environment.Step([0, 0], new double[2], ref rng));
        environment.ReadState(state);
        Assert.Equal(8, state[0]);
    }

    [Theory]
    [InlineData("exit 3", "the program ended with exit code 3")]
    [InlineData("echo boom >&2; echo >&2; exit 1", "the program ended with exit code 1; its last error line: boom")]
    [InlineData("kill -9 $$", "the program ended with exit code 137")]
    [InlineData("printf '{\"obs'; exit 0", "the program ended with exit code 0")]
    [InlineData("echo hello", "the answer is not a JSON object: 'hello'")]
    [InlineData("echo", "the answer is not a JSON object: ''")]
    [InlineData("echo [1]", "the answer is not a JSON object: '[1]'")]
    [InlineData("{\"observations\":[[1,2],[3]]", "the answer is not a JSON object: '{\"observations\":[[1,2],[3]]'")]
    [InlineData(Script.Step + " 1", "the answer is not a JSON object: '{")]
    [InlineData("{\"observations\":[[1],[3]]}", "the observation of agent 'a' has 1 elements instead of 2")]
    [InlineData("{\"observations\":[[1,2],[3,4]]}", "the observation of agent 'b' has more than 1 elements")]
    [InlineData("{\"observations\":[[1,2]]}", "the observation of agent 'b' is missing")]
    [InlineData("{\"observations\":[[1,2],[3],[4]]}", "observations has more than 2 elements")]
    [InlineData("{\"observations\":[[1,NaN],[3]]}", "element 1 of the observation of agent 'a' is NaN; a finite number is required")]
    [InlineData("{\"observations\":[[1, -Infinity],[3]]}", "element 1 of the observation of agent 'a' is -Infinity; a finite")]
    [InlineData("{\"observations\":[[1,2],[1e39]]}", "element 0 of the observation of agent 'b' is 1e39; a finite number is required")]
    [InlineData("{\"observations\":[[1,null],[3]]}", "element 1 of the observation of agent 'a' is null; a number is required")]
    [InlineData("{\"observations\":{\"a\":[1]}}", "observations is an object; an array is required")]
    [InlineData("{\"rewards\":[0,NaN]}", "element 1 of rewards is NaN")]
    [InlineData("{\"rewards\":[0,1e999]}", "element 1 of rewards is 1e999; a finite number is required")]
    [InlineData("{\"rewards\":[0]}", "rewards has 1 elements instead of 2")]
    [InlineData("{\"available\":[[0,1],[0,0,2]]}", "element 2 of available of agent 'b' is 2; true or false is required")]
    [InlineData("{\"observations\":[[1,2],[3]],\"available\":[[0,1],[0,0,0]],\"rewards\":[0,0],\"terminated\":0,\"truncated\":0}",
        "agent 'b' has no available action")]
    [InlineData("{\"reward\":[0,1]}", "unknown field 'reward' in the answer; did you mean 'rewards'?")]
    [InlineData("{\"state\":[0,1]}", "unknown field 'state' in the answer")]
    [InlineData("{\"observations\":[[1,2],[3]],\"rewards\":[0,0],\"truncated\":false}", "the answer has no terminated")]
    [InlineData("{\"observations\":[[1,2],[3]],\"terminated\":false,\"truncated\":false}", "the answer has no rewards")]
    [InlineData("{\"terminated\":\"no\"}", "terminated is no; true or false is required")]
    public void WhatGoesWrongInAStepIsNamedWithTheStep(string deed, string problem)
    {
        using var script = new Script(Script.Hello, Script.Start, Script.Step, Script.Step, deed, "sleep 60");
        using var environment = script.Begin();
        var rng = new Rng(5);
        environment.Reset(ref rng);
        environment.Step([0, 0], new double[2], ref rng);
        environment.Step([0, 0], new double[2], ref rng);
        var error = Assert.Throws<EnvironmentException>(() => environment.Step([0, 0], new double[2], ref rng));
        int seed = new Rng(5).NextInt(int.MaxValue);
        Assert.StartsWith($"environment 'cmd:{script.Command}?timeout=20' at step 3 after the reset with seed {seed}: {problem}", error.Message,
            StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Theory]
    [InlineData("exit 0", "the program ended with exit code 0")]
    [InlineData("echo Welcome to the library; echo '{\"protocol\":2}'", "the program uses protocol 2; 1 is required")]
    [InlineData("{}", "the answer has no protocol")]
    [InlineData("{\"protocol\":1}", "the answer has no agents")]
    [InlineData("{\"protocol\":1,\"agents\":[{\"observation_size\":1,\"actions\":1}]}", "the answer has no episode_limit")]
    [InlineData("{\"protocol\":1,\"agents\":[{\"name\":\"x\",\"actions\":1}]}", "agent 'x' has no observation_size")]
    [InlineData("{\"agents\":[{\"observation_size\":1}]}", "agent '0' has no actions")]
    [InlineData("{\"agents\":[{\"observation_size\":1,\"action\":2}]}", "unknown field 'action' in the answer; did you mean 'actions'?")]
    [InlineData("{\"agents\":[{\"name\":\"x\",\"actions\":0}]}", "actions of agent 'x' is 0; an integer in 1 ..")]
    [InlineData("{\"agents\":[{\"observation_size\":1,\"branches\":[]}]}", "the branches of agent '0' are empty")]
    [InlineData("{\"agents\":[{\"observation_size\":1,\"branches\":[2,0]}]}", "element 1 of branches of agent '0' is 0; an integer in 1 ..")]
    [InlineData("{\"agents\":[{\"observation_size\":1,\"branches\":[2,3],\"actions\":2}]}", "agent '0' has both actions and branches")]
    [InlineData("{\"agents\":[{\"observation_size\":1,\"branches\":[2,3],\"box\":[0,1]}]}", "agent '0' has no actions")]
    [InlineData("{\"agents\":[{\"team\":1.5}]}", "team of agent '0' is 1.5; an integer in 0 ..")]
    [InlineData("{\"episode_limit\":\"100\"}", "episode_limit is 100; an integer")]
    [InlineData("{\"reward\":\"max\"}", "reward is 'max'; sum or mean is required")]
    public void WhatGoesWrongAtTheStartIsNamed(string deed, string problem)
    {
        using var script = new Script(deed);
        using var environment = script.Begin();
        Assert.StartsWith($"environment 'cmd:{script.Command}?timeout=20' during startup: {problem}",
            Assert.Throws<EnvironmentException>(() => environment.Spec).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TheFirstAnswerMayBeginWithAByteOrderMark()
    {
        using var script = new Script($"printf '\\357\\273\\277'; echo '{Script.Hello}'");
        using var environment = script.Begin();
        Assert.Equal(2, environment.Spec.Agents.Length);
    }

    [Fact]
    public void AProgramThatHangsIsEndedWithItsChildren()
    {
        using var folder = new TemporaryFolder();
        using var script = new Script(Script.Hello, Script.Start, $"sleep 61 & echo $! > '{folder["child"]}'; wait");
        using var environment = script.Begin(timeout: 1);
        var (rng, watch) = (new Rng(1), Stopwatch.StartNew());
        environment.Reset(ref rng);
        var error = Assert.Throws<EnvironmentException>(() => environment.Step([0, 0], new double[2], ref rng));
        Assert.Contains("at step 1 after", error.Message, StringComparison.Ordinal);
        Assert.EndsWith("no answer within 1 s; set ?timeout=SECONDS at the end of the id", error.Message, StringComparison.Ordinal);
        Assert.InRange(watch.Elapsed.TotalSeconds, 0.9, 15);
        int child = int.Parse(File.ReadAllText(folder["child"]), System.Globalization.CultureInfo.InvariantCulture);
        Assert.True(SpinWait.SpinUntil(() => Script.HasEnded(child), 5000), "the program's child is still there");
    }

    [Fact]
    public void MoreLinesThanOneAreNoAnswer()
    {
        using var script = new Script(Script.Hello, $"printf '%s\\nnoise\\n' '{Script.Start}'");
        using var environment = script.Begin();
        var rng = new Rng(1);
        environment.Reset(ref rng);
        Assert.Contains("more than one line in answer: 'noise",
            Assert.Throws<EnvironmentException>(() => environment.Step([0, 0], new double[2], ref rng)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ASnapshotIsPlayedAgainWhenItIsNeededAndNotBefore()
    {
        string other = Script.Step.Replace("1.5", "9", StringComparison.Ordinal);
        using var first = new Script(Script.Hello, Script.Start, Script.Step, other);
        using var second = new Script(Script.Hello, Script.Start, Script.Start, Script.Step, other);
        using var environment = first.Begin();
        using var successor = second.Begin();
        var rng = new Rng(1);
        environment.Reset(ref rng);
        environment.Step([1, 2], new double[2], ref rng);
        environment.Step([0, 1], new double[2], ref rng);
        double[] snapshot = new double[environment.Spec.SnapshotSize];
        environment.Save(snapshot);
        successor.Restore(snapshot);
        successor.Reset(ref rng); // what was restored is forgotten, and nobody had to play it
        Assert.Equal(2, second.Asked.Length);
        successor.Restore(snapshot);
        float[] seen = new float[2];
        successor.Observe(0, seen);
        Assert.Equal(9, seen[0]);
        Assert.Equal(first.Asked[1..], second.Asked[2..]);
    }

    [Theory]
    [InlineData("cmd:", "the program is missing")]
    [InlineData("cmd:?timeout=3", "the program is missing")]
    [InlineData("cmd:'sh x", "the quote ' is not closed")]
    [InlineData("cmd:no-such-program x", "the program 'no-such-program' cannot be started: No such file or directory")]
    [InlineData("cmd:sh x?timeout=0", "timeout=0 is not an integer of at least 1")]
    [InlineData("cmd:sh x?timeout=2000000000", "timeout=2000000000 is not in 1 .. 1000000 seconds")]
    [InlineData("cmd:sh x?time=3", "unknown option of cmd 'time'; did you mean 'timeout'?")]
    public void ABadCommandIsRefusedWithTheRemedy(string id, string problem)
        => Assert.Contains(problem, Assert.Throws<UsageException>(() => Catalog.CreateEnvironment(id, ExternalEnvironment.CommandOf(id))).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("python3 my_env.py", "python3", "my_env.py")]
    [InlineData("  a \t b ", "a", "b")]
    [InlineData("'a b'c \"d 'e'\" ''", "a bc", "d 'e'", "")]
    [InlineData(@"C:\tools\run.exe --x=""y z""", @"C:\tools\run.exe", "--x=y z")]
    public void ACommandIsSplitIntoWords(string command, params string[] words) => Assert.Equal(words, CommandLineSplitter.Split(command));

    [Fact]
    public void EnvironmentsThatAreNotAlikeAreNotTrainedIn()
    {
        int agents = 2;
        Assert.Contains("are not alike", Assert.Throws<UsageException>(() => new Trainer(
            Games.Configure("vdn", "identity", 10, settings: Games.Tiny), () => new IdentityGame(agents++))).Message, StringComparison.Ordinal);
    }

    private static bool[] Available(IEnvironment environment, int agent, int count)
    {
        bool[] available = new bool[count];
        environment.ReadAvailable(agent, available);
        return available;
    }
}
