"""An example: two agents on a line of five cells meet at a cell that only the first of them sees.

    marl train vdn --env-cmd "python3 rendezvous.py" --steps 20000
"""

import random

from marl_env import serve


class Actions:
    """Left, stay, right. Environments that use gymnasium have its Discrete(3) here."""

    n = 3


class Rendezvous:
    """Follows PettingZoo's parallel API."""

    possible_agents = ["guide", "follower"]

    def action_space(self, agent):
        return Actions

    def reset(self, seed=None, options=None):
        self.agents = list(self.possible_agents)
        self.chance = random.Random(seed)
        self.cells = [self.chance.randrange(5) for _ in self.agents]
        self.goal = self.chance.randrange(5)
        self.steps = 0
        return self.observe(), {agent: {} for agent in self.agents}

    def step(self, actions):
        for i, agent in enumerate(self.possible_agents):
            self.cells[i] = min(4, max(0, self.cells[i] + actions[agent] - 1))
        self.steps += 1
        met, late = self.cells == [self.goal, self.goal], self.steps == 10
        observations, infos = self.observe(), {}
        rewards, terminations, truncations = {}, {}, {}
        for agent in self.possible_agents:
            rewards[agent] = 0.5 if met else 0
            terminations[agent] = met
            truncations[agent] = late and not met
            infos[agent] = {}
        if met or late:
            self.agents = []
        return observations, rewards, terminations, truncations, infos

    def observe(self):
        guide, follower = self.cells
        return {"guide": [guide, follower, self.goal], "follower": [follower, guide, -1]}


if __name__ == "__main__":
    serve(Rendezvous(), episode_limit=10)
