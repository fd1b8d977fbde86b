using System.Text.RegularExpressions;

namespace Marl.Native.Tests.Docs;

/// <summary>A fenced block of code.</summary>
/// <param name="Language">The first word after the fence.</param>
/// <param name="Name">The second: the file that the reader is told to make of it; empty: none.</param>
/// <param name="Text">The lines between the fences.</param>
/// <param name="Line">The number of its first line.</param>
public sealed record Block(string Language, string Name, string Text, int Line);

/// <summary>A Markdown file of the repository.</summary>
public sealed partial class Document
{
    private Document(string name)
    {
        Name = name;
        Text = File.ReadAllText(Path.Combine(Root, name)).ReplaceLineEndings("\n");
        Blocks = [.. Fence().Matches(Text).Select(match => new Block(match.Groups["language"].Value, match.Groups["name"].Value, match.Groups["text"].Value,
            Text[..match.Groups["text"].Index].Count(c => c == '\n') + 1))];
        Prose = Fence().Replace(Text, "");
    }

    /// <summary>The folder of the repository: the nearest one above the tests that has the solution.</summary>
    public static string Root { get; } = FindRoot(AppContext.BaseDirectory);

    /// <summary>README, docs, the packages' READMEs, and the other documents that a reader is led to.</summary>
    public static IReadOnlyList<Document> All { get; } =
    [
        .. new[] { "README.md", "CONTRIBUTING.md", "CHANGELOG.md", "samples/README.md", "templates/README.md", "bench/README.md" }
            .Concat(Under("docs", "*.md")).Concat(Under("src", "README.md")).Select(name => new Document(name)),
    ];

    /// <summary>The names of <see cref="All"/>, for theories.</summary>
    public static TheoryData<string> Names => new(All.Select(document => document.Name));

    /// <summary>Its path from <see cref="Root"/>.</summary>
    public string Name { get; }

    /// <summary>Everything.</summary>
    public string Text { get; }

    /// <summary>Everything but the blocks.</summary>
    public string Prose { get; }

    /// <summary>The fenced blocks, in order.</summary>
    public IReadOnlyList<Block> Blocks { get; }

    /// <summary>What links and pictures point to.</summary>
    public IEnumerable<string> Links => Link().Matches(InlineCode().Replace(Prose, "")).Select(match => match.Groups["target"].Value);

    /// <summary>The spans of code in the text.</summary>
    public IEnumerable<string> Code => InlineCode().Matches(Prose).Select(match => match.Groups["code"].Value);

    /// <summary>What GitHub calls its headings: lower case, hyphens for spaces, without punctuation; -1 and so on where one occurs again.</summary>
    public IReadOnlySet<string> Anchors
    {
        get
        {
            var anchors = new HashSet<string>();
            foreach (Match heading in Heading().Matches(Prose))
            {
                string anchor = Punctuation().Replace(heading.Groups["text"].Value.Trim().ToLowerInvariant(), "").Replace(' ', '-');
                for (int again = 0; !anchors.Add(again == 0 ? anchor : $"{anchor}-{again}"); again++)
                {
                }
            }
            return anchors;
        }
    }

    /// <summary>The document of a name.</summary>
    public static Document Of(string name) => All.Single(document => document.Name == name);

    /// <inheritdoc/>
    public override string ToString() => Name;

    private static IEnumerable<string> Under(string folder, string pattern)
        => Directory.EnumerateFiles(Path.Combine(Root, folder), pattern, SearchOption.AllDirectories).Order(StringComparer.Ordinal)
            .Select(file => Path.GetRelativePath(Root, file).Replace('\\', '/'));

    private static string FindRoot(string folder) => File.Exists(Path.Combine(folder, "Marl.Native.sln")) ? folder
        : FindRoot(Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("no folder above the tests has Marl.Native.sln"));

    [GeneratedRegex("^```(?<language>[^\\s`]*) ?(?<name>[^\n`]*)\n(?<text>.*?)^```$", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex Fence();

    [GeneratedRegex(@"\]\((?<target>[^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex("(?<!`)`(?<code>[^`\n]+)`(?!`)")]
    private static partial Regex InlineCode();

    [GeneratedRegex("^#{1,6} (?<text>.+)$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"[^\w\- ]")]
    private static partial Regex Punctuation();
}
