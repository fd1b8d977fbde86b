namespace Marl.Native.Rl;

/// <summary>The last answer of a program: observations, available actions, state, rewards and result of a time step.</summary>
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

    /// <summary>[N][O] The observations.</summary>
    public float[][] Observations { get; }

    /// <summary>[N][A] Which actions are available.</summary>
    public bool[][] Available { get; }

    /// <summary>[N] The rewards; 0 after a reset.</summary>
    public double[] Rewards { get; }

    /// <summary>[S] The state; empty if the program has none.</summary>
    public float[] State { get; }

    /// <summary>Whether the episode continues.</summary>
    public StepResult Result { get; private set; }

    /// <summary>Reads the answer to a reset or step request.</summary>
    /// <param name="line">The answer.</param>
    /// <param name="first">Whether it is the answer to a reset, which has no rewards and no end.</param>
    /// <exception cref="ExternalProgramException">A field is missing or invalid; the message names it.</exception>
    public void Read(ReadOnlySpan<byte> line, bool first)
    {
        bool hasObservations = false, hasRewards = false, hasAvailable = false, hasState = false;
        bool terminated = false, truncated = false, hasTerminated = false, hasTruncated = false;
        var json = new JsonLine(line);
        while (json.NextField())
        {
            if (json.Is("observations"u8, ref hasObservations))
            {
                ReadObservations(ref json);
            }
            else if (json.Is("available"u8, ref hasAvailable))
            {
                ReadAvailable(ref json);
                hasAvailable = true;
            }
            else if (description.HasState && json.Is("state"u8, ref hasState))
            {
                json.SetSubject("state");
                json.ReadNumbers<float>(State);
            }
            else if (!first && json.Is("rewards"u8, ref hasRewards))
            {
                json.SetSubject("rewards");
                json.ReadNumbers<double>(Rewards);
            }
            else if (!first && json.Is("terminated"u8, ref hasTerminated))
            {
                json.SetSubject("terminated");
                terminated = json.ReadBool();
            }
            else if (!first && json.Is("truncated"u8, ref hasTruncated))
            {
                json.SetSubject("truncated");
                truncated = json.ReadBool();
            }
            else
            {
                throw json.Unknown([
                    "observations", "available", .. description.HasState ? ["state"] : Array.Empty<string>(),
                    .. first ? Array.Empty<string>() : ["rewards", "terminated", "truncated"]]);
            }
        }
        string? missing = !hasObservations ? "observations" : description.HasState && !hasState ? "state" : first ? null
            : !hasRewards ? "rewards" : !hasTerminated ? "terminated" : !hasTruncated ? "truncated" : null;
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
            if (!hasAvailable)
            {
                Available[agent].AsSpan().Fill(true);
            }
            else if (Result == StepResult.Running && !description.Spec.Agents[agent].CanAct(Available[agent]))
            {
                throw new ExternalProgramException($"agent '{description.Names[agent]}' has no available action; at least one is required");
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
