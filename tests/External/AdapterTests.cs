using Marl.Native.Rl;

namespace Marl.Native.Tests.External;

/// <summary>python/marl_env.py: whatever follows the parallel API becomes an environment.</summary>
public sealed class AdapterTests : IDisposable
{
    private const string Prelude = """
        import sys
        from marl_env import serve
        class Space:
            def __init__(self, n=None, **more):
                if n is not None: self.n = n
                self.__dict__.update(more)

        """;

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [PythonFact]
    public void TheExampleKeepsTheContract()
        => Assert.Empty(EnvironmentChecker.Check(() => Catalog.CreateEnvironment($"cmd:{Python.Rendezvous}", Python.Rendezvous), episodes: 12));

    [PythonFact]
    public void TheExampleIsLearned()
    {
        var (_, summary) = Trainer.Train(new VdnOptions { Hidden = 32, Exploration = new EpsilonGreedy { EpsilonAnneal = 6000 } }, () => new ExternalEnvironment(Python.Rendezvous),
            new() { Steps = 16_000, EvaluationInterval = 0, Threads = 1, Environments = 4 });
        Assert.InRange(summary.ReturnMean, 0.95, 1);
    }

    [PythonFact]
    public void ObservationsAreFlattenedMasksFoundAndPrintsKeptApart()
    {
        using var environment = Serve("""
            class Array:
                def __init__(self, value): self.value = value
                def tolist(self): return self.value
            class World:
                possible_agents = ["array", "masked", "discrete", "tuple"]
                agents = possible_agents
                max_cycles = 7
                def action_space(self, agent): return Space(3, start=5 if agent == "tuple" else 0)
                def observation_space(self, agent):
                    if agent == "discrete": return Space(4, start=1)
                    if agent == "tuple": return Space(spaces=(Space(2), Space(shape=(1,))))
                    if agent == "masked": return Space(spaces={"observation": Space(3), "action_mask": Space(shape=(3,))})
                def look(self):
                    print("a print must not disturb")
                    return {"array": Array([[1, 2.5], [True, -4]]), "discrete": 4, "tuple": (1, [0.5]),
                            "masked": {"observation": 2, "action_mask": Array([0, 1, 1])}}
                def reset(self, seed=None): return self.look(), {"array": {"action_mask": [1, 0, 0]}}
                def step(self, actions):
                    assert actions == {"array": 0, "masked": 1, "discrete": 2, "tuple": 6}, actions
                    no = dict.fromkeys(actions, False)
                    return self.look(), {"array": Array(1) and 1.5, "tuple": 2}, no, no, {}
                def state(self): return Array([7, 8])
            print("a library says hello")
            serve(World(), teams={"tuple": 1}, reward="mean")
            """);
        Assert.Equal([new(4, 3), new(3, 3), new(4, 3), new AgentSpec(3, 3, Team: 1)], environment.Spec.Agents);
        Assert.Equal((7, 2, RewardMode.Mean), (environment.Spec.EpisodeLimit, environment.Spec.StateSize, environment.Spec.Reward));
        var (rng, rewards, state) = (new Rng(1), new double[4], new float[2]);
        environment.Reset(ref rng);
        Assert.Equal([[1, 2.5f, 1, -4], [0, 0, 1], [0, 0, 0, 1], [0, 1, 0.5f]], See(environment));
        Assert.Equal(["100", "011", "111", "111"], May(environment));
        Assert.Equal(StepResult.Running, environment.Step([0, 1, 2, 1], rewards, ref rng));
        Assert.Equal([1.5, 0, 0, 2], rewards);
        Assert.Equal(["111", "011", "111", "111"], May(environment));
        environment.ReadState(state);
        Assert.Equal([7, 8], state);
    }

    [PythonFact]
    public void WhoFinishesBeforeTheOthersSeesZerosAndDoesNothing()
    {
        using var environment = Serve("""
            class World:
                possible_agents = ["a", "b"]
                def action_space(self, agent): return Space(2)
                def reset(self, seed=None):
                    self.agents, self.t = ["a", "b"], 0
                    return {"a": [1], "b": [1]}, {}
                def step(self, actions):
                    assert sorted(actions) == self.agents, actions
                    self.t += 1
                    seen = {agent: [1 + self.t] for agent in actions}
                    earned = {agent: 1 for agent in actions}
                    ended = {"a": self.t == 2, "b": False}
                    cut = {"a": False, "b": self.t == 4}
                    self.agents = [agent for agent in self.agents if not (ended[agent] or cut[agent])]
                    return seen, earned, ended, cut, {}
            serve(World(), episode_limit=9)
            """);
        var (rng, rewards) = (new Rng(1), new double[2]);
        for (int episode = 0; episode < 2; episode++)
        {
            environment.Reset(ref rng);
            Assert.Equal(["11", "11"], May(environment));
            Check(StepResult.Running, [1, 1], 2, 2, "11");
            Check(StepResult.Running, [1, 1], 0, 3, "10");
            Check(StepResult.Running, [0, 1], 0, 4, "10");
            Check(StepResult.Truncated, [0, 1], 0, 5, "10");
        }

        void Check(StepResult result, double[] earned, float a, float b, string mayA)
        {
            Assert.Equal(result, environment.Step([0, 1], rewards, ref rng));
            Assert.Equal(earned, rewards);
            Assert.Equal([[a], [b]], See(environment));
            Assert.Equal([mayA, "11"], May(environment));
        }
    }

    [PythonTheory]
    [InlineData("{'a': True}, {'a': False}, {}", StepResult.Terminated)]
    [InlineData("{'a': False}, {'a': True}, {}", StepResult.Truncated)]
    [InlineData("{'a': True}, {}", StepResult.Terminated)]
    public void TheEndOfAnEpisodeIsTold(string ends, StepResult result)
    {
        using var environment = Serve($$"""
            class World:
                possible_agents = ["a"]
                action_spaces = {"a": Space(2)}
                max_steps = 3
                def reset(self, seed=None): return {"a": [0]}
                def step(self, actions): return {"a": [1]}, {"a": 1}, {{ends}}
            serve(World())
            """);
        var rng = new Rng(1);
        environment.Reset(ref rng);
        Assert.Equal(result, environment.Step([1], new double[1], ref rng));
        Assert.Equal([[1]], See(environment));
        Assert.Equal(["11"], May(environment));
    }

    [PythonTheory]
    [InlineData("max_cycles = 3", "shape=(2,)", "TypeError: the action space of agent 'a' is")]
    [InlineData("max_cycles = 3", "spaces=(Space(2), Space(shape=(3,)))", "Discrete, MultiDiscrete, MultiBinary, Box, or a Tuple or Dict of these is required")]
    [InlineData("max_cycles = 3", "low=[0.0], high=[float('inf')]", "is unbounded")]
    [InlineData("pass", "2", "ValueError: the episode limit is unknown; set it with episode_limit=..")]
    public void WhatCannotBeServedIsSaid(string member, string space, string problem)
    {
        using var environment = Serve($$"""
            class World:
                possible_agents = ["a"]
                {{member}}
                def action_space(self, agent): return Space({{space}})
                def reset(self, seed=None): return {"a": [0]}, {}
            serve(World())
            """);
        Assert.Contains(problem, Assert.Throws<EnvironmentException>(() => environment.Spec).Message, StringComparison.Ordinal);
    }

    [PythonFact]
    public void ANumberThatIsNoneIsNamed()
    {
        using var environment = Serve("""
            class World:
                possible_agents = ["a"]
                max_cycles = 3
                def action_space(self, agent): return Space(2)
                def reset(self, seed=None): return {"a": [0, 0]}, {}
                def step(self, actions): return {"a": [0, float("nan")]}, {}, {}, {}, {}
            serve(World())
            """);
        var rng = new Rng(1);
        environment.Reset(ref rng);
        Assert.Contains("at step 1 after the reset with seed", Assert.Throws<EnvironmentException>(
            () => environment.Step([0], new double[1], ref rng)).Message, StringComparison.Ordinal);
    }

    [PythonFact]
    public void VectorsAreBroughtToTheBoundsOfABox()
    {
        const string program = """
            class World:
                possible_agents = ["a", "b"]
                max_cycles = 3
                def action_space(self, agent): return Space(low=[-2, 0] if agent == "a" else [10], high=[2, 1] if agent == "a" else [20])
                def reset(self, seed=None):
                    self.sum = seed % 7
                    return {"a": [self.sum], "b": [0]}, {}
                def step(self, actions):
                    self.sum += actions["a"][0] + actions["a"][1] + actions["b"][0]
                    return {"a": [self.sum], "b": [0]}, {"a": self.sum, "b": actions["b"][0]}, {}, {}, {}
            serve(World())
            """;
        using var environment = Serve(program);
        Assert.Equal([new(1, 2, 0, new ActionBox(-1, 1)), new AgentSpec(1, 1, 0, new ActionBox(-1, 1))], environment.Spec.Agents);
        var (rng, rewards, snapshot) = (new Rng(1), new double[2], new double[environment.Spec.SnapshotSize]);
        environment.Reset(ref rng);
        float start = See(environment)[0][0];
        environment.Step(Numbers.Joint([0.5f, 0f], [-0.5f]), rewards, ref rng);
        Assert.Equal([start + 1 + 0.5 + 12.5, 12.5], rewards);
        environment.Save(snapshot);
        environment.Step(Numbers.Joint([-1f, -1f], [1f]), rewards, ref rng);
        double[] after = [.. rewards];
        using var another = Serve(program);
        another.Restore(snapshot);
        another.Step(Numbers.Joint([-1f, -1f], [1f]), rewards, ref rng);
        Assert.Equal(after, rewards);
        Assert.Equal([start + 14 - 2 + 20, 20], rewards);
    }

    [PythonFact]
    public void SpacesOfSeveralPartsAreBranchesAndOneVector()
    {
        // A Tuple and a Dict, whose parts are in the order of the space, with the boxes after all branches in the protocol.
        const string program = """
            dial = Space(low=[0.0], high=[10.0])
            spaces = {"many": Space(nvec=[3, 2], start=[1, 0]), "switches": Space(2, shape=(2,)), "tuple": Space(spaces=(dial, Space(3, start=5), Space(low=[-1], high=[1]))),
                      "dict": Space(spaces={"turn": Space(nvec=[2, 4]), "on": Space(1, shape=(1,))}), "one": Space(2)}
            class World:
                possible_agents = list(spaces)
                max_cycles = 3
                def action_space(self, agent): return spaces[agent]
                def reset(self, seed=None): return dict.fromkeys(spaces, [seed]), {}
                def step(self, actions):
                    assert actions["many"] == [3, 1] and actions["switches"] == [1, 0] and actions["one"] == 1, actions
                    assert actions["tuple"] == ([7.5], 7, [-1.0]) and actions["dict"] == {"turn": [1, 3], "on": [0]}, actions
                    no = dict.fromkeys(spaces, False)
                    masks = {"many": ((1, 0, 1), (0, 1)), "switches": [2, 1], "tuple": (None, [0, 1, 1], None), "dict": {"on": [0]}, "one": [0, 0]}
                    return dict.fromkeys(spaces, [0]), dict.fromkeys(spaces, 1), no, no, {agent: {"action_mask": mask} for agent, mask in masks.items()}
            serve(World())
            """;
        using var environment = Serve(program);
        var box = new ActionBox(-1, 1);
        Assert.Equal([new(1, [3, 2]), new(1, [2, 2]), new(1, [3], 2, Box: box), new(1, [2, 4, 2]), new AgentSpec(1, 2)], environment.Spec.Agents);
        var (rng, rewards, snapshot) = (new Rng(1), new double[5], new double[environment.Spec.SnapshotSize]);
        environment.Reset(ref rng);
        Assert.Equal(["11111", "1111", "11111", "11111111", "11"], May(environment));
        int[] choices = [2, 1, 0, 1, 0, 0, 2, 0, 0, 1, 3, 0, 1, 0, 0];
        float[] vectors = [0, 0, 0, 0, 0.5f, -1f, 0, 0, 0, 0];
        environment.Step(JointAction.Create(choices, 3, vectors, 2), rewards, ref rng);
        Assert.Equal(["10101", "1101", "01111", "11111110", "10"], May(environment));
        // Restored, the same actions are replayed.
        environment.Save(snapshot);
        using var another = Serve(program);
        another.Restore(snapshot);
        Assert.Equal(["10101", "1101", "01111", "11111110", "10"], May(another));
        Assert.Equal(See(environment), See(another));
    }

    [PythonFact]
    public void AMaskOfAnotherLengthThanItsPartsIsSaid()
    {
        using var environment = Serve("""
            class World:
                possible_agents = ["a"]
                max_cycles = 3
                def action_space(self, agent): return Space(nvec=[2, 3])
                def reset(self, seed=None): return {"a": [0]}, {"a": {"action_mask": [1, 0, 1]}}
            serve(World())
            """);
        var rng = new Rng(1);
        _ = environment.Spec;
        Assert.Contains("the action mask of agent 'a' has 3 elements", Assert.Throws<EnvironmentException>(() => environment.Reset(ref rng)).Message, StringComparison.Ordinal);
    }

    [PythonFact]
    public void AnActionIsNeverBeyondTheBoundsOfABox()
    {
        // -0.1 + (1 + 1) / 2 * (0.3 - -0.1) is 0.30000000000000004.
        using var environment = Serve("""
            class Array(list):
                dtype = Space(kind="i")
                def ravel(self): return self
                def tolist(self): return list(self)
                def copy(self): return Array(self)
                @property
                def flat(self): return self
            class World:
                possible_agents = ["a", "b"]
                max_cycles = 9
                def action_space(self, agent):
                    return Space(low=[-0.1, 0.1], high=[0.3, 0.7]) if agent == "a" else Space(low=Array([0, -3]), high=Array([2, 3]))
                def reset(self, seed=None): return {"a": [0], "b": [0]}, {}
                def step(self, actions):
                    assert all(low <= x <= high for x, low, high in zip(actions["a"], [-0.1, 0.1], [0.3, 0.7])), actions
                    assert all(type(x) is int for x in actions["b"]), actions
                    return {"a": [0], "b": [0]}, {"a": actions["a"][0], "b": actions["b"][0] + 10 * actions["b"][1]}, {}, {}, {}
            serve(World())
            """);
        var (rng, rewards) = (new Rng(1), new double[2]);
        environment.Reset(ref rng);
        environment.Step(Numbers.Joint([1f, 1f], [1f, 1f]), rewards, ref rng);
        Assert.Equal([0.3, 32], rewards);
        environment.Step(Numbers.Joint([-1f, -1f], [-1f, -1f]), rewards, ref rng);
        Assert.Equal([-0.1, -30], rewards);
        environment.Step(Numbers.Joint([1f, 1f], [0.4f, 0.3f]), rewards, ref rng);
        Assert.Equal(1 + 10, rewards[1]);
    }

    [PythonTheory]
    [InlineData("obs"), InlineData("observations"), InlineData("observation"), InlineData("grid")]
    public void TheMaskIsNoPartOfTheObservationWhateverTheOtherKeysAre(string key)
    {
        using var environment = Serve($$"""
            class World:
                possible_agents = ["a"]
                max_cycles = 3
                def action_space(self, agent): return Space(3)
                def observation_space(self, agent): return Space(spaces={"{{key}}": Space(4), "action_mask": Space(3, shape=(3,))})
                def reset(self, seed=None): return {"a": {"action_mask": [1, 0, 1], "{{key}}": 2} }, {}
            serve(World())
            """);
        var rng = new Rng(1);
        environment.Reset(ref rng);
        Assert.Equal([[0, 0, 1, 0]], See(environment));
        Assert.Equal(["101"], May(environment));
    }

    [PythonTheory]
    [InlineData("def observation_space(self, agent): return Space(spaces={'near': Space(), 'far': Space(2)})", new[] { 1f, 0, 1 })]
    [InlineData("pass", new[] { 1f, 1 })]
    public void ADictionaryHasTheSameOrderInEveryStep(string member, float[] seen)
    {
        using var environment = Serve($$"""
            class World:
                possible_agents = ["a"]
                max_cycles = 3
                t = 0
                {{member}}
                def action_space(self, agent): return Space(2)
                def look(self):
                    self.t += 1
                    return {"a": {"far": 1, "near": 1} if self.t % 2 else {"near": 1, "far": 1} }
                def reset(self, seed=None): return self.look(), {}
                def step(self, actions): return self.look(), {}, {}, {}, {}
            serve(World())
            """);
        var rng = new Rng(1);
        environment.Reset(ref rng);
        Assert.Equal([seen], See(environment));
        environment.Step([0], new double[1], ref rng);
        Assert.Equal([seen], See(environment));
    }

    [PythonFact]
    public void AnAgentThatMayDoNothingTakesAction0()
    {
        using var environment = Serve("""
            class World:
                possible_agents = ["a", "b"]
                def action_space(self, agent): return Space(2)
                def look(self): return {x: {"observation": [self.t], "action_mask": [1, 1] if "ab"[self.t % 2] == x and self.t < 2 else [0, 0]} for x in "ab"}
                def reset(self, seed=None):
                    self.t, self.agents = 0, ["a", "b"]
                    return self.look(), {}
                def step(self, actions):
                    assert actions["ba"[self.t % 2]] == 0, actions
                    self.t += 1
                    return self.look(), dict.fromkeys("ab", 1), dict.fromkeys("ab", self.t == 2), dict.fromkeys("ab", False), {}
            serve(World(), episode_limit=9)
            """);
        var (rng, rewards) = (new Rng(1), new double[2]);
        environment.Reset(ref rng);
        Assert.Equal(["11", "10"], May(environment));
        Assert.Equal(StepResult.Running, environment.Step([1, 0], rewards, ref rng));
        Assert.Equal(["10", "11"], May(environment));
        Assert.Equal(StepResult.Terminated, environment.Step([0, 1], rewards, ref rng));
        Assert.Equal(["10", "10"], May(environment));
    }

    [PythonFact]
    public void AgentsMayComeLater()
    {
        using var environment = Serve("""
            class World:
                possible_agents = ["a", "b", "c"]
                def action_space(self, agent): return Space(2)
                def observation_space(self, agent):
                    return {"a": Space(3), "b": Space(low=0, high=1, shape=(2, 2)),
                            "c": Space(spaces={"observation": Space(spaces=(Space(3), Space(2, shape=(2,)))), "action_mask": Space(shape=(2,))})}[agent]
                def reset(self, seed=None):
                    self.agents = ["a"]
                    return {"a": 1}, {}
                def step(self, actions):
                    assert list(actions) == self.agents, actions
                    self.agents = ["a", "b", "c"]
                    seen = {"a": 2, "b": [[1, 2], [3, 4]], "c": {"observation": (0, [5, 6]), "action_mask": [0, 1]}}
                    return seen, dict.fromkeys(self.agents, 1), dict.fromkeys(self.agents, False), dict.fromkeys(self.agents, False), {}
            serve(World(), episode_limit=9)
            """);
        Assert.Equal([3, 4, 5], environment.Spec.Agents.Select(agent => agent.ObservationSize));
        var (rng, rewards) = (new Rng(1), new double[3]);
        environment.Reset(ref rng);
        Assert.Equal([[0, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0, 0]], See(environment));
        Assert.Equal(["11", "10", "10"], May(environment));
        environment.Step([1, 0, 0], rewards, ref rng);
        Assert.Equal([[0, 0, 1], [1, 2, 3, 4], [1, 0, 0, 5, 6]], See(environment));
        Assert.Equal(["11", "11", "01"], May(environment));
    }

    [PythonFact]
    public void AModuleIsServedByItsName()
    {
        File.WriteAllText(folder["worlds.py"], """
            class World:
                possible_agents = ["a"]
                def __init__(self, max_cycles, size): self.max_cycles, self.size = max_cycles, size
                def action_space(self, agent): return self
                n = 2
                def reset(self, seed=None): return {"a": [0] * self.size}, {}
            parallel_env = World
            """);
        string adapter = Path.Combine(Python.Folder, "marl_env.py");
        using var environment = new ExternalEnvironment($"""env "PYTHONPATH={folder.Path}" python3 '{adapter}' worlds max_cycles=12 size=3""");
        Assert.Equal((new AgentSpec(3, 2), 12), (environment.Spec.Agents[0], environment.Spec.EpisodeLimit));
    }

    private ExternalEnvironment Serve(string program)
    {
        File.WriteAllText(folder["world.py"], Prelude + program);
        return new($"""env "PYTHONPATH={Python.Folder}" python3 '{folder["world.py"]}'""", timeout: 30);
    }

    private static float[][] See(IEnvironment environment) => [.. environment.Spec.Agents.Select((agent, i) =>
    {
        float[] seen = new float[agent.ObservationSize];
        environment.Observe(i, seen);
        return seen;
    })];

    private static string[] May(IEnvironment environment) => [.. environment.Spec.Agents.Select((agent, i) =>
    {
        bool[] available = new bool[agent.ActionCount];
        environment.ReadAvailable(i, available);
        return string.Concat(available.Select(may => may ? '1' : '0'));
    })];
}
