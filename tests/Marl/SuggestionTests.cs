using Marl.Native.Rl;

namespace Marl.Native.Tests;

/// <summary>A name is suggested only where it is near.</summary>
public sealed class SuggestionTests
{
    private static readonly string[] Names = ["train", "resume", "eval", "play", "hidden", "mixer.embed", "mpe:spread", "mpe:tag", "environment"];

    [Theory]
    [InlineData("trian", "train")] // a swap is one edit
    [InlineData("TRAIN", "train")]
    [InlineData("tran", "train")]
    [InlineData("pay", "play")]
    [InlineData("enviroment", "environment")]
    [InlineData("env", "environment")]
    [InlineData("hiddenLayers", "hidden")]
    [InlineData("agent.hidden", "hidden")]
    [InlineData("embed", "mixer.embed")]
    [InlineData("spread", "mpe:spread")]
    [InlineData("lbf:8x8", null)]
    [InlineData("en", null)]
    [InlineData("tree", null)]
    [InlineData("xyzzy", null)]
    public void TheNearestNameIsNear(string name, string? nearest) => Assert.Equal(nearest, UsageException.Nearest(name, Names));

    [Fact]
    public void WhereNoNameIsNearTheMessageSaysWhereToLook()
    {
        Assert.Equal("unknown thing 'xyzzy'; see marl list", UsageException.Unknown("thing", "xyzzy", Names, "marl list").Message);
        Assert.Equal("unknown shell 'fish'; available: bash, zsh", UsageException.Unknown("shell", "fish", ["bash", "zsh"]).Message);
    }
}
