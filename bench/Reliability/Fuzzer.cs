using System.Diagnostics;
using System.Security.Cryptography;

namespace Marl.Native.Bench.Reliability;

/// <summary>What became of the damaged files of a reader.</summary>
/// <param name="Reader">The name of the reader.</param>
/// <param name="Cases">The number of files.</param>
/// <param name="Accepted">Those that were read.</param>
/// <param name="Findings">What must not happen, with the file.</param>
internal sealed record FuzzReport(string Reader, long Cases, long Accepted, IReadOnlyList<(string Problem, byte[] Content)> Findings);

/// <summary>
/// Reads damaged files, and reports every exception that the reader does not document, every message that is longer than a line of a terminal can be or has control
/// characters, every case that allocates much more than the size of the file, and every case that takes long.
/// </summary>
internal static class Fuzzer
{
    private const int MaxFindings = 20, MaxMessageLength = 1000;

    /// <summary>What a case may allocate: this much, and a multiple of the file's size.</summary>
    private const long MaxAllocation = 1 << 26, AllocationPerByte = 64;

    private static readonly TimeSpan MaxDuration = TimeSpan.FromSeconds(60);

    /// <summary>Reads damaged files for a time, or until a number of cases is reached.</summary>
    /// <param name="reader">The reader.</param>
    /// <param name="seed">Of the damages.</param>
    /// <param name="duration">How long.</param>
    /// <param name="cases">The number of cases at which the run ends.</param>
    public static FuzzReport Run(FileReader reader, ulong seed, TimeSpan duration, long cases = long.MaxValue)
    {
        var mutator = new Mutator(new Rng(seed));
        var findings = new List<(string Problem, byte[] Content)>();
        var known = new HashSet<string>();
        long count = 0, accepted = 0;
        byte[] current = [];
        long started = Stopwatch.GetTimestamp();
        var watch = Stopwatch.StartNew();
        // A thread of its own: a case that does not end is reported, too.
        var thread = new Thread(Work) { IsBackground = true };
        thread.Start();
        while (!thread.Join(100))
        {
            if (Stopwatch.GetElapsedTime(Volatile.Read(ref started)) > MaxDuration)
            {
                return new(reader.Name, count, accepted, [.. findings, ($"takes longer than {MaxDuration.TotalSeconds} s", current)]);
            }
        }
        return new(reader.Name, count, accepted, findings);

        void Work()
        {
            while (watch.Elapsed < duration && count < cases && findings.Count < MaxFindings)
            {
                current = reader.Mutate(mutator, mutator.Pick(reader.Samples), mutator.Pick(reader.Samples));
                Volatile.Write(ref started, Stopwatch.GetTimestamp());
                var (problem, isAccepted) = Check(reader, current);
                // One case for each kind of problem.
                if (problem is not null && known.Add(problem.Split('\n')[0]))
                {
                    findings.Add((problem, current));
                }
                count++;
                accepted += isAccepted ? 1 : 0;
            }
        }
    }

    /// <summary>Reads a file. What all threads of the process allocate counts.</summary>
    /// <returns>What must not happen, or null; and whether the file was read.</returns>
    public static (string? Problem, bool IsAccepted) Check(FileReader reader, byte[] content)
    {
        long before = GC.GetTotalAllocatedBytes();
        string? problem = null;
        bool accepted = false;
        try
        {
            reader.Read(content);
            accepted = true;
        }
        catch (Exception e) when (reader.IsDocumented(e))
        {
            problem = e.Message.Length > MaxMessageLength ? $"a message of {e.Message.Length} characters: {e.Message[..100]}"
                : e.Message.Any(c => char.IsControl(c) && c != '\t') ? $"a message with control characters: {e.Message}" : null;
        }
        catch (Exception e)
        {
            problem = $"{e.GetType().Name} {e.StackTrace?.Split('\n').Skip(1).FirstOrDefault()?.Trim()}\n{e}";
        }
        long allocated = GC.GetTotalAllocatedBytes() - before, limit = MaxAllocation + AllocationPerByte * content.Length;
        return (problem ?? (allocated > limit ? $"allocates {allocated >> 20} MiB for a file of {content.Length} bytes" : null), accepted);
    }

    /// <summary>Creates a temporary folder, in memory if the system has a file system there: saving waits for disks.</summary>
    public static DirectoryInfo CreateFolder() => Directory.Exists("/dev/shm")
        ? Directory.CreateDirectory(Path.Combine("/dev/shm", $"marl-{Path.GetRandomFileName()}")) : Directory.CreateTempSubdirectory("marl-");

    /// <summary>The name of a file in a corpus.</summary>
    public static string NameOf(byte[] content) => Convert.ToHexStringLower(SHA256.HashData(content))[..16];
}
