"""Example: two agents on a line of five cells have to meet at a goal cell that only the first agent observes.

    marl train vdn --env-cmd "python3 rendezvous.py" --steps 20000
"""

import random

from marl_env import serve


class Actions:
    """The actions left, stay and right: gymnasium's Discrete(3)."""

    n = 3


class Rendezvous:
    """An environment with PettingZoo's parallel API."""

    possible_agents = ["guide", "follower"]

    def action_space(self, agent):
        return Actions

    def reset(self, seed=None, options=None):
        self.agents = list(self.possible_agents)
        self.rng = random.Random(seed)
        self.cells = [self.rng.randrange(5) for _ in self.agents]
        self.goal = self.rng.randrange(5)
        self.steps = 0
        return self.observe(), {agent: {} for agent in self.agents}

    def step(self, actions):
        for i, agent in enumerate(self.possible_agents):
            self.cells[i] = min(4, max(0, self.cells[i] + actions[agent] - 1))
        self.steps += 1
        met, timed_out = self.cells == [self.goal, self.goal], self.steps == 10
        observations, infos = self.observe(), {}
        rewards, terminations, truncations = {}, {}, {}
        for agent in self.possible_agents:
            rewards[agent] = 0.5 if met else 0
            terminations[agent] = met
            truncations[agent] = timed_out and not met
            infos[agent] = {}
        if met or timed_out:
            self.agents = []
        return observations, rewards, terminations, truncations, infos

    def observe(self):
        guide, follower = self.cells
        return {"guide": [guide, follower, self.goal], "follower": [follower, guide, -1]}


if __name__ == "__main__":
    serve(Rendezvous(), episode_limit=10)
