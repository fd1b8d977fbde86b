using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Marl.Native.Bench.Compare;

/// <summary>
/// The peer, python3 bench/peers/peer.py, as a process with a fixed number of threads. Requests and answers are lines of JSON; between requests it sleeps.
/// </summary>
internal sealed class PeerProcess : IDisposable
{
    private readonly Process process;

    /// <summary>Starts the process.</summary>
    public PeerProcess(PeerSettings settings, int threads)
    {
        Threads = threads;
        process = Process.Start(settings.Describe("peer.py", threads))!;
        // Warnings of its libraries are ignored, and errors are answers; but the pipe must be drained.
        process.ErrorDataReceived += (_, _) => { };
        process.BeginErrorReadLine();
    }

    /// <summary>The number of threads.</summary>
    public int Threads { get; }

    /// <summary>The processor time so far.</summary>
    public TimeSpan ProcessorTime
    {
        get
        {
            process.Refresh();
            return process.TotalProcessorTime;
        }
    }

    /// <summary>Prepares a case; returns null, with a message on stderr, if PyTorch cannot run it.</summary>
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

    /// <summary>Releases the prepared case.</summary>
    public void Drop() => Ask(new JsonObject { ["do"] = "drop" });

    /// <exception cref="PeerException">The answer is an error, or there is none.</exception>
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

/// <summary>A request to the peer failed.</summary>
internal sealed class PeerException(string message) : Exception(message);
