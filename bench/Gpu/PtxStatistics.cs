using System.Collections;
using System.Text.RegularExpressions;
using ILGPU;
using ILGPU.Backends.EntryPoints;
using ILGPU.Backends.PTX;
using ILGPU.Runtime.Cuda;
using Marl.Native.Gpu;

namespace Marl.Native.Bench.Gpu;

/// <summary>Registers and shared memory of kernels, from their PTX for compute capability 9.0. Registers are the most values that are live at once, in units of
/// 32 bits; the driver's compiler may need more, to hide the latency of memory.</summary>
internal sealed partial class PtxStatistics : IDisposable
{
    private readonly Context context = GpuDevices.Create(_ => { });
    private readonly Dictionary<Type, (int Registers, int Shared)> known = [];

    public void Dispose() => context.Dispose();

    /// <summary>Returns the registers per thread and the bytes of shared memory per group of a kernel.</summary>
    public (int Registers, int Shared) Of(Type kernel)
    {
        if (!known.TryGetValue(kernel, out var result))
        {
            string code = Ptx(kernel);
            int shared = Shared().Matches(code).Sum(match => int.Parse(match.Groups[1].ValueSpan, System.Globalization.CultureInfo.InvariantCulture));
            known[kernel] = result = (LiveRegisters(code), shared);
        }
        return result;
    }

    /// <summary>Returns the PTX of a kernel.</summary>
    public string Ptx(Type kernel)
    {
        using var backend = new PTXBackend(context, new CudaArchitecture(9, 0), CudaInstructionSet.ISA_80, null!);
        var enter = typeof(KernelEntry).GetMethod(nameof(KernelEntry.Run))!.MakeGenericMethod(kernel);
        return ((PTXCompiledKernel)backend.Compile(EntryPointDescription.FromExplicitlyGroupedKernel(enter), default)).PTXAssembly;
    }

    /// <summary>Returns the most registers that are live at once: backward data flow over the instructions.</summary>
    public static int LiveRegisters(string code)
    {
        List<(int[] Defined, int[] Used, int[] Next)> instructions = [];
        Dictionary<string, int> numbers = [], labels = [];
        List<(int At, string Label)> branches = [];
        List<int> widths = [];
        foreach (string line in code[code.IndexOf('{', StringComparison.Ordinal)..].Split('\n').Select(line => line.Split("//")[0].Trim()))
        {
            if (Label().Match(line) is { Success: true } label)
            {
                labels[label.Groups[1].Value] = instructions.Count;
            }
            else if (Instruction().Match(line) is { Success: true } match)
            {
                string name = match.Groups["name"].Value, operands = match.Groups["operands"].Value;
                int[] guard = Registers(match.Groups["guard"].Value);
                bool defines = !name.StartsWith("st.", StringComparison.Ordinal) && !name.StartsWith("bar", StringComparison.Ordinal);
                // A vector counts as one operand.
                int first = !defines ? 0 : operands.StartsWith('{') ? operands.IndexOf('}', StringComparison.Ordinal) + 1
                    : operands.IndexOf(',', StringComparison.Ordinal) is int comma and >= 0 ? comma : operands.Length;
                int[] defined = Registers(operands[..first]);
                int at = instructions.Count;
                if (name.StartsWith("bra", StringComparison.Ordinal))
                {
                    branches.Add((at, operands.Trim()));
                    instructions.Add(([], guard, guard.Length > 0 ? [at + 1] : []));
                }
                else
                {
                    // A guarded instruction may leave its result as it was.
                    int[] kept = guard.Length > 0 ? defined : [];
                    instructions.Add((defined, [.. Registers(operands[first..]), .. guard, .. kept], name is "ret" or "exit" ? [] : [at + 1]));
                }
            }
        }
        foreach (var (at, label) in branches)
        {
            instructions[at] = instructions[at] with { Next = [.. instructions[at].Next, labels[label]] };
        }
        var live = new BitArray[instructions.Count + 1];
        for (int i = 0; i < live.Length; i++)
        {
            live[i] = new BitArray(numbers.Count);
        }
        for (bool changed = true; changed;)
        {
            changed = false;
            for (int i = instructions.Count - 1; i >= 0; i--)
            {
                var (defined, used, next) = instructions[i];
                var now = new BitArray(numbers.Count);
                foreach (int target in next)
                {
                    now.Or(live[target]);
                }
                foreach (int register in defined)
                {
                    now[register] = false;
                }
                foreach (int register in used)
                {
                    now[register] = true;
                }
                changed |= !now.Cast<bool>().SequenceEqual(live[i].Cast<bool>());
                live[i] = now;
            }
        }
        return live.Max(set => Enumerable.Range(0, widths.Count).Sum(register => set[register] ? widths[register] : 0));

        int[] Registers(string text) => [.. Register().Matches(text).Select(match =>
        {
            if (!numbers.TryGetValue(match.Value, out int number))
            {
                numbers[match.Value] = number = numbers.Count;
                // Predicates have registers of their own.
                widths.Add(match.Groups[1].Value switch { "rd" or "fd" => 2, "p" => 0, _ => 1 });
            }
            return number;
        })];
    }

    [GeneratedRegex(@"\.shared[^;\n]*\[(\d+)\]")]
    private static partial Regex Shared();

    [GeneratedRegex(@"^([A-Za-z_$][\w$]*):")]
    private static partial Regex Label();

    [GeneratedRegex(@"^(?<guard>@!?%p\d+\s+)?(?<name>[a-z][\w.:]*)\s*(?<operands>[^;]*);")]
    private static partial Regex Instruction();

    [GeneratedRegex(@"%(rd|rs|r|fd|f|p)\d+")]
    private static partial Regex Register();
}
