namespace Marl.Native.Tests.Cli;

/// <summary>What cannot be had: one line that names it and the nearest that can, and an exit code. Nothing is left behind.</summary>
public sealed class UsageTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("trian", "unknown command 'trian'; did you mean 'train'?")]
    [InlineData("train qmx --env two-step", "unknown algorithm 'qmx'; did you mean 'qmix'?")]
    [InlineData("train qmix --env two-stp", "unknown environment 'two-stp'; did you mean 'two-step'?")]
    [InlineData("train qmix --env lbf:8x8-2p-2f-cop",
        "environment 'lbf:8x8-2p-2f-cop': 'cop' is not one of 2p (players), 2f (foods), 2s (observation range), coop, pen, with any number; did you mean 'coop'?")]
    [InlineData("train --evn two-step", "unknown option '--evn'; did you mean '--env'?")]
    [InlineData("train qmix --env two-step --set hiden=8", "unknown option 'hiden'; did you mean 'hidden'?")]
    [InlineData("train qmix --env two-step --set hidden=eight", "option 'hidden' cannot be 'eight'; a number is needed")]
    [InlineData("train qmix --env two-step --set hidden=0", "option 'hidden' cannot be 0; it must be in 1 .. 8192")]
    [InlineData("train qmix --env two-step --set agent=rnn", "option 'agent' cannot be 'rnn'; one of gru, mlp is needed")]
    [InlineData("train qmix --env two-step --set hidden", "'hidden' is not a setting; name=value is needed")]
    [InlineData("train qmix --env two-step --steps many", "option 'steps' cannot be 'many'; a number is needed")]
    [InlineData("train qmix --env two-step --steps 0", "option 'steps' cannot be 0; it must be at least 1")]
    [InlineData("train qmix --env two-step --seed -1", "option 'seed' cannot be '-1'; a whole number is needed")]
    [InlineData("train qmix --env two-step --steps", "option '--steps' needs a value")]
    [InlineData("train qmix --steps --env two-step", "option '--steps' needs a value")]
    [InlineData("train qmix --env two-step --env climbing", "option '--env' is given more than once")]
    [InlineData("train qmix two-step", "'two-step' is one word too many; see marl --help")]
    [InlineData("train qmix", "no environment is named: marl train <algorithm> --env <id>")]
    [InlineData("train", "no algorithm is named: marl train <algorithm> --env <id>")]
    [InlineData("train qmix --env two-step --config none.json", "there is no configuration file 'none.json'")]
    [InlineData("train --config list.json", "'list.json' is not a JSON object")]
    [InlineData("train --config part.json", "unknown part of the configuration 'optoins'; did you mean 'options'?")]
    [InlineData("train --config nameless.json", "'nameless.json' names no algorithm")]
    [InlineData("resume nowhere", "'nowhere' contains no run: config.json is missing")]
    [InlineData("resume nowhere --threads two", "option '--threads' cannot be 'two'; a whole number from 0 on is needed")]
    [InlineData("eval nowhere", "there is neither a run nor a policy at 'nowhere'")]
    [InlineData("eval", "<policy> is missing; see marl --help")]
    [InlineData("play random --env two-step --greedy", "option '--greedy' is for trained agents; for 'random' no action is likelier than another")]
    [InlineData("train qmix --env two-step --set trace=q", "option 'trace' cannot be 'q'; one of peng, qLambda, retrace, pyMarl2 is needed")]
    [InlineData("list options qmx", "unknown algorithm 'qmx'; did you mean 'qmix'?")]
    public void MistakesAreNamedInOneLine(string words, string line)
    {
        File.WriteAllText(folder["list.json"], "[]");
        File.WriteAllText(folder["part.json"], """{ "algorithm": "iql", "environment": "two-step", "optoins": {} }""");
        File.WriteAllText(folder["nameless.json"], "{}");
        MarlProcess.Run(folder.Path, words.Split(' ')).HasFailed(2, line);
        Assert.False(Directory.Exists(folder["runs"]));
    }

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
