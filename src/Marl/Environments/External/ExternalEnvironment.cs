using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>
/// An environment in a program of its own, written in any language. The program receives requests on its standard input and answers on its standard output,
/// one line of JSON each (docs/protocol.md). Every instance starts a process; dispose of it.
/// </summary>
/// <remarks>
/// The program generates its own random numbers. Each reset has a seed from the generator of <see cref="Reset"/>; runs are reproducible if the program's
/// episodes depend only on the seed and the actions. A snapshot is the seed and the actions of the episode: after <see cref="Restore"/>, the next request
/// other than a reset replays them.
/// </remarks>
/// <example>
/// <code>
/// using var environment = new ExternalEnvironment("python3 my_env.py");
/// var rng = new Rng(1);
/// environment.Reset(ref rng);
/// double[] rewards = new double[environment.Spec.Agents.Length];
/// var result = environment.Step(new int[rewards.Length], rewards, ref rng);
/// </code>
/// </example>
public sealed class ExternalEnvironment : IEnvironment, IDisposable
{
    /// <summary>The default timeout of an answer in seconds.</summary>
    public const int DefaultTimeout = 60;

    /// <summary>The prefix of the ids of these environments; the command line follows.</summary>
    public const string IdPrefix = "cmd:";

    private const int MaxTimeout = 1_000_000;

    private readonly string id;
    private readonly ExternalProtocol protocol = new();
    private readonly ExternalProgram program;
    private ExternalDescription? description;

    // Created when the description is known.
    private ExternalTimeStep timeStep = null!;
    private ExternalEpisode episode = null!;

    // Whether the program has to replay the episode before the next request.
    private bool needsReplay;

    /// <summary>Starts the program. Does not wait for its first answer, so several programs start in parallel.</summary>
    /// <param name="command">The program and its arguments, separated by white space; quotes enclose white space. No shell is used.</param>
    /// <param name="timeout">The timeout of an answer in seconds.</param>
    /// <exception cref="UsageException">The program cannot be started, or the timeout is out of range.</exception>
    public ExternalEnvironment(string command, int timeout = DefaultTimeout)
    {
        id = EnvironmentId.Compose($"{IdPrefix}{command}", ("timeout", timeout, DefaultTimeout));
        UsageException Error(string problem) => new($"environment '{id}': {problem}");
        if (timeout is < 1 or > MaxTimeout)
        {
            throw Error($"timeout={timeout} is not in 1 .. {MaxTimeout} seconds");
        }

        try
        {
            string[] arguments = CommandLineSplitter.Split(command);
            program = new(arguments.Length > 0 ? arguments : throw Error("the program is missing: cmd:PROGRAM ARGUMENTS"), TimeSpan.FromSeconds(timeout));
        }
        catch (Exception e) when (e is FormatException or ExternalProgramException)
        {
            throw Error(e.Message);
        }
        try
        {
            program.Send(protocol.Hello());
        }
        catch (ExternalProgramException fault)
        {
            throw Failed("during startup", fault);
        }
    }

    /// <inheritdoc/>
    /// <exception cref="EnvironmentException">The program failed, or its description is not valid.</exception>
    public EnvironmentSpec Spec
    {
        get
        {
            description ??= ReadDescription();
            return description.Spec;
        }
    }

    /// <summary>The command of an id, PROGRAM ARGUMENTS of <c>cmd:PROGRAM ARGUMENTS?timeout=S</c>; null if the id is of another environment.</summary>
    public static string? CommandOf(string id) => id.StartsWith(IdPrefix, StringComparison.Ordinal) ? new EnvironmentId(id).Layout : null;

    internal static IEnvironment? TryCreate(EnvironmentId id)
    {
        if (!id.Text.StartsWith(IdPrefix, StringComparison.Ordinal))
        {
            return null;
        }

        int timeout = id.Integer("timeout") ?? DefaultTimeout;
        id.EnsureAllRead(hasLayout: true);
        if (id.Layout != id.Program)
        {
            throw new UsageException($"the environment is a program, '{Printable.Of(id.Layout)}'; to start it, name it: --env-cmd \"{Printable.Of(id.Layout)}\"");
        }
        return new ExternalEnvironment(id.Layout, timeout);
    }

    /// <inheritdoc/>
    /// <exception cref="EnvironmentException">The program failed, or its answer is not valid.</exception>
    public void Reset(ref Rng rng)
    {
        _ = Spec;
        episode.Begin(rng.NextInt(int.MaxValue));
        needsReplay = true;
        Replay();
    }

    /// <inheritdoc/>
    /// <exception cref="EnvironmentException">The program failed, or its answer is not valid.</exception>
    public StepResult Step(JointAction actions, Span<double> rewards, ref Rng rng)
    {
        Replay();
        SendStep(actions, episode.Steps + 1);
        episode.Add(actions);
        timeStep.Rewards.CopyTo(rewards);
        return timeStep.Result == StepResult.Running && episode.Steps >= Spec.EpisodeLimit ? StepResult.Truncated : timeStep.Result;
    }

    /// <inheritdoc/>
    public void Observe(int agent, Span<float> observation)
    {
        Replay();
        timeStep.Observations[agent].CopyTo(observation);
    }

    /// <inheritdoc/>
    public void ReadAvailable(int agent, Span<bool> available)
    {
        Replay();
        timeStep.Available[agent].CopyTo(available);
    }

    /// <inheritdoc/>
    public void ReadState(Span<float> state)
    {
        Replay();
        if (description!.HasState)
        {
            timeStep.State.CopyTo(state);
            return;
        }
        foreach (float[] observation in timeStep.Observations)
        {
            observation.CopyTo(state);
            state = state[observation.Length..];
        }
    }

    /// <inheritdoc/>
    public void Save(Span<double> snapshot)
    {
        _ = Spec;
        episode.Save(snapshot);
    }

    /// <inheritdoc/>
    public void Restore(ReadOnlySpan<double> snapshot)
    {
        _ = Spec;
        episode.Restore(snapshot);
        needsReplay = true;
    }

    /// <summary>Closes the standard input of the program and waits until it ends; kills it after a timeout.</summary>
    public void Dispose() => program.Dispose();

    private ExternalDescription ReadDescription()
    {
        try
        {
            var received = ExternalProtocol.ReadHello(program.ReadFirstAnswer(), id);
            timeStep = new ExternalTimeStep(received);
            episode = new ExternalEpisode(received.Spec);
            return received;
        }
        catch (ExternalProgramException fault)
        {
            throw Failed("during startup", fault);
        }
    }

    /// <summary>Replays the episode in the program if necessary.</summary>
    private void Replay()
    {
        if (!needsReplay)
        {
            return;
        }

        try
        {
            program.Send(protocol.Reset(episode.Seed));
            timeStep.Read(program.ReadAnswer(), first: true);
        }
        catch (ExternalProgramException fault)
        {
            throw Failed($"at the reset with seed {episode.Seed}", fault);
        }
        for (int step = 0; step < episode.Steps; step++)
        {
            SendStep(episode.Joint(step), step + 1);
        }

        needsReplay = false;
    }

    private void SendStep(JointAction actions, int step)
    {
        try
        {
            program.Send(protocol.Step(actions, Spec));
            timeStep.Read(program.ReadAnswer(), first: false);
        }
        catch (ExternalProgramException fault)
        {
            throw Failed($"at step {step} after the reset with seed {episode.Seed}", fault);
        }
    }

    /// <summary>Kills the program, and creates the exception.</summary>
    private EnvironmentException Failed(string where, ExternalProgramException fault)
    {
        program.Kill();
        return new($"environment '{id}' {where}: {fault.Message}");
    }
}
