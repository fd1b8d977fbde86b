namespace Marl.Native.Tests.Docs;

/// <summary>Links between documents lead somewhere, and every page of docs is reached from its index.</summary>
public sealed class LinkTests
{
    [Theory]
    [MemberData(nameof(Document.Names), MemberType = typeof(Document))]
    public void EveryRelativeLinkAndAnchorResolves(string name)
    {
        var document = Document.Of(name);
        Assert.DoesNotContain(document.Links, link => !link.Contains("://", StringComparison.Ordinal) && !Resolves(document, link));
    }

    [Fact]
    public void EveryPageIsInTheIndexAndInTheTableOfContents()
    {
        var index = Document.Of("docs/README.md").Links.ToHashSet();
        string contents = File.ReadAllText(Path.Combine(Document.Root, "docs", "toc.yml"));
        string[] pages = [.. Document.All.Select(document => document.Name).Where(page => page.StartsWith("docs/", StringComparison.Ordinal)).Select(page => page["docs/".Length..])];
        Assert.InRange(pages.Length, 10, 100);
        Assert.All(pages.Where(page => page != "README.md"), page =>
        {
            Assert.Contains(page, index);
            Assert.Contains($"href: {page}\n", contents, StringComparison.Ordinal);
        });
    }

    private static bool Resolves(Document from, string link)
    {
        string[] parts = link.Split('#', 2);
        string path = parts[0].Length == 0 ? Path.Combine(Document.Root, from.Name)
            : Path.GetFullPath(Path.Combine(Document.Root, Path.GetDirectoryName(from.Name)!, parts[0]));
        if (!Path.Exists(path))
        {
            return false;
        }
        string target = Path.GetRelativePath(Document.Root, path).Replace('\\', '/');
        return parts.Length == 1 || Document.All.FirstOrDefault(document => document.Name == target)?.Anchors.Contains(parts[1]) == true;
    }
}
