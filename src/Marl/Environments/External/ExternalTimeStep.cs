namespace Marl.Native.Rl;

/// <summary>What a program said last: the observations, rewards and possibilities of one moment of an episode.</summary>
internal sealed class ExternalTimeStep
{
    private readonly ExternalDescription description;

    public ExternalTimeStep(ExternalDescription description)
    {
        this.description = description;
        var agents = description.Spec.Agents;
        Observations = [.. agents.Select(agent => new float[agent.ObservationSize])];
        Available = [.. agents.Select(agent => new bool[agent.ActionCount])];
        Rewards = new double[agents.Length];
        State = description.HasState ? new float[description.Spec.StateSize] : [];
    }

    /// <summary>[N][O]</summary>
    public float[][] Observations { get; }

    /// <summary>[N][A]</summary>
    public bool[][] Available { get; }

    /// <summary>[N]; 0 after a reset.</summary>
    public double[] Rewards { get; }

    /// <summary>[S]; empty if the program has none.</summary>
    public float[] State { get; }

    /// <summary>Where the episode stands.</summary>
    public StepResult Result { get; private set; }

    /// <summary>Reads the answer to reset or step.</summary>
    /// <param name="line">the answer.</param>
    /// <param name="first">of a reset: without rewards and an end.</param>
    /// <exception cref="ExternalProgramException">something is missing or makes no sense; names it.</exception>
    public void Read(ReadOnlySpan<byte> line, bool first)
    {
        bool observed = false, rewarded = first, masked = false, stated = !description.HasState;
        bool terminated = false, truncated = false, ends = first, cuts = first;
        var json = new JsonLine(line);
        while (json.NextField())
        {
            if (json.Is("observations"u8))
            {
                ReadObservations(ref json);
                observed = true;
            }
            else if (json.Is("available"u8))
            {
                ReadAvailable(ref json);
                masked = true;
            }
            else if (json.Is("state"u8) && description.HasState)
            {
                json.SetSubject("state");
                json.ReadNumbers<float>(State);
                stated = true;
            }
            else if (json.Is("rewards"u8) && !first)
            {
                json.SetSubject("rewards");
                json.ReadNumbers<double>(Rewards);
                rewarded = true;
            }
            else if (json.Is("terminated"u8) && !first)
            {
                json.SetSubject("terminated");
                terminated = json.ReadBool();
                ends = true;
            }
            else if (json.Is("truncated"u8) && !first)
            {
                json.SetSubject("truncated");
                truncated = json.ReadBool();
                cuts = true;
            }
            else
            {
                throw json.Unknown([
                    "observations", "available", .. description.HasState ? ["state"] : Array.Empty<string>(),
                    .. first ? Array.Empty<string>() : ["rewards", "terminated", "truncated"]]);
            }
        }
        string? missing = !observed ? "observations" : !stated ? "state" : !rewarded ? "rewards" : !ends ? "terminated" : !cuts ? "truncated" : null;
        if (missing is not null)
        {
            throw new ExternalProgramException($"the answer has no {missing}");
        }

        if (first)
        {
            Rewards.AsSpan().Clear();
        }

        Result = terminated ? StepResult.Terminated : truncated ? StepResult.Truncated : StepResult.Running;
        for (int agent = 0; agent < Available.Length; agent++)
        {
            if (!masked)
            {
                Available[agent].AsSpan().Fill(true);
            }
            else if (!Available[agent].AsSpan().Contains(true))
            {
                throw new ExternalProgramException($"agent '{description.Names[agent]}' has no available action; it needs at least one");
            }
        }
    }

    private void ReadObservations(ref JsonLine json)
    {
        json.SetSubject("observations");
        json.BeginArray();
        for (int agent = 0; agent < Observations.Length; agent++)
        {
            json.SetSubject("the observation", description.Names[agent]);
            json.ReadNumbers<float>(Observations[agent]);
        }
        json.SetSubject("observations");
        json.EndArray(Observations.Length);
    }

    private void ReadAvailable(ref JsonLine json)
    {
        json.SetSubject("available");
        json.BeginArray();
        for (int agent = 0; agent < Available.Length; agent++)
        {
            json.SetSubject("available", description.Names[agent]);
            json.ReadBools(Available[agent]);
        }
        json.SetSubject("available");
        json.EndArray(Available.Length);
    }
}
