namespace Marl.Native.Rl;

/// <summary>
/// Tests an implementation of <see cref="IEnvironment"/> by playing random episodes: the specification is valid; the same seed gives the same episodes; all
/// outputs are written, finite and within their spans; at least one action is available; <see cref="IEnvironment.Save"/> and <see cref="IEnvironment.Restore"/>
/// transfer the complete state to another instance; an episode ends at its limit; it can be reset at any time; and nothing is allocated.
/// </summary>
/// <example>
/// <code>
/// EnvironmentChecker.EnsureValid(() => Catalog.CreateEnvironment("two-step"));
/// foreach (string problem in EnvironmentChecker.Check(() => Catalog.CreateEnvironment("two-step"), episodes: 100))
/// {
///     Console.WriteLine(problem); // episode 3, step 7: Observe leaves an entry unwritten (entry 2)
/// }
/// </code>
/// </example>
public static class EnvironmentChecker
{
    /// <summary>Returns the problems of an environment.</summary>
    /// <param name="create">Creates a new instance at each call, always with the same specification.</param>
    /// <param name="episodes">The number of random episodes.</param>
    /// <param name="seed">The seed of the episodes and of the actions.</param>
    /// <returns>One line for each kind of problem, with the member and the first occurrence; empty if there are no problems.</returns>
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
        catch (Exception error) // every exception of the environment is a finding
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

    /// <summary>Throws an exception if <see cref="Check"/> finds a problem.</summary>
    /// <exception cref="InvalidOperationException">The environment is not valid; the message lists the problems.</exception>
    public static void EnsureValid(Func<IEnvironment> create, int episodes = 10, ulong seed = 1)
    {
        var problems = Check(create, episodes, seed);
        if (problems.Count > 0)
        {
            throw new InvalidOperationException("the environment is not valid:\n  " + string.Join("\n  ", problems));
        }
    }

    private static void CheckSpec(IEnvironment environment, IEnvironment another, EnvironmentFindings findings)
    {
        var spec = environment.Spec;
        Require(ReferenceEquals(spec, environment.Spec), "returns a different object at each call");
        Require(!string.IsNullOrEmpty(spec.Id), "Id is empty");
        Require(spec.Agents is { Length: > 0 }, "Agents is empty");
        Require(spec.StateSize >= 0, "StateSize is negative");
        Require(spec.SnapshotSize >= 0, "SnapshotSize is negative");
        Require(spec.EpisodeLimit >= 1, "EpisodeLimit is less than 1");
        foreach (var agent in spec.Agents ?? [])
        {
            Require(agent.ObservationSize >= 1, "an agent's Observation is less than 1");
            Require(agent.Team >= 0, "an agent's Team is negative");
            Require(agent.ActionProblem() is null, $"the action space of an agent is not valid: {agent.ActionProblem()}");
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

    /// <summary>Plays the same episodes in two instances. A third instance, which has played other steps before, restores a snapshot during an episode and
    /// must agree with the others until the end of the next episode.</summary>
    private static void Play(IEnvironment first, IEnvironment second, IEnvironment third, int episodes, ulong seed, EnvironmentFindings findings)
    {
        var policy = new Rng(seed).Split(RngPurpose.Test, 0);
        Rng environmentRng = new Rng(seed).Split(RngPurpose.Test, 1), otherRng = new Rng(seed).Split(RngPurpose.Test, 2);
        var main = new EnvironmentProbe(first, environmentRng, findings);
        var twin = new EnvironmentProbe(second, environmentRng, findings);
        var restored = new EnvironmentProbe(third, otherRng, findings);
        int limit = first.Spec.EpisodeLimit, episodesToCompare = 0;
        for (int episode = 0; episode < episodes; episode++)
        {
            (findings.Episode, findings.Step) = (episode, 0);
            main.Reset();
            twin.Reset();
            if (episodesToCompare > 0)
            {
                restored.Reset();
            }

            Compare();
            bool abandoned = episode % 3 == 2; // is reset before its end
            int end = abandoned ? policy.NextInt(limit) : limit, restoreAt = episodesToCompare > 0 ? -1 : policy.NextInt(Math.Min(limit, 10));
            while (true)
            {
                if (findings.Step == restoreAt)
                {
                    restored.PlayRandomSteps(ref policy, policy.NextInt(5));
                    restored.RestoreFrom(main);
                    episodesToCompare = 2;
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
                if (episodesToCompare > 0)
                {
                    restored.Step(main.Joint);
                }

                Compare();
                if (main.Result != StepResult.Running)
                {
                    break;
                }
            }
            if (main.Result == StepResult.Running && !abandoned)
            {
                findings.Add(nameof(IEnvironment.Step), "the episode is still running at EpisodeLimit");
            }

            episodesToCompare--;
        }

        void Compare()
        {
            main.Compare(twin, "differs between two instances with the same seed and actions");
            if (episodesToCompare > 0)
            {
                main.Compare(restored, "differs after Save and Restore into another instance");
            }
        }
    }

    /// <summary>Plays the same episodes twice and measures the second time, so that lazily created objects do not count.</summary>
    private static void MeasureAllocation(IEnvironment environment, int episodes, ulong seed, EnvironmentFindings findings)
    {
        var spec = environment.Spec;
        int agents = spec.Agents.Length;
        float[] observation = new float[spec.ObservationSize];
        float[] state = new float[spec.StateSize];
        bool[] available = new bool[spec.Agents.Max(agent => agent.ActionCount)];
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
