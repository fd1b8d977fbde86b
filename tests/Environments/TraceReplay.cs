using System.Text.Json;
using Marl.Native.Rl;

namespace Marl.Native.Tests;

/// <summary>The recorded traces, one per file.</summary>
public sealed class Traces : IReferenceCases
{
    /// <inheritdoc/>
    public IEnumerable<(string Name, string? NotBuilt)> Cases
        => from file in Directory.EnumerateFiles(ReferenceData.Folder("envs"), "*.jsonl.gz").Order(StringComparer.Ordinal)
           let name = Path.GetFileName(file).Replace(".jsonl.gz", "")
           let family = name.Split('_')[0]
           select (name, TraceFamily.Built.ContainsKey(family) ? null : $"not built yet: {family}");
}

/// <summary>Replays recordings of the original environments. States, observations and rewards must be equal, to the last bit unless their
/// family has a tolerance.</summary>
[Trait("Category", "Reference")]
public sealed class TraceReplay
{
    [ReferenceTheory(typeof(Traces))]
    public void EveryStepFromItsRecordedState(string name) => Replay(name, reloads: true);

    [ReferenceTheory(typeof(Traces))]
    public void WholeEpisodes(string name) => Replay(name, reloads: false);

    private static void Replay(string name, bool reloads)
    {
        var family = TraceFamily.Built[name.Split('_')[0]];
        IEnvironment? environment = null;
        JsonElement previous = default;
        int number = 0, steps = 0;
        foreach (var line in Trace.Lines(name))
        {
            string at = $"{name}, line {++number}";
            var state = line.GetProperty("state");
            string type = line.GetProperty("type").GetString()!;
            if (type == "header")
            {
                environment = family.Create(line.GetProperty("params"));
                if (line.GetProperty("spec").TryGetProperty("action_type", out var kind) && kind.GetString() != "discrete")
                {
                    environment = Catalog.CreateEnvironment($"{environment.Spec.Id}{(environment.Spec.Id.Contains('?') ? '&' : '?')}actions=continuous");
                }

                CheckSpec(environment, line.GetProperty("spec"));
            }
            if (type == "step")
            {
                if (reloads)
                {
                    environment!.Restore(family.Snapshot(previous, environment.Spec));
                }

                CheckStep(environment!, family, line, family.Chance(previous, line), at);
                steps++;
            }
            else
            {
                environment!.Restore(family.Snapshot(state, environment.Spec));
            }
            CheckState(environment!, family, state, line.GetProperty("obs"), at);
            previous = state;
        }
        Assert.True(steps > 0, $"{name} has no steps");
    }

    private static void CheckSpec(IEnvironment environment, JsonElement recorded)
    {
        var spec = environment.Spec;
        Assert.Equal(recorded.GetProperty("n_agents").GetInt32(), spec.Agents.Length);
        Assert.Equal(Trace.Numbers(recorded.GetProperty("obs_sizes")), spec.Agents.Select(agent => (double)agent.ObservationSize));
        Assert.Equal(Trace.Numbers(recorded.GetProperty("actions")), spec.Agents.Select(agent => (double)agent.ActionCount));
        Assert.Equal(recorded.GetProperty("episode_limit").GetInt32(), spec.EpisodeLimit);
    }

    private static void CheckStep(IEnvironment environment, TraceFamily family, JsonElement line, Rng rng, string at)
    {
        double[] rewards = new double[environment.Spec.Agents.Length];
        var joint = line.GetProperty("a");
        var result = joint[0].ValueKind == JsonValueKind.Array
            ? environment.Step(Numbers.Joint([.. joint.EnumerateArray().Select(vector => Trace.Numbers(vector).Select(weight => (float)weight).ToArray())]), rewards, ref rng)
            : environment.Step([.. Trace.Numbers(joint).Select(action => (int)action)], rewards, ref rng);
        Require(Agree(Trace.Numbers(line.GetProperty("r")), [.. rewards], family.Tolerance),
            $"{at}: rewards are {string.Join(' ', rewards)}");
        bool ends = line.GetProperty("done").GetBoolean() || line.GetProperty("trunc").GetBoolean();
        var expected = !ends ? StepResult.Running
            : family.EndsItself(line.GetProperty("state")) ? StepResult.Terminated : StepResult.Truncated;
        Require(result == expected, $"{at}: the step returns {result}, not {expected}");
    }

    private static void CheckState(IEnvironment environment, TraceFamily family, JsonElement state, JsonElement observations, string at)
    {
        double[] expected = family.Snapshot(state, environment.Spec), snapshot = new double[environment.Spec.SnapshotSize];
        environment.Save(snapshot);
        Require(Agree(expected, [.. snapshot], family.Tolerance),
            $"{at}: the state is {string.Join(' ', snapshot)}, not {string.Join(' ', expected)}");
        for (int agent = 0; agent < environment.Spec.Agents.Length; agent++)
        {
            float[] observation = new float[environment.Spec.Agents[agent].ObservationSize];
            environment.Observe(agent, observation);
            var recorded = Trace.Numbers(observations[agent]).Select(number => (double)(float)number);
            Require(Agree(recorded, [.. observation], family.ObservationTolerance),
                $"{at}: agent {agent} observes {string.Join(' ', observation)}");
        }
    }

    private static bool Agree(IEnumerable<double> expected, List<double> actual, double tolerance)
    {
        double[] all = [.. expected];
        return all.Length == actual.Count && all.Zip(actual).All(pair => Math.Abs(pair.First - pair.Second) <= tolerance);
    }

    private static void Require(bool holds, string problem)
    {
        if (!holds)
        {
            Assert.Fail(problem);
        }
    }
}
