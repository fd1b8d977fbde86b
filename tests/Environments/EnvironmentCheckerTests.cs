using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Marl.Native.Rl;

namespace Marl.Native.Tests;

/// <summary>One environment for each thing that can be wrong: the checker must find it, and blame the right member.</summary>
public sealed class EnvironmentCheckerTests
{
    [Fact]
    public void ASoundEnvironmentHasNoProblems()
    {
        Assert.Empty(EnvironmentChecker.Check(() => new Walk()));
        EnvironmentChecker.EnsureValid(() => new Walk());
    }

    [Theory]
    [InlineData(Fault.SameInstance, "create returns the same instance twice")]
    [InlineData(Fault.CreateThrows, "create throws")]
    [InlineData(Fault.ResetThrows, "Reset throws")]
    [InlineData(Fault.StepThrows, "Step throws")]
    [InlineData(Fault.ObserveThrows, "Observe throws")]
    [InlineData(Fault.RestoreThrows, "Restore throws")]
    [InlineData(Fault.NewSpec, "Spec returns a different object at each call")]
    [InlineData(Fault.SpecDiffers, "Spec differs between instances")]
    [InlineData(Fault.NoId, "Spec Id is empty")]
    [InlineData(Fault.NoAgents, "Spec Agents is empty")]
    [InlineData(Fault.NoObservation, "Spec an agent's Observation")]
    [InlineData(Fault.NoActions, "Spec the action space of an agent")]
    [InlineData(Fault.NegativeTeam, "Spec an agent's Team")]
    [InlineData(Fault.NegativeState, "Spec StateSize")]
    [InlineData(Fault.NegativeSnapshot, "Spec SnapshotSize")]
    [InlineData(Fault.NoLimit, "Spec EpisodeLimit")]
    [InlineData(Fault.SharedState, "Observe differs between two instances with the same seed and actions")]
    [InlineData(Fault.OwnRandomness, "Step's rewards differs between two instances with the same seed and actions")]
    [InlineData(Fault.InfiniteObservation, "Observe writes a value that is not finite")]
    [InlineData(Fault.NanState, "ReadState writes a value that is not finite")]
    [InlineData(Fault.ObservationUnwritten, "Observe leaves an entry unwritten")]
    [InlineData(Fault.StateUnwritten, "ReadState leaves an entry unwritten")]
    [InlineData(Fault.AvailableUnwritten, "ReadAvailable leaves an entry unwritten")]
    [InlineData(Fault.ObserveCounts, "Observe writes a different value when called again")]
    [InlineData(Fault.ObservesOutside, "Observe writes outside its span")]
    [InlineData(Fault.RewardsOutside, "Step writes outside the rewards")]
    [InlineData(Fault.RewardUnwritten, "Step leaves a reward unwritten")]
    [InlineData(Fault.NoResult, "Step returns an undefined StepResult")]
    [InlineData(Fault.NoActionAvailable, "ReadAvailable has no available action for an agent (agent 1)")]
    [InlineData(Fault.Endless, "Step the episode is still running at EpisodeLimit")]
    [InlineData(Fault.SaveOutside, "Save writes outside the snapshot")]
    [InlineData(Fault.SaveUnwritten, "Save leaves an element of the snapshot unwritten")]
    [InlineData(Fault.RestoreForgetsPosition, "Observe differs after Save and Restore")]
    [InlineData(Fault.RestoreForgetsTime, "Step's result differs after Save and Restore")]
    [InlineData(Fault.SaveLeavesOut, "Step's rewards differs after Save and Restore")]
    [InlineData(Fault.SaveWritesAnew, "Save after Restore writes a different snapshot")]
    [InlineData(Fault.StepAllocates, "Step allocates")]
    [InlineData(Fault.ObserveAllocates, "Observe allocates")]
    [InlineData(Fault.ResetAllocates, "Reset allocates")]
    [InlineData(Fault.StateAllocates, "ReadState allocates")]
    [InlineData(Fault.AvailableAllocates, "ReadAvailable allocates")]
    [InlineData(Fault.SaveAllocates, "Save allocates")]
    [InlineData(Fault.RestoreAllocates, "Restore allocates")]
    internal void EveryFaultIsFound(Fault fault, string problem)
    {
        Walk? only = null;
        int number = 0;
        var problems = EnvironmentChecker.Check(() => fault switch
        {
            Fault.CreateThrows => throw new InvalidOperationException("no"),
            Fault.SameInstance => only ??= new Walk(),
            _ => new Walk(fault, number++),
        });
        Assert.True(problems.Any(line => line.StartsWith("episode ", StringComparison.Ordinal) && line.Contains(problem)),
            $"found only: {string.Join("; ", problems)}");
    }

    [Fact]
    public void EnsureValidListsTheProblems()
        => Assert.Contains("Spec Id is empty", Assert.Throws<InvalidOperationException>(
            () => EnvironmentChecker.EnsureValid(() => new Walk(Fault.NoId))).Message);

    internal enum Fault
    {
        None, SameInstance, CreateThrows, ResetThrows, StepThrows, ObserveThrows, RestoreThrows, NewSpec, SpecDiffers, NoId, NoAgents,
        NoObservation, NoActions, NegativeTeam, NegativeState, NegativeSnapshot, NoLimit, SharedState, OwnRandomness, InfiniteObservation,
        NanState, ObservationUnwritten, StateUnwritten, AvailableUnwritten, ObserveCounts, ObservesOutside, RewardsOutside, RewardUnwritten,
        NoResult, NoActionAvailable, Endless, SaveOutside, SaveUnwritten, RestoreForgetsPosition, RestoreForgetsTime, SaveLeavesOut,
        SaveWritesAnew, StepAllocates, ObserveAllocates, ResetAllocates, StateAllocates, AvailableAllocates, SaveAllocates,
        RestoreAllocates,
    }

    /// <summary>Two walkers on a line of ten cells; the last cell pays one more each time it is entered.</summary>
    private sealed class Walk : IEnvironment
    {
        private static int s_shared, s_noise;
        private readonly Fault _fault;
        private readonly EnvironmentSpec _spec;
        private readonly int[] _positions = new int[2];
        private object? _garbage;
        private int _step, _visits, _calls;

        public Walk(Fault fault = Fault.None, int number = 0)
        {
            _fault = fault;
            _spec = new EnvironmentSpec
            {
                Id = fault == Fault.NoId ? "" : fault == Fault.SpecDiffers ? $"walk-{number}" : "walk",
                Agents = fault switch
                {
                    Fault.NoAgents => [],
                    Fault.NoObservation => [new(0, 2), new(0, 2)],
                    Fault.NoActions => [new(2, 0), new(2, 0)],
                    Fault.NegativeTeam => [new(2, 2, -1), new(2, 2)],
                    _ => [new(2, 2), new(2, 2)],
                },
                StateSize = fault == Fault.NegativeState ? -1 : 2,
                EpisodeLimit = fault == Fault.NoLimit ? 0 : 20,
                SnapshotSize = fault == Fault.NegativeSnapshot ? -1 : 4,
            };
        }

        public EnvironmentSpec Spec => _fault == Fault.NewSpec ? _spec with { } : _spec;

        public void Reset(ref Rng rng)
        {
            if (_fault == Fault.ResetThrows)
            {
                throw new InvalidOperationException("no");
            }

            Allocate(Fault.ResetAllocates);
            _step = 0;
            _visits = 0;
            foreach (ref int position in _positions.AsSpan())
            {
                position = rng.NextInt(10);
            }
        }

        public StepResult Step(JointAction actions, Span<double> rewards, ref Rng rng)
        {
            if (_fault == Fault.StepThrows)
            {
                throw new InvalidOperationException("no");
            }

            Allocate(Fault.StepAllocates);
            _step++;
            for (int agent = 0; agent < 2; agent++)
            {
                int to = Math.Clamp(_positions[agent] + 2 * actions[agent] - 1, 0, 9);
                _visits += to == 9 ? 1 : 0;
                rewards[agent] = to == 9 ? _visits : 0;
                _positions[agent] = to;
                if (_fault == Fault.SharedState)
                {
                    s_shared++;
                }
            }
            if (_fault == Fault.RewardUnwritten)
            {
                rewards[1] = double.NaN;
            }

            if (_fault == Fault.OwnRandomness)
            {
                rewards[1] = s_noise++;
            }

            if (_fault == Fault.RewardsOutside)
            {
                Outside(rewards);
            }

            if (_fault == Fault.NoResult)
            {
                return (StepResult)7;
            }

            return _step >= 20 && _fault != Fault.Endless ? StepResult.Truncated : StepResult.Running;
        }

        public void Observe(int agent, Span<float> observation)
        {
            if (_fault == Fault.ObserveThrows)
            {
                throw new InvalidOperationException("no");
            }

            Allocate(Fault.ObserveAllocates);
            observation[0] = _fault == Fault.SharedState ? s_shared : _positions[agent];
            if (_fault != Fault.ObservationUnwritten)
            {
                observation[1] = _fault == Fault.InfiniteObservation ? float.PositiveInfinity : _positions[1 - agent];
            }

            if (_fault == Fault.ObserveCounts)
            {
                observation[1] = _calls++;
            }

            if (_fault == Fault.ObservesOutside)
            {
                Outside(observation);
            }
        }

        public void ReadState(Span<float> state)
        {
            Allocate(Fault.StateAllocates);
            state[0] = _fault == Fault.NanState ? float.NaN : _positions[0];
            if (_fault != Fault.StateUnwritten)
            {
                state[1] = _positions[1];
            }
        }

        public void ReadAvailable(int agent, Span<bool> available)
        {
            Allocate(Fault.AvailableAllocates);
            available[0] = _fault != Fault.NoActionAvailable || agent == 0;
            if (_fault != Fault.AvailableUnwritten)
            {
                available[1] = available[0];
            }
        }

        public void Save(Span<double> snapshot)
        {
            Allocate(Fault.SaveAllocates);
            snapshot[0] = _step;
            snapshot[1] = _fault == Fault.SaveLeavesOut ? 0 : _visits;
            snapshot[2] = _positions[0];
            if (_fault != Fault.SaveUnwritten)
            {
                snapshot[3] = _positions[1];
            }

            if (_fault == Fault.SaveWritesAnew)
            {
                snapshot[3] = s_noise++;
            }

            if (_fault == Fault.SaveOutside)
            {
                Outside(snapshot);
            }
        }

        public void Restore(ReadOnlySpan<double> snapshot)
        {
            if (_fault == Fault.RestoreThrows)
            {
                throw new InvalidOperationException("no");
            }

            Allocate(Fault.RestoreAllocates);
            if (_fault != Fault.RestoreForgetsTime)
            {
                _step = (int)snapshot[0];
            }

            _visits = (int)snapshot[1];
            if (_fault != Fault.RestoreForgetsPosition)
            {
                (_positions[0], _positions[1]) = ((int)snapshot[2], (int)snapshot[3]);
            }
        }

        private void Allocate(Fault fault)
        {
            if (_fault == fault)
            {
                _garbage = new object();
            }

            GC.KeepAlive(_garbage);
        }

        /// <summary>What only unsafe code can do: writes behind the span.</summary>
        private static void Outside<T>(Span<T> span) where T : struct
            => Unsafe.Add(ref MemoryMarshal.GetReference(span), span.Length) = default;
    }
}
