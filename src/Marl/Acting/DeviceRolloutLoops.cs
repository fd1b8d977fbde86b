namespace Marl.Native.Rl;

/// <summary>Begins a round (<see cref="First"/>), or an episode in the next row of the segments whose episode has ended, for worlds after their reset.</summary>
internal struct BeginSegment : ILoopBody
{
    public WorldLayout Worlds;
    public DeviceRolloutLayout Layout;
    public int First;

    public readonly void Run<TMemory>(int index, TMemory memory, TMemory recorded, TMemory third) where TMemory : struct, IMemory<TMemory>, allows ref struct
    {
        bool isOver = memory.ReadInt(Worlds.Result(index)) != (int)StepResult.Running;
        int row = First != 0 ? 0 : memory.ReadInt(Layout.Row + index) + 1, agents = Layout.Agents;
        if (First != 0)
        {
            memory.Write(Layout.Row + index, 0);
            memory.Write(Layout.EndedEpisodes + index, 0);
            memory.Write(Layout.EndedSteps + index, 0);
            memory.Write(Layout.InnerEnds + index, 0);
            var ended = memory.At(Layout.EndedReturns);
            for (int team = 0; team < Layout.Teams; team++)
            {
                ended.Write(index * Layout.Teams + team, 0.0);
            }
            for (int agent = 0; agent < agents; agent++)
            {
                memory.Write(Layout.ContinueMask + index * agents + agent, 1f);
            }
        }
        if (isOver)
        {
            if (First == 0)
            {
                memory.Write(Layout.InnerEnds + index, memory.ReadInt(Layout.InnerEnds + index) + 1);
                memory.Write(Layout.Row + index, row);
            }
            memory.Write(Layout.Flags + row * Layout.Count + index, DeviceRolloutLayout.Begins);
            memory.Write(Worlds.Result(index), (int)StepResult.Running);
            memory.Write(Layout.Steps + index, 0);
            var returns = memory.At(Layout.Returns);
            for (int team = 0; team < Layout.Teams; team++)
            {
                returns.Write(index * Layout.Teams + team, 0.0);
            }
            for (int agent = 0; agent < agents; agent++)
            {
                memory.Write(Layout.Previous + index * agents + agent, 0f);
                memory.Write(Layout.ContinueMask + index * agents + agent, 0f);
            }
            for (int i = 0; i < agents * Layout.RecurrentSize; i++)
            {
                memory.Write(Layout.Recurrent + index * agents * Layout.RecurrentSize + i, 0f);
            }
        }
    }
}

/// <summary>Records the observations of a world, its state and its available actions in the current row.</summary>
internal struct RecordObservations : ILoopBody
{
    public WorldLayout Worlds;
    public DeviceRolloutLayout Layout;

    public readonly void Run<TMemory>(int index, TMemory memory, TMemory recorded, TMemory third) where TMemory : struct, IMemory<TMemory>, allows ref struct
    {
        int place = memory.ReadInt(Layout.Row + index) * Layout.Count + index, agents = Layout.Agents, state = 0;
        for (int agent = 0; agent < agents; agent++)
        {
            int from = Worlds.Observation(index, agent), to = Layout.RecordedObservations + (place * agents + agent) * Layout.ObservationSize;
            int size = memory.ReadInt(Layout.SizeOf + agent);
            for (int i = 0; i < size; i++)
            {
                float x = memory.ReadFloat(from + i);
                recorded.Write(to + i, x);
                if (state < Layout.StateSize)
                {
                    memory.Write(Layout.States + index * Layout.StateSize + state, x);
                    recorded.Write(Layout.RecordedStates + place * Layout.StateSize + state, x);
                    state++;
                }
            }
            int actions = memory.ReadInt(Worlds.ActionCounts + agent), available = Layout.RecordedAvailable + (place * agents + agent) * Layout.Actions;
            for (int action = 0; action < actions; action++)
            {
                recorded.Write(available + action, 1f);
            }
        }
    }
}

/// <summary>Samples the actions of a world by <see cref="SoftmaxDistribution"/>, and records them and their probabilities.</summary>
internal struct SampleActions : ILoopBody
{
    public WorldLayout Worlds;
    public DeviceRolloutLayout Layout;
    public float Floor;
    public int OverAll;

    public readonly void Run<TMemory>(int index, TMemory memory, TMemory recorded, TMemory logits) where TMemory : struct, IMemory<TMemory>, allows ref struct
    {
        var rng = Worlds.ReadActionGenerator(memory, index);
        int agents = Layout.Agents, place = (memory.ReadInt(Layout.Row + index) * Layout.Count + index) * agents;
        for (int agent = 0; agent < agents; agent++)
        {
            int row = index * agents + agent;
            var own = new MemoryLogits<TMemory>(logits.At(row * Layout.Actions), Layout.Actions, memory.ReadInt(Worlds.ActionCounts + agent));
            var (action, probability) = SoftmaxDistribution.Of(own, Floor, OverAll != 0).Sample(own, rng.NextSingle());
            memory.Write(Worlds.Action(index, agent), action);
            memory.Write(Layout.Previous + row, (float)action);
            memory.Write(Layout.ContinueMask + row, 1f);
            recorded.Write(Layout.RecordedActions + place + agent, (float)action);
            recorded.Write(Layout.RecordedProbabilities + place + agent, probability);
        }
        Worlds.WriteActionGenerator(memory, index, rng);
    }
}

/// <summary>Records the rewards of a world's step and the end of its episode, as <see cref="EpisodeRecorder"/> does, and goes to the next row.</summary>
internal struct RecordStep : ILoopBody
{
    public WorldLayout Worlds;
    public DeviceRolloutLayout Layout;

    public readonly void Run<TMemory>(int index, TMemory memory, TMemory recorded, TMemory third) where TMemory : struct, IMemory<TMemory>, allows ref struct
    {
        int row = memory.ReadInt(Layout.Row + index), steps = memory.ReadInt(Layout.Steps + index) + 1, result = memory.ReadInt(Worlds.Result(index));
        bool isOver = result != (int)StepResult.Running || steps >= Layout.EpisodeLimit;
        bool isTerminal = result == (int)StepResult.Terminated || (isOver && Layout.TerminateAtLimit != 0);
        for (int stream = 0; stream < Layout.Streams; stream++)
        {
            double reward = Layout.Individual != 0 ? RewardOf(memory, index, stream)
                : TeamReward(memory, index, memory.ReadInt(Layout.TeamOf + stream), Layout.MeanRewards);
            memory.Write(Layout.Rewards + (row * Layout.Count + index) * Layout.Streams + stream, (float)reward);
        }
        TMemory returns = memory.At(Layout.Returns), ended = memory.At(Layout.EndedReturns);
        for (int team = 0; team < Layout.Teams; team++)
        {
            int place = index * Layout.Teams + team;
            double sum = returns.ReadDouble(place) + TeamReward(memory, index, team, Layout.MeanReturns);
            returns.Write(place, sum);
            if (isOver)
            {
                ended.Write(place, ended.ReadDouble(place) + sum);
            }
        }
        int flags = Layout.Flags + row * Layout.Count + index;
        if (isTerminal)
        {
            memory.Write(flags, memory.ReadInt(flags) | DeviceRolloutLayout.Terminates);
        }
        if (isOver)
        {
            memory.Write(flags + Layout.Count, DeviceRolloutLayout.Ends);
            memory.Write(Layout.EndedEpisodes + index, memory.ReadInt(Layout.EndedEpisodes + index) + 1);
            memory.Write(Layout.EndedSteps + index, memory.ReadInt(Layout.EndedSteps + index) + steps);
        }
        memory.Write(Layout.Terminated + index, isTerminal ? 1 : 0);
        memory.Write(Worlds.Result(index), isOver ? (int)StepResult.Terminated : (int)StepResult.Running);
        memory.Write(Layout.Steps + index, steps);
        memory.Write(Layout.Row + index, row + 1);
    }

    private readonly double RewardOf<TMemory>(TMemory memory, int index, int agent) where TMemory : struct, IMemory<TMemory>, allows ref struct
        => memory.At(Worlds.Reward(index, agent)).ReadDouble(0);

    private readonly double TeamReward<TMemory>(TMemory memory, int index, int team, int mean) where TMemory : struct, IMemory<TMemory>, allows ref struct
    {
        double sum = 0;
        int members = 0;
        for (int agent = 0; agent < Layout.Agents; agent++)
        {
            if (memory.ReadInt(Layout.TeamOf + agent) == team)
            {
                sum += RewardOf(memory, index, agent);
                members++;
            }
        }
        return mean != 0 ? sum / members : sum;
    }
}
