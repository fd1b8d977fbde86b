namespace Marl.Native.Tests.Cli;

/// <summary>What cannot be had: one line that names it and the nearest that can, and an exit code. Nothing is left behind.</summary>
public sealed class UsageTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("trian", "unknown command 'trian'; did you mean 'train'?")]
    [InlineData("trian vdn --env two-step", "unknown command 'trian'; did you mean 'train'?")]
    [InlineData("fly", "unknown command 'fly'; see marl --help")]
    [InlineData("list algoritms", "unknown command 'algoritms'; did you mean 'algorithms'?")]
    [InlineData("completion fish", "unknown shell 'fish'; available: bash, zsh, pwsh")]
    [InlineData("train alphazero --env two-step", "unknown algorithm 'alphazero'; see marl list algorithms")]
    [InlineData("train qmix --env lfb:8x8", "unknown environment 'lfb:8x8'; did you mean 'lbf:8x8'?")]
    [InlineData("train qmix --env chess", "unknown environment 'chess'; see marl list environments")]
    [InlineData("train qmix --environment two-step", "unknown option '--environment'; did you mean '--env'?")]
    [InlineData("train qmix --env two-step --verbose", "unknown option '--verbose'; see marl train --help")]
    [InlineData("train qmix --env two-step --set agent.hidden=8", "unknown option 'agent.hidden'; did you mean 'hidden'?")]
    [InlineData("train qmix --env two-step --set dropout=0.1", "unknown option 'dropout'; see marl list options qmix")]
    [InlineData("train qmix --env two-step --set mixer=qmx", "option 'mixer' cannot be 'qmx'; one of none, vdn, vdn-s, qmix, qplex is required")]
    [InlineData("train qmix --env two-step --set hidden=1e30", "option 'hidden' cannot be '1e30'; an integer of at most 2147483647 is required")]
    [InlineData("train qmix --env two-step --set hidden=8.5", "option 'hidden' cannot be '8.5'; an integer is required")]
    [InlineData("train qmix --env two-step --set gamma=1e39", "option 'gamma' cannot be '1e39'; 0 or a number of magnitude 1E-45 .. 3.4028235E+38 is required")]
    [InlineData("train qmix --env two-step --set gamma=1e-60", "option 'gamma' cannot be '1e-60'; 0 or a number of magnitude 1E-45 .. 3.4028235E+38 is required")]
    [InlineData("train qmix --env two-step --steps 1e30", "option 'steps' cannot be '1e30'; an integer of at most 9223372036854775807 is required")]
    [InlineData("train qmix --env two-step --seeds 5-1",
        "option '--seeds' cannot be '5-1'; a list such as 1-5 or 1,3,7-9 is required, with at most 10000 seeds per range")]
    [InlineData("train qmix --env two-step --seeds 1-2 --seed 3", "options '--seed' and '--seeds' exclude each other; give only one")]
    [InlineData("train qmix --env two-step --config env.json", "unknown key of the configuration 'env'; did you mean 'environment'?")]
    [InlineData("train qmix --env two-step --config steps.json", "'steps' is a key of the configuration's 'training': {\"training\": {\"steps\": ..}}")]
    [InlineData("train qmix --env two-step --config stray.json", "'hidden' is a key of the configuration's 'options', and stands in its 'training'")]
    [InlineData("train qmix --env two-step --config typeless.json", "option 'mixer' cannot be 'null'; one of none, vdn, vdn-s, qmix, qplex is required")]
    [InlineData("eval random", "the environment is missing: marl eval random --env <id>")]
    [InlineData("eval random --env two-step --greedy", "option '--greedy' applies to trained agents, not to 'random'")]
    [InlineData("train qmx --env two-step", "unknown algorithm 'qmx'; did you mean 'qmix'?")]
    [InlineData("train qmix --env two-stp", "unknown environment 'two-stp'; did you mean 'two-step'?")]
    [InlineData("train qmix --env lbf:8x8-2p-2f-cop",
        "environment 'lbf:8x8-2p-2f-cop': 'cop' is not one of 2p (players), 2f (foods), 2s (observation range), coop, pen, with any number; did you mean 'coop'?")]
    [InlineData("train --evn two-step", "unknown option '--evn'; did you mean '--env'?")]
    [InlineData("train qmix --env two-step --set hiden=8", "unknown option 'hiden'; did you mean 'hidden'?")]
    [InlineData("train qmix --env two-step --set hidden=eight", "option 'hidden' cannot be 'eight'; an integer is required")]
    [InlineData("train qmix --env two-step --set hidden=0", "option 'hidden' cannot be 0; it must be in 1 .. 8192")]
    [InlineData("train qmix --env two-step --set agent=rnn", "option 'agent' cannot be 'rnn'; one of gru, mlp is required")]
    [InlineData("train qmix --env two-step --set hidden", "'hidden' is not a setting; name=value is required")]
    [InlineData("train qmix --env two-step --steps many", "option 'steps' cannot be 'many'; an integer is required")]
    [InlineData("train qmix --env two-step --steps 0", "option 'steps' cannot be 0; it must be at least 1")]
    [InlineData("train qmix --env two-step --seed -1", "option 'seed' cannot be '-1'; an integer of at least 0 is required")]
    [InlineData("train qmix --env two-step --steps", "option '--steps' needs a value")]
    [InlineData("train qmix --steps --env two-step", "option '--steps' needs a value")]
    [InlineData("train qmix --env two-step --env climbing", "option '--env' is given more than once")]
    [InlineData("train qmix two-step", "unexpected argument 'two-step'; see marl train --help")]
    [InlineData("train qmix", "the environment is missing: marl train <algorithm> --env <id>")]
    [InlineData("train", "the algorithm is missing: marl train <algorithm> --env <id>")]
    [InlineData("train qmix --env two-step --config none.json", "the configuration file 'none.json' does not exist")]
    [InlineData("train --config list.json", "'list.json' is not a JSON object")]
    [InlineData("train --config part.json", "unknown key of the configuration 'optoins'; did you mean 'options'?")]
    [InlineData("train --config nameless.json", "'nameless.json' names no algorithm")]
    [InlineData("resume nowhere", "'nowhere' contains no run: config.json is missing")]
    [InlineData("resume nowhere --threads two", "option '--threads' cannot be 'two'; an integer from 0 to 2147483647 is required")]
    [InlineData("eval nowhere", "'nowhere' is neither a run nor a policy")]
    [InlineData("eval", "<policy> is missing; see marl eval --help")]
    [InlineData("play random --env two-step --greedy", "option '--greedy' applies to trained agents; all actions of 'random' are equally probable")]
    [InlineData("train qmix --env two-step --set trace=q", "option 'trace' cannot be 'q'; one of peng, qLambda, retrace, pyMarl2 is required")]
    [InlineData("list options qmx", "unknown algorithm 'qmx'; did you mean 'qmix'?")]
    public void MistakesAreNamedInOneLine(string words, string line)
    {
        File.WriteAllText(folder["list.json"], "[]");
        File.WriteAllText(folder["part.json"], """{ "algorithm": "iql", "environment": "two-step", "optoins": {} }""");
        File.WriteAllText(folder["nameless.json"], "{}");
        File.WriteAllText(folder["env.json"], """{ "env": "two-step" }""");
        File.WriteAllText(folder["steps.json"], """{ "steps": 100 }""");
        File.WriteAllText(folder["stray.json"], """{ "training": { "hidden": 8 } }""");
        File.WriteAllText(folder["typeless.json"], """{ "options": { "mixer": { "type": null } } }""");
        MarlProcess.Run(folder.Path, words.Split(' ')).HasFailed(2, line);
        Assert.False(Directory.Exists(folder["runs"]));
    }

    [Theory]
    [InlineData("option '--out' cannot be empty", "train", "iql", "--env", "two-step", "--out", "")]
    [InlineData("<policy> cannot be empty", "eval", "")]
    [InlineData("option '--env' cannot be empty", "play", "random", "--env", "")]
    public void AnEmptyWordIsRefused(string line, params string[] words) => MarlProcess.Run(folder.Path, words).HasFailed(2, line);

    [Fact]
    public void AFileThatIsNoJsonIsNamed()
    {
        File.WriteAllText(folder["bad.json"], "{ \"algorithm\": ");
        var outcome = MarlProcess.Run(folder.Path, "train", "--config", "bad.json");
        Assert.StartsWith("marl: 'bad.json' is not valid JSON: ", outcome.Error, StringComparison.Ordinal);
        Assert.Equal((2, 1), (outcome.Code, outcome.Error.Count(c => c == '\n')));
    }

    [Fact]
    public void AFolderThatCannotBeWrittenToIsNamedBeforeTrainingBegins()
    {
        // Below a regular file there can be no folder, whoever asks.
        File.WriteAllText(folder["file"], "");
        var outcome = MarlProcess.Run(folder.Path, "train", "iql", "--env", "two-step", "--out", "file/run");
        Assert.StartsWith("marl: the folder 'file/run' cannot be written to: ", outcome.Error, StringComparison.Ordinal);
        Assert.Equal((1, "", 1), (outcome.Code, outcome.Output, outcome.Error.Count(c => c == '\n')));
    }
}
