namespace Marl.Native.Rl;

/// <summary>
/// The Multi-Robot Warehouse v2 (Papoudakis et al. 2021; the robotic-warehouse package), rule by rule. Agents drive under shelves, lift
/// them, bring requested ones to a goal, which pays, and have to put them down on a free place before they can lift another.
/// <para>Actions: 0 nothing, 1 forward, 2 turn left, 3 turn right, 4 lift or put down. Directions: 0 up (y - 1), 1 down, 2 left
/// (x - 1), 3 right.</para>
/// <para>Observation [8 + 7 (2 range + 1)^2]: x, y, carrying, own direction (4, one-hot), on a highway; then of each cell within the
/// sensor's range, row by row and the own one included: agent, its direction (4), shelf, requested. Where there is no agent the direction
/// is 0; beyond the walls there is nothing.</para>
/// <para>Reward: see <see cref="WarehouseReward"/>. There is no end but the limits (the original calls them done).</para>
/// </summary>
internal sealed partial class RoboticWarehouse : IEnvironment
{
    private const int ActionCount = 5, Forward = 1, TurnLeft = 2, TurnRight = 3, Toggle = 4;
    private const int Directions = 4, SelfSize = 8, CellSize = 7;
    private const short NoAgent = 0, NoShelf = 0;

    private readonly RwareConfig config;
    private readonly WarehousePlan plan;
    private readonly Agent[] agents;
    // By cell: 1 + the index of the agent and the id of the shelf that are there, and what there is for agents to see: a row of glances.
    private readonly short[] agentAt, shelfAt;
    private readonly byte[] cellCodes;
    // By id of a shelf, from 1 on; 0 is no shelf, which nobody requests.
    private readonly int[] shelfCells;
    private readonly bool[] requested;
    private readonly int[] queue, offsets;
    private int step, stepsWithoutDelivery;

    /// <summary>Sets up a warehouse with the agents in the top rows and the first shelves requested, which is no start of an episode:
    /// <see cref="Reset"/> draws one.</summary>
    /// <exception cref="UsageException">the configuration cannot be played.</exception>
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
        int snapshot = 2 + (Agent.Numbers + 1) * config.Agents + 2 * shelves + config.Requests;
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

    /// <summary>Of the ids rware:...</summary>
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
                int place = rng.NextInt(plan.Rows * plan.Cols);
                cell = plan.Cell(place % plan.Cols, place / plan.Cols);
            }
            while (agentAt[cell] != NoAgent);
            PlaceAgent(i, cell, rng.NextInt(Directions));
        }
        for (int slot = 0; slot < queue.Length; slot++)
        {
            Request(slot, DrawUnrequested(slot, ref rng));
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

    /// <summary>Several may drive in a row or in a circle, so that the cell behind may have been entered already.</summary>
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

    /// <summary>Pays for each requested shelf on a goal and requests another, perhaps the one that waits on the next goal.</summary>
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
            int next = DrawUnrequested(queue.Length, ref rng);
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

    /// <summary>Uniform over the shelves that are not requested, of which there are <paramref name="taken"/> fewer than shelves.</summary>
    private int DrawUnrequested(int taken, ref Rng rng)
    {
        int skip = rng.NextInt(plan.Homes.Length - taken), shelf = 1;
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
        /// <summary>How many numbers of a snapshot stand together for an agent.</summary>
        public const int Numbers = 4;

        public int Cell;
        public short Carried;
        public byte Direction;
        public bool HasDelivered;
    }
}
