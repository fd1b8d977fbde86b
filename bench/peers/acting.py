"""One step of acting: what all agents of some environments see -> what they do, with a recurrent state that is carried on."""

import torch
from torch.distributions import Categorical

from qmix import Agent

EPSILON = 0.05


def acting_step(size, variant):
    """Observations come from and actions go to host arrays, as environments hand them over.

    Variants: "plain" chooses as PyMARL's epsilon-greedy does; "lean" draws only what is needed, under inference mode; "script"
    is lean with the forward pass compiled by torch.jit.
    """
    envs, n, a = size["envs"], size["agents"], size["actions"]
    rows = envs * n
    agent = Agent(size, fused=False).eval()
    observations = torch.rand(envs, n, size["obs"]).numpy()
    available = torch.rand(envs, n, a) < 0.8
    available[..., 0] = True
    ids = torch.eye(n).expand(envs, -1, -1)
    h = torch.zeros(rows, size["hidden"])
    onehot = torch.zeros(envs, n, a)

    def forward(obs, last, h):
        return agent.step(torch.cat([obs, last, ids], -1).view(rows, -1), h)

    if variant == "script":
        with torch.no_grad():
            forward = torch.jit.freeze(torch.jit.trace_module(
                Stepper(agent, ids, rows).eval(), {"forward": (torch.from_numpy(observations), onehot, h)}))

    def greedy(q):
        return q.view(envs, n, a).masked_fill(~available, -float("inf")).argmax(-1)

    def plain():
        nonlocal h
        with torch.no_grad():
            q, h = forward(torch.from_numpy(observations), onehot, h)
            explore = (torch.rand(envs, n) < EPSILON).long()
            chance = Categorical(available.float()).sample().long()
            actions = explore * chance + (1 - explore) * greedy(q)
            onehot.zero_().scatter_(-1, actions.unsqueeze(-1), 1.0)
            return actions.numpy()

    def lean():
        nonlocal h
        with torch.inference_mode():
            q, h = forward(torch.from_numpy(observations), onehot, h)
            actions = greedy(q)
            explore = torch.rand(envs, n) < EPSILON
            if explore.any():
                actions[explore] = torch.multinomial(available[explore].float(), 1).squeeze(-1)
            onehot.zero_().scatter_(-1, actions.unsqueeze(-1), 1.0)
            return actions.numpy()

    return plain if variant == "plain" else lean


class Stepper(torch.nn.Module):
    """The forward pass of a step as a module of its own, to be traced."""

    def __init__(self, agent, ids, rows):
        super().__init__()
        self.agent, self.rows = agent, rows
        self.register_buffer("ids", ids.contiguous())

    def forward(self, obs, last, h):
        inputs = torch.cat([obs, last, self.ids], -1).view(self.rows, -1)
        x = torch.relu(self.agent.fc1(inputs))
        h = self.agent.rnn(x, h)
        return self.agent.fc2(h), h
