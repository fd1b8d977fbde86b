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
        (@"stopped being numbers|numbers stopped|(is|are) no numbers?|actions that are numbers", "NaN or infinite; continuous actions"),
        (@"left to chance", "exploration, or random"),
        (@"one behind the other|of so many|so many (numbers|rows|steps)", "concatenated; n"),
        (@"(what )?(is|was|are) lived", "recorded steps"),
        (@"what (learns|acts|comes next)", "learner, agent, next"),
        (@"nobody|somebody|whoever", "the user, or the thing that is meant"),
        (@"likeliest", "most probable"),
        (@"one's own|of one's", "your own"),
        (@"(is|be) had", "is available"),
        (@"how many times the gradient", "scale"),
        (@"last words|under way|goes by|says of itself", "plain words"),
        (@"IPictured|ExternalEnvironmentException|BoxPolicy|FrozenParameters|HostNumbers|NearbyNumbers|LaunchScope|BeginTogether|EndTogether|MeanOfChoices|ActionsBeyond"
            + @"|NetworkPlan|ShardCut|GiveBack|BeforeLastWords|UsualTimeout|UsualSteps|CountsChoices|Device\.Together", "the present name"),
        (@"in a slow hour|the machine is shared|as fast as the shared machine", "one number, its machine, its command"),
        // Names that options had.
        (@"`(shared|targetEvery|gradientClip|entropy|valueClip|members|infer|outputPenalty|evaluateEvery|checkpointEvery|standardise\w+|smoothing)=\S*`", "the option's present name"),
    ];

    private static readonly string[] SourceFolders = ["src", "samples", "templates", "python", "bench"], SourceExtensions = [".cs", ".py", ".md", ".js", ".html", ".json", ".sh"];

    /// <summary>The folders of source code whose files are checked, two levels deep.</summary>
    public static TheoryData<string> Sources() => [.. from root in SourceFolders
                                                      from folder in Directory.GetDirectories(Path.Combine(Document.Root, root)).Append(Path.Combine(Document.Root, root))
                                                      let name = Path.GetRelativePath(Document.Root, folder).Replace('\\', '/')
                                                      where FilesOf(name).Any()
                                                      select name];

    [Theory]
    [MemberData(nameof(Document.Names), MemberType = typeof(Document))]
    public void NoDocumentHasAWordThatTheFieldDoesNotKnow(string name)
        => Assert.Empty(Find(name, Document.Of(name).Text.Split("\n### Renamed\n")[0])); // the changelog's last part lists the former names

    /// <summary>Comments, strings and names of source code.</summary>
    [Theory]
    [MemberData(nameof(Sources))]
    public void NoSourceHasAWordThatTheFieldDoesNotKnow(string folder)
        => Assert.Empty(FilesOf(folder).SelectMany(file => Find(Path.GetRelativePath(Document.Root, file), File.ReadAllText(file))));

    /// <summary>The files of a folder such as "src/Marl" and its subfolders; of a folder such as "src" only those in it.</summary>
    private static IEnumerable<string> FilesOf(string folder)
    {
        var depth = folder.Contains('/') ? SearchOption.AllDirectories : SearchOption.TopDirectoryOnly;
        return Directory.EnumerateFiles(Path.Combine(Document.Root, folder), "*", depth).Where(file => SourceExtensions.Contains(Path.GetExtension(file))
            && !file.Split(Path.DirectorySeparatorChar).Any(part => part is "bin" or "obj") && Path.GetFileName(file) != "RenamedOptions.cs");
    }

    private static IEnumerable<string> Find(string name, string text)
    {
        string[] lines = text.Split('\n');
        return from word in Words
               let pattern = new Regex($@"(?<!\w)({word.Pattern})(?!\w)", RegexOptions.IgnoreCase)
               where pattern.IsMatch(text)
               from line in Enumerable.Range(1, lines.Length)
               let match = pattern.Match(lines[line - 1])
               where match.Success
               select $"{name}:{line}: '{match.Value}'; {word.Instead}";
    }
}
