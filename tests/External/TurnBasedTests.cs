using Marl.Native.Rl;

namespace Marl.Native.Tests.External;

/// <summary>python/marl_env.py: PettingZoo's turn-based API (AEC). A step is the turn of one agent; the others have only action 0.</summary>
public sealed class TurnBasedTests : IDisposable
{
    /// <summary>A module like PettingZoo's. Each of a, b and c in turn takes 1 to 3 of seven matches; b leaves after its first turn, and who takes the last match
    /// loses 1 to each of the others that is still there. A finished agent stays until step(None).</summary>
    private const string Matches = """
        class Discrete:
            n = 3
        class Matches:
            possible_agents = ["a", "b", "c"]
            def action_space(self, agent): return Discrete
            def agent_iter(self): raise NotImplementedError
            def reset(self, seed=None, options=None):
                self.agents, self.agent_selection, self.matches = list(self.possible_agents), "a", 7
                self.rewards = dict.fromkeys(self.agents, 0)
                self.terminations = dict.fromkeys(self.agents, False)
                self.truncations = dict(self.terminations)
                self.infos = {agent: {} for agent in self.agents}
            def observe(self, agent):
                return {"observation": [self.matches], "action_mask": [int(n < self.matches) for n in range(3)]}
            def step(self, action):
                agent = self.agent_selection
                following = self.agents[(self.agents.index(agent) + 1) % len(self.agents)]
                if self.terminations[agent]:
                    assert action is None
                    self.agents.remove(agent)
                    for of in (self.rewards, self.terminations, self.truncations, self.infos): del of[agent]
                else:
                    self.rewards = dict.fromkeys(self.agents, 0)
                    self.matches -= 1 + action
                    if agent == "b": self.terminations["b"] = True; following = "b"
                    if self.matches == 0:
                        others = [other for other in self.agents if other != agent]
                        self.rewards.update({**dict.fromkeys(others, 1), agent: -len(others)})
                        self.terminations = dict.fromkeys(self.agents, True)
                self.agent_selection = following if following in self.agents else None
                if self.agents and self.agent_selection is None: self.agent_selection = self.agents[0]
        def env(): return Matches()
        """;

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [PythonFact]
    public void AgentsActInTurn()
    {
        using var environment = Serve("episode_limit=7 'teams={\"c\":1}'");
        Assert.Equal([new(1, 3), new(1, 3), new AgentSpec(1, 3, Team: 1)], environment.Spec.Agents);
        Assert.Equal(7, environment.Spec.EpisodeLimit);
        var (rng, rewards) = (new Rng(1), new double[3]);
        for (int episode = 0; episode < 2; episode++)
        {
            environment.Reset(ref rng);
            Check([7, 7, 7], "111", "100", "100");
            Step(StepResult.Running, [2, 0, 0], [0, 0, 0]);
            Check([4, 4, 4], "100", "111", "100");
            Step(StepResult.Running, [0, 1, 0], [0, 0, 0]);
            Check([2, 0, 2], "100", "100", "110"); // b has finished
            Step(StepResult.Running, [0, 0, 0], [0, 0, 0]);
            Check([1, 0, 1], "100", "100", "100"); // a can take only the one match that is left
            Step(StepResult.Terminated, [0, 0, 0], [-1, 0, 1]);
        }

        void Step(StepResult result, JointAction actions, double[] earned)
        {
            Assert.Equal(result, environment.Step(actions, rewards, ref rng));
            Assert.Equal(earned, rewards);
        }

        void Check(float[] seen, params string[] may)
        {
            Assert.Equal(seen, environment.Spec.Agents.Select((_, agent) => Observation(agent)));
            Assert.Equal(may, environment.Spec.Agents.Select((spec, agent) => Available(agent, spec.ActionCount)));
        }

        float Observation(int agent)
        {
            float[] seen = new float[1];
            environment.Observe(agent, seen);
            return seen[0];
        }

        string Available(int agent, int count)
        {
            bool[] available = new bool[count];
            environment.ReadAvailable(agent, available);
            return string.Concat(available.Select(may => may ? '1' : '0'));
        }
    }

    [PythonFact]
    public void ItKeepsTheContract()
        => Assert.Empty(EnvironmentChecker.Check(() => Serve("episode_limit=7"), episodes: 20));

    [PythonFact]
    public void TheLimitOfAnEpisodeMustBeGiven()
    {
        using var environment = Serve("");
        Assert.Contains("the episode limit is unknown; set it with episode_limit=..", Assert.Throws<EnvironmentException>(() => environment.Spec).Message,
            StringComparison.Ordinal);
    }

    private ExternalEnvironment Serve(string parameters)
    {
        File.WriteAllText(folder["matches.py"], Matches);
        return new($"""env "PYTHONPATH={folder.Path}" python3 '{Path.Combine(Python.Folder, "marl_env.py")}' matches {parameters}""", timeout: 30);
    }
}
