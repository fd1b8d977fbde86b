using System.Text.RegularExpressions;

namespace Marl.Native.Tests.Gpu;

/// <summary>The control flow of generated code, and which variables are live where.</summary>
internal sealed partial class FlowGraph
{
    private readonly IReadOnlyList<Node> nodes;
    private readonly HashSet<string>[] live;

    private FlowGraph(IReadOnlyList<Node> nodes)
    {
        (this.nodes, live) = (nodes, [.. nodes.Select(_ => new HashSet<string>())]);
        for (bool changed = true; changed;)
        {
            changed = false;
            for (int k = nodes.Count - 1; k >= 0; k--)
            {
                int before = live[k].Count;
                live[k].UnionWith(nodes[k].Next.SelectMany(next => live[next]).Except(nodes[k].Defines).Concat(nodes[k].Uses));
                changed |= live[k].Count > before;
            }
        }
    }

    /// <summary>Instructions or a block of them.</summary>
    /// <param name="Label">Where branches name it.</param>
    /// <param name="Defines">The variables that it sets.</param>
    /// <param name="Uses">The variables that it uses before it sets them.</param>
    /// <param name="Next">The nodes to which control may go.</param>
    private sealed record Node(string Label, HashSet<string> Defines, HashSet<string> Uses, HashSet<int> Next);

    /// <summary>The most 32-bit registers that are live at once; predicates do not count.</summary>
    public int LiveRegisters => live.Max(at => at.Sum(register => register[1] == 'p' ? 0 : register.StartsWith("%rd", StringComparison.Ordinal)
        || register.StartsWith("%fd", StringComparison.Ordinal) ? 2 : 1));

    /// <summary>
    /// ILGPU's OpenCL C copies the values that a block hands on before the branch at its end. Where a copy is meant for one way, and the other way still uses the
    /// variable's value before it, that value is lost: "label: variable".
    /// </summary>
    public IEnumerable<string> LostCopies()
    {
        var handedOn = nodes.SelectMany(node => node.Defines).CountBy(variable => variable).Where(count => count.Value > 1).Select(count => count.Key).ToHashSet();
        foreach (var node in nodes.Where(node => node.Next.Count > 1))
        {
            foreach (string variable in node.Defines.Where(handedOn.Contains))
            {
                // The copy is meant for a node where ways meet, and all of them hand on a value.
                var meant = node.Next.Where(next => nodes.Where(before => before.Next.Contains(next)).ToList() is { Count: > 1 } all
                    && all.All(before => before.Defines.Contains(variable)));
                if (node.Next.Except(meant).Any(next => live[next].Contains(variable)))
                {
                    yield return $"{node.Label}: {variable}";
                }
            }
        }
    }

    /// <summary>Of the entry of a PTX module; a node is an instruction.</summary>
    public static FlowGraph OfPtx(string code)
    {
        string body = code[code.IndexOf('{', code.IndexOf(".entry", StringComparison.Ordinal))..];
        var labels = new Dictionary<string, int>();
        List<string> instructions = [];
        foreach (string line in body.Split('\n').Select(line => line.Split("//")[0].Trim()).Where(line => line.Length > 0 && line[0] is not ('.' or '{' or '}')))
        {
            if (line.EndsWith(':'))
            {
                labels[line[..^1]] = instructions.Count;
            }
            else
            {
                instructions.Add(line);
            }
        }
        return new([.. instructions.Select((line, at) => OfInstruction(line, at, labels))]);
    }

    /// <summary>Of a kernel in OpenCL C; a node is a block.</summary>
    public static FlowGraph OfOpenCL(string code)
    {
        List<(string Label, List<string> Lines)> blocks = [("begin", [])];
        foreach (string line in code[code.IndexOf("kernel void", StringComparison.Ordinal)..].Split('\n').Select(line => line.Trim()))
        {
            if (Label().Match(line) is { Success: true } label)
            {
                blocks.Add((label.Groups[1].Value, []));
            }
            else
            {
                blocks[^1].Lines.Add(line);
            }
        }
        var labels = blocks.Index().ToDictionary(block => block.Item.Label, block => block.Index);
        return new([.. blocks.Select((block, at) => OfBlock(block.Label, block.Lines, at, labels))]);
    }

    private static Node OfInstruction(string line, int at, Dictionary<string, int> labels)
    {
        var parts = Instruction().Match(line);
        string guard = parts.Groups[1].Value, opcode = parts.Groups[2].Value, operands = parts.Groups[3].Value;
        bool branches = opcode.StartsWith("bra", StringComparison.Ordinal) && !opcode.StartsWith("bar", StringComparison.Ordinal), returns = opcode == "ret";
        HashSet<int> next = branches ? [labels[operands.Trim()]] : [];
        if (guard.Length > 0 || !branches && !returns)
        {
            next.Add(at + 1);
        }
        string[] registers = [.. Register().Matches(operands).Select(match => match.Value)];
        bool hasResult = registers.Length > 0 && !opcode.StartsWith("st.", StringComparison.Ordinal) && !opcode.StartsWith("bar.", StringComparison.Ordinal);
        int results = !hasResult ? 0 : operands.TrimStart().StartsWith('{') ? Register().Count(operands[..operands.IndexOf('}')]) : 1;
        // What a guard may leave as it was is used.
        var uses = registers.Skip(guard.Length > 0 ? 0 : results).Concat(Register().Matches(guard).Select(match => match.Value));
        return new($"{at}", [.. registers.Take(results)], [.. uses], next);
    }

    private static Node OfBlock(string label, List<string> lines, int at, Dictionary<string, int> labels)
    {
        HashSet<string> defines = [], uses = [];
        foreach (string line in lines)
        {
            var assignment = Assignment().Match(line);
            string source = assignment.Success ? assignment.Groups[2].Value : line;
            uses.UnionWith(Variable().Matches(source).Select(match => match.Value).Except(defines));
            if (assignment.Success)
            {
                defines.Add(assignment.Groups[1].Value);
            }
        }
        HashSet<int> next = [.. lines.SelectMany(line => Goto().Matches(line)).Select(match => labels[match.Groups[1].Value])];
        if (next.Count == 0 && at + 1 < labels.Count && !lines.Any(line => line.StartsWith("return", StringComparison.Ordinal)))
        {
            next.Add(at + 1);
        }
        return new(label, defines, uses, next);
    }

    [GeneratedRegex(@"^(?:@!?(%p\d+)\s+)?([\w.]+)([^;]*)")]
    private static partial Regex Instruction();

    [GeneratedRegex(@"%(?:rd|rs|r|fd|f|p)\d+")]
    private static partial Regex Register();

    [GeneratedRegex(@"^(L_\w+): ;")]
    private static partial Regex Label();

    [GeneratedRegex(@"^(var\d+) = (.*);")]
    private static partial Regex Assignment();

    [GeneratedRegex(@"\bvar\d+\b")]
    private static partial Regex Variable();

    [GeneratedRegex(@"goto (L_\w+);")]
    private static partial Regex Goto();
}
