using Marl.Native.Rl;

namespace Marl.Native.Tests;

public sealed class EnvironmentsTests
{
    public static TheoryData<string> Ids => [.. Environments.Ids];

    [Theory]
    [MemberData(nameof(Ids))]
    public void EveryExampleKeepsTheContract(string id) =>
        Assert.Empty(EnvironmentChecker.Check(() => Environments.Create(id), episodes: 30));

    [Theory]
    [MemberData(nameof(Ids))]
    public void TheIdOfTheSpecificationBuildsTheSameAgain(string id)
    {
        EnvironmentSpec spec = Environments.Create(id).Spec, again = Environments.Create(spec.Id).Spec;
        Assert.Equal(spec.Agents, again.Agents);
        Assert.Equal(spec, again with { Agents = spec.Agents });
    }

    [Theory]
    [InlineData("climbin", "unknown environment 'climbin'; did you mean 'climbing'?")]
    [InlineData("twostep", "did you mean 'two-step'?")]
    [InlineData("lfb:8x8-2p-2f", "did you mean 'lbf:8x8-2p-2f'?")]
    [InlineData("LBF:8x8-2p-2f", "did you mean 'lbf:8x8-2p-2f'?")]
    [InlineData("", "unknown environment")]
    [InlineData("lbf", "'' is not a size")]
    [InlineData("lbf:8-2p-2f", "'8' is not a size")]
    [InlineData("lbf:8x8x8-2p-2f", "'8x8x8' is not a size")]
    [InlineData("lbf:-8x8-2p-2f", "'' is not a size")]
    [InlineData("lbf:8x8-2f", "number of players (2p) is missing")]
    [InlineData("lbf:8x8-2p", "number of foods (2f) is missing")]
    [InlineData("lbf:8x8-2p-2f-2q", "'2q' is none of")]
    [InlineData("lbf:8x8-2p-xf", "'xf' is none of")]
    [InlineData("lbf:8x8-2p-2f-Coop", "'Coop' is none of")]
    [InlineData("lbf:8x8-2p-2f-", "'' is none of")]
    [InlineData("lbf:8x8-2p-2f-3p", "'3p' says again")]
    [InlineData("lbf:8x8-2p-2f-coop-coop", "'coop' says again")]
    [InlineData("lbf:8x8-2p-2f-pen?penalty=0.2", "give one")]
    [InlineData("lbf:2x8-2p-2f", "a field is 3 to")]
    [InlineData("lbf:999x999-2p-2f", "a field is 3 to")]
    [InlineData("lbf:8x8-0p-2f", "there must be a player")]
    [InlineData("lbf:4x4-8p-2f", "more than two cells for each")]
    [InlineData("lbf:8x8-2000000000p-2f", "more than two cells for each")]
    [InlineData("lbf:8x8-2p-0f", "there must be a food")]
    [InlineData("lbf:5x5-2p-10f", "no more than inner cells")]
    [InlineData("lbf:8x8-2p-2f-0s", "sight must be")]
    [InlineData("lbf:8x8-2p-2f?penalty=-1", "penalty=-1 is not a number of at least 0")]
    [InlineData("lbf:8x8-2p-2f?penalty=NaN", "penalty=NaN is not a number")]
    [InlineData("lbf:8x8-2p-2f?min-player-level=3", "player levels")]
    [InlineData("lbf:8x8-2p-2f?min-food-level=3", "lowest food level")]
    [InlineData("lbf:8x8-2p-2f?steps=0", "steps=0 is not a whole number of at least 1")]
    [InlineData("lbf:8x8-2p-2f?step=3", "unknown option of lbf 'step'; did you mean 'steps'?")]
    [InlineData("rware", "'' is neither a size")]
    [InlineData("rware:tini-2ag", "did you mean 'tiny'?")]
    [InlineData("rware:tiny", "number of agents (2ag) is missing")]
    [InlineData("rware:tiny-2", "'2' is none of")]
    [InlineData("rware:tiny-2ag-harder", "did you mean 'hard'?")]
    [InlineData("rware:tiny-2ag-easy-hard", "'hard' says again")]
    [InlineData("rware:tiny-2ag-3ag", "'3ag' says again")]
    [InlineData("rware:tiny-0ag", "there must be an agent, and a cell for each of them (110)")]
    [InlineData("rware:tiny-111ag", "a cell for each of them (110)")]
    [InlineData("rware:tiny-2000000000ag-easy", "a cell for each of them (110)")]
    [InlineData("rware:tiny-32ag", "'queue' must ask for fewer shelves than there are (32)")]
    [InlineData("rware:tiny-2ag-hard?queue=3", "'-hard' and 'queue' say the same thing")]
    [InlineData("rware:tiny-2ag?queue=x", "queue=x is not a whole number of at least 0")]
    [InlineData("rware:tiny-2ag?sensor=17", "a sensor reaches 1 to 16 cells")]
    [InlineData("rware:tiny-2ag?reward=gobal", "reward=gobal is none of individual, global, two-stage; did you mean 'global'?")]
    [InlineData("rware:tiny-2ag?hight=4", "unknown option of rware 'hight'; did you mean 'height'?")]
    [InlineData("rware:1x2-2ag", "from left to right must be odd")]
    [InlineData("rware:0x3-2ag", "1 to 100 blocks of shelves in each direction")]
    [InlineData("rware:99x99-2ag", "at most 128 cells wide and high")]
    [InlineData("rware:.xx./.xx/.gg.-2ag", "the rows of a drawing must be equally long")]
    [InlineData("rware:.xx./....-2ag", "a floor needs a goal and a shelf")]
    [InlineData("rware:.xy./.gg.-2ag", "'.xy./.gg.' is neither a size")]
    [InlineData("rware:.xx./.gg.-1ag?height=3", "unknown option of rware 'height'")]
    [InlineData("rware-tiny-2ag", "did you mean 'rware:tiny-2ag'?")]
    [InlineData("climbing?steps", "'steps' is not option=value")]
    [InlineData("climbing?steps=", "'steps=' is not option=value")]
    [InlineData("climbing?steps=1&steps=2", "given twice")]
    [InlineData("climbing:3", "'climbing' has no layout")]
    [InlineData("penalty-x", "'x' is not a penalty")]
    [InlineData("penalty-", "'' is not a penalty")]
    [InlineData("matrix", "path of a JSON file")]
    [InlineData("two-step?steps=3", "unknown option of two-step 'steps'")]
    [InlineData("identity?agents=0", "agents=0 is not a whole number of at least 1")]
    [InlineData("identity?agent=2", "did you mean 'agents'?")]
    [InlineData("mpe", "did you mean 'mpe:")]
    [InlineData("mpe:spred", "unknown environment 'mpe:spred'; did you mean 'mpe:spread'?")]
    [InlineData("mpe-v0:Tag?steps=3", "unknown environment 'mpe-v0:Tag'; did you mean 'mpe-v0:tag'?")]
    [InlineData("mpr:spread", "did you mean 'mpe:spread'?")]
    [InlineData("mpe:spread?agents=0", "agents=0 is not a whole number of at least 1")]
    [InlineData("mpe:spread?agents=101", "agents=101 is more than 100")]
    [InlineData("mpe:spread?agent=2", "unknown option of mpe 'agent'; did you mean 'agents'?")]
    [InlineData("mpe:spread?ratio=1.5", "ratio=1.5 is more than 1")]
    [InlineData("mpe:spread?ratio=-1", "ratio=-1 is not a number of at least 0")]
    [InlineData("mpe:spread?order=old", "order=old is none of current, original; did you mean")]
    [InlineData("mpe:tag?prey=script", "prey=script is none of learning, scripted; did you mean 'scripted'?")]
    [InlineData("mpe:tag?obstacles=-1", "obstacles=-1 is not a whole number of at least 0")]
    [InlineData("mpe:tag?agents=4", "unknown option of mpe 'agents'")]
    [InlineData("mpe-v0:spread?ratio=0.5", "unknown option of mpe-v0 'ratio'")]
    [InlineData("mpe-v0:spread?order=original", "unknown option of mpe-v0 'order'")]
    [InlineData("mpe:world-comm?food=0", "food=0 is not a whole number of at least 1")]
    public void ABadIdIsRefusedWithTheRemedy(string id, string problem) =>
        Assert.Contains(problem, Assert.Throws<UsageException>(() => Environments.Create(id)).Message);
}
