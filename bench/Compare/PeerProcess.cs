using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Marl.Native.Bench.Compare;

/// <summary>
/// The peer, python3 bench/peers/peer.py, in a process of its own with a fixed number of threads: a line of JSON is asked, a line is the
/// answer. Between two questions it sleeps.
/// </summary>
internal sealed class PeerProcess : IDisposable
{
    private readonly Process process;

    /// <summary>Starts it.</summary>
    public PeerProcess(PeerSettings settings, int threads)
    {
        Threads = threads;
        process = Process.Start(settings.Describe("peer.py", threads))!;
        // Warnings of its libraries are nobody's business here; errors come as answers. The pipe must be emptied all the same.
        process.ErrorDataReceived += (_, _) => { };
        process.BeginErrorReadLine();
    }

    /// <summary>How many threads it has.</summary>
    public int Threads { get; }

    /// <summary>What it has used of the processors so far.</summary>
    public TimeSpan ProcessorTime
    {
        get
        {
            process.Refresh();
            return process.TotalProcessorTime;
        }
    }

    /// <summary>Prepares a case; null, with a word on stderr, if its PyTorch cannot do it.</summary>
    public Contestant? Prepare(Case what, string variant)
    {
        JsonObject name = new() { ["case"] = what.PeerCase, ["variant"] = variant };
        try
        {
            var prepare = (JsonObject)name.DeepClone();
            prepare["do"] = "prepare";
            prepare["size"] = what.Size.DeepClone();
            Ask(prepare);
            Run(0.1);
            return new(Side.Peer, variant, Threads, Run);
        }
        catch (PeerException e)
        {
            Console.Error.WriteLine($"PyTorch cannot do {what.Name} ({variant}): {e.Message}");
            return null;
        }

        double[] Run(double seconds)
        {
            var run = (JsonObject)name.DeepClone();
            run["do"] = "run";
            run["seconds"] = seconds;
            return [.. Ask(run)["seconds"]!.AsArray().Select(value => value!.GetValue<double>())];
        }
    }

    /// <summary>Forgets what was prepared.</summary>
    public void Drop() => Ask(new JsonObject { ["do"] = "drop" });

    /// <exception cref="PeerException">the answer is an error, or none.</exception>
    public JsonObject Ask(JsonObject request)
    {
        process.StandardInput.WriteLine(request.ToJsonString());
        process.StandardInput.Flush();
        string line = process.StandardOutput.ReadLine() ?? throw new PeerException("the process ended");
        var answer = JsonNode.Parse(line)!.AsObject();
        return answer["error"] is { } error ? throw new PeerException(error.GetValue<string>().Trim().Split('\n')[^1]) : answer;
    }

    public void Dispose()
    {
        process.StandardInput.Close();
        if (!process.WaitForExit(TimeSpan.FromSeconds(5)))
        {
            process.Kill();
        }
        process.Dispose();
    }
}

/// <summary>The peer could not do what it was asked.</summary>
internal sealed class PeerException(string message) : Exception(message);
