using System.Globalization;
using Marl.Native.Bench.Compare;
using Marl.Native.Rl;

namespace Marl.Native.Bench.House;

/// <summary><c>bench house</c>: the rooms, their sizes, who uses whom, and what goes against the direction.</summary>
internal static class HouseCommand
{
    private const int Width = 13;

    /// <summary>Prints the tables from what is built in the folders of <c>src</c>, in the same configuration as this program.</summary>
    /// <returns>0, or 1 if there is a violation.</returns>
    /// <exception cref="UsageException">a word too many.</exception>
    public static int Run(string[] args)
    {
        if (args.Length > 0)
        {
            throw new UsageException("'house' takes no words");
        }
        string source = Path.Combine(Repository.Root, "src");
        string output = Path.GetRelativePath(Path.Combine(Repository.Root, "bench"), AppContext.BaseDirectory);
        var graph = DependencyGraph.Of(room => Path.Combine(source, room, output));
        PrintSizes(source, graph);
        PrintUses(graph);
        string[] violations = [.. graph.Violations];
        Console.WriteLine(violations.Length == 0 ? "Nothing goes against the direction." : $"Against the direction ({violations.Length}):");
        foreach (string violation in violations)
        {
            Console.WriteLine(violation);
        }

        return violations.Length == 0 ? 0 : 1;
    }

    private static void PrintSizes(string source, DependencyGraph graph)
    {
        var files = Directory.EnumerateFiles(source, "*.cs", SearchOption.AllDirectories).ToLookup(Rooms.OfFile);
        var types = graph.Types.ToLookup(type => type.Room);
        Console.WriteLine($"{"room",-Width}{"files",8}{"lines",8}{"types",8}{"public",8}");
        foreach (string room in Rooms.All)
        {
            Print(room, files[room].Count(), files[room].Sum(Lines), types[room]);
            if (room == Rooms.OfMarl[^1])
            {
                string[] paths = [.. Rooms.OfMarl.Prepend(Rooms.Foundation).SelectMany(part => files[part])];
                Print("= Marl.Native", paths.Length, paths.Sum(Lines), Rooms.OfMarl.Prepend(Rooms.Foundation).SelectMany(part => types[part]));
            }
        }
        Console.WriteLine();

        static int Lines(string path) => File.ReadLines(path).Count();

        static void Print(string room, int files, int lines, IEnumerable<HouseType> types) => Console.WriteLine(types.Any()
            ? string.Create(CultureInfo.InvariantCulture,
                $"{room,-Width}{files,8:N0}{lines,8:N0}{types.Count(),8:N0}{types.Sum(type => type.PublicNames.Count),8:N0}")
            : string.Create(CultureInfo.InvariantCulture, $"{room,-Width}{files,8:N0}{lines,8:N0}  is not built"));
    }

    private static void PrintUses(DependencyGraph graph)
    {
        var uses = graph.Dependencies.CountBy(d => (d.From.Room, d.To.Room)).ToDictionary();
        Console.WriteLine("pairs of types of which the one in the row's room uses the one in the column's; ! is against the direction");
        Console.WriteLine($"{"",-Width}{string.Concat(Rooms.All.Select(to => $"{to,Width}"))}");
        foreach (string from in Rooms.All)
        {
            var cells = Rooms.All.Select(to => uses.TryGetValue((from, to), out int count) ? $"{(Rooms.MayUse(from, to) ? "" : "!")}{count}" : ".");
            Console.WriteLine($"{from,-Width}{string.Concat(cells.Select(cell => $"{cell,Width}"))}");
        }
        Console.WriteLine();
    }
}
