namespace Marl.Native.Rl;

/// <summary>
/// An environment that lives in a program of its own, in any language: it is asked over its standard input and answers over its standard output, a
/// line of JSON each (docs/protocol.md). Every instance is a process; dispose of it.
/// Chance is the program's, but it follows from the seed that each reset carries, drawn from the generator of <see cref="Reset"/>: a program that
/// plays the same after the same seed keeps runs reproducible. That is also how a snapshot works: it is the seed and the actions since, and the
/// program plays them again when it is next asked for something other than a reset. Between two episodes this costs nothing.
/// </summary>
public sealed class ExternalEnvironment : IEnvironment, IDisposable
{
    /// <summary>How many seconds an answer may take unless something else is said.</summary>
    public const int DefaultTimeout = 60;

    /// <summary>What ids of these environments begin with; the command line follows.</summary>
    public const string IdPrefix = "cmd:";

    private const int LongestTimeout = 1_000_000;

    private readonly string id;
    private readonly ExternalProtocol protocol = new();
    private readonly ExternalProgram program;
    private ExternalDescription? description;

    // Of the description's size, so they exist once it is known.
    private ExternalMoment moment = null!;
    private ExternalEpisode episode = null!;

    // The program is not at the end of the episode as it is known here, but must play it again first.
    private bool elsewhere;

    /// <summary>Starts the program; does not wait until it is ready, so that several get ready at once.</summary>
    /// <param name="command">program and arguments, separated by white space; quotes keep together. No shell is between.</param>
    /// <param name="timeout">how many seconds an answer may take.</param>
    /// <exception cref="UsageException">there is no such program.</exception>
    public ExternalEnvironment(string command, int timeout = DefaultTimeout)
    {
        id = EnvironmentId.Compose($"{IdPrefix}{command}", ("timeout", timeout, DefaultTimeout));
        UsageException Impossible(string problem) => new($"environment '{id}': {problem}");
        if (timeout is < 1 or > LongestTimeout)
        {
            throw Impossible($"timeout={timeout} is not in 1 .. {LongestTimeout} seconds");
        }

        try
        {
            string[] words = CommandWords.Split(command);
            program = new(words.Length > 0 ? words : throw Impossible("a program is missing: cmd:PROGRAM ARGUMENTS"), TimeSpan.FromSeconds(timeout));
        }
        catch (Exception e) when (e is FormatException or ProgramFault)
        {
            throw Impossible(e.Message);
        }
        try
        {
            program.Ask(protocol.Hello());
        }
        catch (ProgramFault fault)
        {
            throw Failed("at its start", fault);
        }
    }

    /// <inheritdoc/>
    /// <exception cref="EnvironmentException">the program does not say what it is.</exception>
    public EnvironmentSpec Spec
    {
        get
        {
            description ??= Meet();
            return description.Spec;
        }
    }

    internal static IEnvironment? TryCreate(EnvironmentId id)
    {
        if (!id.Text.StartsWith(IdPrefix, StringComparison.Ordinal))
        {
            return null;
        }

        int timeout = id.Integer("timeout") ?? DefaultTimeout;
        id.EnsureAllRead(hasLayout: true);
        return new ExternalEnvironment(id.Layout, timeout);
    }

    /// <inheritdoc/>
    /// <exception cref="EnvironmentException">the program did not do its part.</exception>
    public void Reset(ref Rng rng)
    {
        _ = Spec;
        episode.Begin(rng.NextInt(int.MaxValue));
        elsewhere = true;
        CatchUp();
    }

    /// <inheritdoc/>
    /// <exception cref="EnvironmentException">the program did not do its part.</exception>
    public StepResult Step(JointAction actions, Span<double> rewards, ref Rng rng)
    {
        CatchUp();
        Play(actions, episode.Steps + 1);
        episode.Add(actions);
        moment.Rewards.CopyTo(rewards);
        return moment.Result == StepResult.Running && episode.Steps >= Spec.EpisodeLimit ? StepResult.Truncated : moment.Result;
    }

    /// <inheritdoc/>
    public void Observe(int agent, Span<float> observation)
    {
        CatchUp();
        moment.Observations[agent].CopyTo(observation);
    }

    /// <inheritdoc/>
    public void ReadAvailable(int agent, Span<bool> available)
    {
        CatchUp();
        moment.Available[agent].CopyTo(available);
    }

    /// <inheritdoc/>
    public void ReadState(Span<float> state)
    {
        CatchUp();
        if (description!.HasState)
        {
            moment.State.CopyTo(state);
            return;
        }
        foreach (float[] observation in moment.Observations)
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
        elsewhere = true;
    }

    /// <summary>Ends the program.</summary>
    public void Dispose() => program.Dispose();

    private ExternalDescription Meet()
    {
        try
        {
            var met = ExternalProtocol.ReadHello(program.FirstAnswer(), id);
            moment = new ExternalMoment(met);
            episode = new ExternalEpisode(met.Spec);
            return met;
        }
        catch (ProgramFault fault)
        {
            throw Failed("at its start", fault);
        }
    }

    /// <summary>Brings the program to the end of the episode as it is known here.</summary>
    private void CatchUp()
    {
        if (!elsewhere)
        {
            return;
        }

        try
        {
            program.Ask(protocol.Reset(episode.Seed));
            moment.Read(program.Answer(), first: true);
        }
        catch (ProgramFault fault)
        {
            throw Failed($"at the reset with seed {episode.Seed}", fault);
        }
        for (int step = 0; step < episode.Steps; step++)
        {
            Play(episode.Joint(step), step + 1);
        }

        elsewhere = false;
    }

    private void Play(JointAction actions, int step)
    {
        try
        {
            program.Ask(protocol.Step(actions, Spec));
            moment.Read(program.Answer(), first: false);
        }
        catch (ProgramFault fault)
        {
            throw Failed($"at step {step} after the reset with seed {episode.Seed}", fault);
        }
    }

    /// <summary>A program that did something wrong is not asked again.</summary>
    private EnvironmentException Failed(string where, ProgramFault fault)
    {
        program.Kill();
        return new($"environment '{id}' {where}: {fault.Message}");
    }
}
