namespace Marl.Native.Rl;

/// <summary>
/// Tells whether an <see cref="IEnvironment"/> was done right, by playing random episodes: the specification makes sense; the same
/// seed gives the same episodes; everything is written, finite and within the given spans; there is always an action to take;
/// <see cref="IEnvironment.Save"/> and <see cref="IEnvironment.Restore"/> carry the whole future into another instance; an episode ends
/// by its limit; it can be begun anew at any time; and nothing is allocated on the way.
/// </summary>
public static class EnvironmentChecker
{
    /// <summary>Checks the environments that <paramref name="create"/> makes.</summary>
    /// <param name="create">makes a new instance at each call, always of the same specification.</param>
    /// <param name="episodes">how many random episodes are played.</param>
    /// <param name="seed">for the episodes and the actions.</param>
    /// <returns>one line for each kind of problem, naming where it was first seen and the member; empty if all is well.</returns>
    public static IReadOnlyList<string> Check(Func<IEnvironment> create, int episodes = 10, ulong seed = 1)
    {
        var findings = new EnvironmentFindings();
        List<IEnvironment> created = [];
        try
        {
            IEnvironment first = Create(), second = Create(), third = Create();
            if (ReferenceEquals(first, second))
            {
                findings.Add("create", "returns the same instance twice");
            }

            CheckSpec(first, second, findings);
            if (findings.Problems.Count > 0)
            {
                return findings.Problems;
            }

            Play(first, second, third, episodes, seed, findings);
            if (findings.Problems.Count == 0)
            {
                MeasureAllocation(Create(), episodes, seed, findings);
            }
        }
        catch (Exception error) // whatever the environment throws is a finding
        {
            findings.Add(findings.Member, $"throws {error.GetType().Name}: {error.Message}");
        }
        finally
        {
            foreach (var environment in created)
            {
                (environment as IDisposable)?.Dispose();
            }
        }
        return findings.Problems;

        IEnvironment Create()
        {
            created.Add(create());
            return created[^1];
        }
    }

    /// <summary>Throws if <see cref="Check"/> finds anything.</summary>
    /// <exception cref="InvalidOperationException">the environment is not right; the message lists the problems.</exception>
    public static void EnsureValid(Func<IEnvironment> create, int episodes = 10, ulong seed = 1)
    {
        var problems = Check(create, episodes, seed);
        if (problems.Count > 0)
        {
            throw new InvalidOperationException("the environment breaks its contract:\n  " + string.Join("\n  ", problems));
        }
    }

    private static void CheckSpec(IEnvironment environment, IEnvironment another, EnvironmentFindings findings)
    {
        var spec = environment.Spec;
        Require(ReferenceEquals(spec, environment.Spec), "is another object each time");
        Require(!string.IsNullOrEmpty(spec.Id), "Id is empty");
        Require(spec.Agents is { Length: > 0 }, "Agents is empty");
        Require(spec.StateSize >= 0, "StateSize is negative");
        Require(spec.SnapshotSize >= 0, "SnapshotSize is negative");
        Require(spec.EpisodeLimit >= 1, "EpisodeLimit is less than 1");
        foreach (var agent in spec.Agents ?? [])
        {
            Require(agent.ObservationSize >= 1, "an agent's Observation is less than 1");
            Require(agent.ActionCount >= 1, "an agent's Actions is less than 1");
            Require(agent.Team >= 0, "an agent's Team is negative");
            Require(agent.Box is not { } box || float.IsFinite(box.Low) && float.IsFinite(box.High) && box.Low < box.High, "an agent's Box is empty or has no bounds");
            Require((agent.Box is null) == (spec.Agents![0].Box is null), "some agents choose among actions, and those of others are numbers");
        }
        Require(spec.IsEquivalentTo(another.Spec), "differs between instances");

        void Require(bool holds, string problem)
        {
            if (!holds)
            {
                findings.Add(nameof(IEnvironment.Spec), problem);
            }
        }
    }

    /// <summary>Plays the same episodes with two instances side by side. A third, which has a past of its own, takes over a snapshot in the
    /// middle of an episode and must go along with the others until the end of the next one.</summary>
    private static void Play(IEnvironment first, IEnvironment second, IEnvironment third, int episodes, ulong seed, EnvironmentFindings findings)
    {
        var policy = new Rng(seed).Split(RngPurpose.Test, 0);
        Rng start = new Rng(seed).Split(RngPurpose.Test, 1), elsewhere = new Rng(seed).Split(RngPurpose.Test, 2);
        var main = new EnvironmentProbe(first, start, findings);
        var twin = new EnvironmentProbe(second, start, findings);
        var successor = new EnvironmentProbe(third, elsewhere, findings);
        int limit = first.Spec.EpisodeLimit, followed = 0;
        for (int episode = 0; episode < episodes; episode++)
        {
            (findings.Episode, findings.Step) = (episode, 0);
            main.Reset();
            twin.Reset();
            if (followed > 0)
            {
                successor.Reset();
            }

            Compare();
            bool cut = episode % 3 == 2; // begins anew in the middle
            int end = cut ? policy.NextInt(limit) : limit, takeOver = followed > 0 ? -1 : policy.NextInt(Math.Min(limit, 10));
            while (true)
            {
                if (findings.Step == takeOver)
                {
                    successor.PlayRandomSteps(ref policy, policy.NextInt(5));
                    successor.RestoreFrom(main);
                    followed = 2;
                    Compare();
                }
                if (findings.Step >= end)
                {
                    break;
                }

                findings.Step++;
                main.SampleActions(ref policy);
                main.Step(main.Joint);
                twin.Step(main.Joint);
                if (followed > 0)
                {
                    successor.Step(main.Joint);
                }

                Compare();
                if (main.Result != StepResult.Running)
                {
                    break;
                }
            }
            if (main.Result == StepResult.Running && !cut)
            {
                findings.Add(nameof(IEnvironment.Step), "the episode is still running at EpisodeLimit");
            }

            followed--;
        }

        void Compare()
        {
            main.Compare(twin, "differs between two instances with the same seed and actions");
            if (followed > 0)
            {
                main.Compare(successor, "goes another way after Save and Restore into another instance");
            }
        }
    }

    /// <summary>Plays the same episodes twice and measures the second time, so that whatever is set up once has been set up.</summary>
    private static void MeasureAllocation(IEnvironment environment, int episodes, ulong seed, EnvironmentFindings findings)
    {
        var spec = environment.Spec;
        int agents = spec.Agents.Length;
        float[] observation = new float[spec.ObservationSize];
        float[] state = new float[spec.StateSize];
        bool[] available = new bool[spec.ActionCount];
        double[] rewards = new double[agents];
        var actions = new RandomActions(spec);
        double[] snapshot = new double[spec.SnapshotSize];
        for (int pass = 0; pass < 2; pass++)
        {
            bool measures = pass == 1;
            Rng rng = new Rng(seed).Split(RngPurpose.Test, 3), policy = new Rng(seed).Split(RngPurpose.Test, 4);
            for (int episode = 0; episode < episodes; episode++)
            {
                (findings.Episode, findings.Step) = (episode, 0);
                long before = Now();
                environment.Reset(ref rng);
                Report(nameof(IEnvironment.Reset), before);
                var result = StepResult.Running;
                while (result == StepResult.Running && findings.Step < spec.EpisodeLimit)
                {
                    for (int agent = 0; agent < agents; agent++)
                    {
                        before = Now();
                        environment.Observe(agent, observation.AsSpan(0, spec.Agents[agent].ObservationSize));
                        Report(nameof(IEnvironment.Observe), before);
                        var mask = available.AsSpan(0, spec.Agents[agent].ActionCount);
                        before = Now();
                        environment.ReadAvailable(agent, mask);
                        Report(nameof(IEnvironment.ReadAvailable), before);
                        actions.Sample(agent, mask, ref policy);
                    }
                    before = Now();
                    environment.ReadState(state);
                    Report(nameof(IEnvironment.ReadState), before);
                    before = Now();
                    environment.Save(snapshot);
                    Report(nameof(IEnvironment.Save), before);
                    before = Now();
                    environment.Restore(snapshot);
                    Report(nameof(IEnvironment.Restore), before);
                    findings.Step++;
                    before = Now();
                    result = environment.Step(actions.Joint, rewards, ref rng);
                    Report(nameof(IEnvironment.Step), before);
                }
            }

            void Report(string member, long before)
            {
                if (measures && Now() != before)
                {
                    findings.Add(member, "allocates on the managed heap");
                }
            }
        }

        static long Now() => GC.GetAllocatedBytesForCurrentThread();
    }
}
