using System.Text.RegularExpressions;

namespace Marl.Native.Tests.Docs;

/// <summary>American English and the words of the field; a term and what to write instead are one line here.</summary>
public sealed class WordTests
{
    /// <summary>Regular expressions of whole words, and what to write instead.</summary>
    private static readonly (string Pattern, string Instead)[] Words =
    [
        // British spelling.
        (@"\w*(optimi|initiali|normali|standardi|centrali|factori|generali|minimi|maximi|regulari|vectori|synchroni|parallel)is(e|es|ed|er|ers|ing|ation|ations)", "..ize"),
        (@"(colour|behaviour|neighbour|favour|honour)\w*", "..or"),
        (@"(centre|centres|centred)", "center"),
        (@"licence\w*", "license"),
        (@"(modelling|labelled|labelling|cancelled|travelling|signalling)", "one l"),
        (@"(learnt|spelt|burnt)", "..ed"),
        (@"whilst", "while"),
        (@"artefacts?", "artifact"),
        (@"(analyse|analysed)", "analyze"),
        // Words that nobody in the field would look for.
        (@"stopped being numbers|(is|are) no numbers?|actions that are numbers", "NaN or infinite; continuous actions"),
        (@"left to chance", "exploration, or random"),
        (@"one behind the other|of so many", "concatenated; n"),
        (@"what is lived|what learns", "recorded steps; learner"),
        (@"(whoever|somebody|nobody) (watches|sees)", "the user"),
        (@"IPictured|Device\.Together|BoxPolicy|HostNumbers|NearbyNumbers|ShardCut", "the type's present name"),
        (@"in a slow hour|the machine is shared|as fast as the shared machine", "one number, its machine, its command"),
        // Names that options had.
        (@"`(shared|targetEvery|gradientClip|entropy|valueClip|members|infer|outputPenalty|evaluateEvery|checkpointEvery|standardise\w+|smoothing)=\S*`", "the option's present name"),
    ];

    [Theory]
    [MemberData(nameof(Document.Names), MemberType = typeof(Document))]
    public void NoDocumentHasAWordThatTheFieldDoesNotKnow(string name)
    {
        string[] lines = Document.Of(name).Text.Split('\n');
        var findings =
            from word in Words
            let pattern = new Regex($@"(?<!\w)({word.Pattern})(?!\w)", RegexOptions.IgnoreCase)
            from line in Enumerable.Range(1, lines.Length)
            let match = pattern.Match(lines[line - 1])
            where match.Success
            select $"{name}:{line}: '{match.Value}'; {word.Instead}";
        Assert.Empty(findings);
    }
}
