namespace Marl.Native.Rl;

/// <summary>
/// The multi-robot warehouse v2, RWARE (Papoudakis et al. 2021; the robotic-warehouse package). Agents lift shelves, deliver requested shelves to a goal,
/// which is rewarded, and have to put them down at a free storage cell before they can lift another.
/// <para>Actions: 0 nothing, 1 forward, 2 turn left, 3 turn right, 4 lift or put down. Directions: 0 up (y - 1), 1 down, 2 left
/// (x - 1), 3 right.</para>
/// <para>Observation [8 + 7 (2 range + 1)^2]: x, y, carrying, own direction (4, one-hot), on a highway; then for each cell within the sensor range, in
/// row-major order and including the own cell: agent, its direction (4, one-hot), shelf, requested. The direction is 0 if there is no agent; cells outside of
/// the walls are empty.</para>
/// <para>Reward: see <see cref="WarehouseReward"/>. Truncated at the limits; never terminated (the original does not distinguish the two).</para>
/// </summary>
internal sealed partial class RoboticWarehouse : IEnvironment
{
    private const int ActionCount = 5, Forward = 1, TurnLeft = 2, TurnRight = 3, Toggle = 4;
    private const int Directions = 4, SelfSize = 8, CellSize = 7;
    private const short NoAgent = 0, NoShelf = 0;

    private readonly RwareConfig config;
    private readonly WarehousePlan plan;
    private readonly Agent[] agents;
    // By cell: 1 + the index of the agent, the id of the shelf, and the row of cellFeatures.
    private readonly short[] agentAt, shelfAt;
    private readonly byte[] cellCodes;
    // By id of a shelf, starting at 1; 0 is no shelf, which is never requested.
    private readonly int[] shelfCells;
    private readonly bool[] requested;
    private readonly int[] queue, offsets;
    private int step, stepsWithoutDelivery;

    /// <summary>Creates a warehouse with the agents in the top rows and the first shelves requested; <see cref="Reset"/> samples the initial state of an
    /// episode.</summary>
    /// <exception cref="UsageException">The configuration is not valid.</exception>
    public RoboticWarehouse(RwareConfig config)
    {
        this.config = config;
        plan = config.Plan();
        int shelves = plan.Homes.Length, cells = plan.Floor.Length, window = 2 * config.SensorRange + 1;
        agents = new Agent[config.Agents];
        agentAt = new short[cells];
        shelfAt = new short[cells];
        cellCodes = new byte[cells];
        shelfCells = new int[1 + shelves];
        requested = new bool[1 + shelves];
        queue = new int[config.Requests];
        offsets = [-plan.Stride, plan.Stride, -1, 1];
        targets = new int[config.Agents];
        followers = new int[config.Agents];
        canMove = new bool[config.Agents];
        allCells = new int[2 * config.Agents];
        component = new int[config.Agents + 1];
        cellTable = new CellTable(config.Agents + 1);
        int observation = SelfSize + CellSize * window * window;
        int snapshot = 2 + (Agent.SnapshotSize + 1) * config.Agents + 2 * shelves + config.Requests;
        var reward = config.Reward == WarehouseReward.Global ? RewardMode.Mean : RewardMode.Sum;
        var spec = EnvironmentSpec.Uniform(config.Id, config.Agents, observation, ActionCount, config.EpisodeLimit, snapshot);
        Spec = spec with { Reward = reward };
        Clear();
        ResetShelves();
        for (int i = 0; i < agents.Length; i++)
        {
            PlaceAgent(i, plan.Cell(i % plan.Cols, i / plan.Cols), 0);
        }

        for (int slot = 0; slot < queue.Length; slot++)
        {
            Request(slot, 1 + slot);
        }

        UpdateAllCells();
    }

    /// <inheritdoc/>
    public EnvironmentSpec Spec { get; }

    private static ReadOnlySpan<byte> LeftOf => [2, 3, 1, 0];
    private static ReadOnlySpan<byte> RightOf => [3, 2, 0, 1];

    /// <summary>Creates the environments rware:...; returns null for other ids.</summary>
    internal static IEnvironment? TryCreate(EnvironmentId id) => id.Name == "rware" ? new RoboticWarehouse(RwareConfig.Parse(id)) : null;

    /// <inheritdoc/>
    public void Reset(ref Rng rng)
    {
        Clear();
        ResetShelves();
        for (int i = 0; i < agents.Length; i++)
        {
            int cell;
            do
            {
                int index = rng.NextInt(plan.Rows * plan.Cols);
                cell = plan.Cell(index % plan.Cols, index / plan.Cols);
            }
            while (agentAt[cell] != NoAgent);
            PlaceAgent(i, cell, rng.NextInt(Directions));
        }
        for (int slot = 0; slot < queue.Length; slot++)
        {
            Request(slot, SampleUnrequested(slot, ref rng));
        }

        UpdateAllCells();
    }

    /// <inheritdoc/>
    public StepResult Step(JointAction actions, Span<double> rewards, ref Rng rng)
    {
        rewards.Clear();
        ResolveMoves(actions);
        for (int i = 0; i < agents.Length; i++)
        {
            switch (actions[i])
            {
                case Forward when canMove[i]:
                    MoveForward(i);
                    break;
                case TurnLeft:
                    Turn(ref agents[i], LeftOf);
                    break;
                case TurnRight:
                    Turn(ref agents[i], RightOf);
                    break;
                case Toggle:
                    ToggleLoad(ref agents[i], ref rewards[i]);
                    break;
                default:
                    break;
            }
        }
        bool delivered = Deliver(rewards, ref rng);
        step++;
        stepsWithoutDelivery = delivered || config.IdleLimit is null ? 0 : stepsWithoutDelivery + 1;
        return step >= config.EpisodeLimit || stepsWithoutDelivery >= config.IdleLimit ? StepResult.Truncated : StepResult.Running;
    }

    private void Turn(ref Agent agent, ReadOnlySpan<byte> turn)
    {
        agent.Direction = turn[agent.Direction];
        UpdateCell(agent.Cell);
    }

    /// <summary>Moves an agent to its target. In a chain or a cycle the next agent may have entered the old cell before.</summary>
    private void MoveForward(int i)
    {
        ref var agent = ref agents[i];
        int from = agent.Cell, to = targets[i];
        if (agentAt[from] == i + 1)
        {
            agentAt[from] = NoAgent;
        }

        agentAt[to] = (short)(i + 1);
        agent.Cell = to;
        if (agent.Carried != NoShelf)
        {
            if (shelfAt[from] == agent.Carried)
            {
                shelfAt[from] = NoShelf;
            }

            PlaceShelf(agent.Carried, to);
        }
        UpdateCell(from);
        UpdateCell(to);
    }

    private void ToggleLoad(ref Agent agent, ref double reward)
    {
        if (agent.Carried == NoShelf)
        {
            agent.Carried = shelfAt[agent.Cell];
        }
        else if (plan.Floor[agent.Cell] == Ground.Storage)
        {
            agent.Carried = NoShelf;
            if (agent.HasDelivered)
            {
                reward += 0.5;
            }

            agent.HasDelivered = false;
        }
    }

    /// <summary>Rewards each requested shelf on a goal and requests another shelf, which may be one on the next goal.</summary>
    private bool Deliver(Span<double> rewards, ref Rng rng)
    {
        bool any = false;
        foreach (int goal in plan.Goals)
        {
            int shelf = shelfAt[goal], agent = agentAt[goal] - 1;
            if (!requested[shelf])
            {
                continue;
            }

            any = true;
            int next = SampleUnrequested(queue.Length, ref rng);
            requested[shelf] = false;
            Request(queue.IndexOf(shelf), next);
            UpdateCell(goal);
            UpdateCell(shelfCells[next]);
            switch (config.Reward)
            {
                case WarehouseReward.Individual:
                    rewards[agent]++;
                    break;
                case WarehouseReward.Global:
                    foreach (ref double reward in rewards)
                    {
                        reward++;
                    }

                    break;
                default:
                    rewards[agent] += 0.5;
                    agents[agent].HasDelivered = true;
                    break;
            }
        }
        return any;
    }

    /// <summary>Samples uniformly from the shelves that are not requested; <paramref name="requests"/> are.</summary>
    private int SampleUnrequested(int requests, ref Rng rng)
    {
        int skip = rng.NextInt(plan.Homes.Length - requests), shelf = 1;
        while (requested[shelf] || skip-- > 0)
        {
            shelf++;
        }

        return shelf;
    }

    private void Request(int slot, int shelf)
    {
        queue[slot] = shelf;
        requested[shelf] = true;
    }

    private void Clear()
    {
        agentAt.AsSpan().Clear();
        shelfAt.AsSpan().Clear();
        requested.AsSpan().Clear();
        step = stepsWithoutDelivery = 0;
    }

    private void ResetShelves()
    {
        for (int shelf = 1; shelf < shelfCells.Length; shelf++)
        {
            PlaceShelf(shelf, plan.Homes[shelf - 1]);
        }
    }

    private void PlaceAgent(int i, int cell, int direction)
    {
        agents[i] = new Agent { Cell = cell, Direction = (byte)direction };
        agentAt[cell] = (short)(i + 1);
    }

    private void PlaceShelf(int shelf, int cell)
    {
        shelfCells[shelf] = cell;
        shelfAt[cell] = (short)shelf;
    }

    private struct Agent
    {
        /// <summary>The number of contiguous elements of a snapshot that describe an agent.</summary>
        public const int SnapshotSize = 4;

        public int Cell;
        public short Carried;
        public byte Direction;
        public bool HasDelivered;
    }
}
