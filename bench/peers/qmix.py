"""QMIX (Rashid et al. 2018) in PyTorch: agents with a GRU, the monotone mixing network, and the training call.

Two variants of the same arithmetic:
  stepwise  batches [B, T, N, ..] and the agents unrolled step by step through nn.GRUCell, as PyMARL does;
  fused     sequences [T, B, N, ..]: inputs, first and last layer once for all steps, and nn.GRU over the sequence.
"""

import torch
from torch import nn
from torch.nn import functional as F


class Agent(nn.Module):
    """x = relu(fc1 input), h = GRU(x, h), q = fc2 h."""

    def __init__(self, size, fused):
        super().__init__()
        inputs, hidden = size["obs"] + size["actions"] + size["agents"], size["hidden"]
        self.fc1 = nn.Linear(inputs, hidden)
        self.rnn = nn.GRU(hidden, hidden) if fused else nn.GRUCell(hidden, hidden)
        self.fc2 = nn.Linear(hidden, size["actions"])

    def step(self, inputs, h):
        """inputs [R, F], h [R, H] -> q [R, A], h [R, H]."""
        h = self.rnn(F.relu(self.fc1(inputs)), h)
        return self.fc2(h), h

    def sequence(self, inputs):
        """inputs [T, R, F] -> q [T, R, A], from a state of zeros."""
        return self.fc2(self.rnn(F.relu(self.fc1(inputs)))[0])


class Mixer(nn.Module):
    """Q_tot = |w(s)| elu(|W_1(s)| q + b_1(s)) + V(s)."""

    def __init__(self, size):
        super().__init__()
        state, embed, hyper = size["state"], size["embed"], size["hyper"]
        self.agents, self.embed = size["agents"], embed
        self.hyper_w_1 = nn.Sequential(nn.Linear(state, hyper), nn.ReLU(), nn.Linear(hyper, self.agents * embed))
        self.hyper_w_final = nn.Sequential(nn.Linear(state, hyper), nn.ReLU(), nn.Linear(hyper, embed))
        self.hyper_b_1 = nn.Linear(state, embed)
        self.V = nn.Sequential(nn.Linear(state, embed), nn.ReLU(), nn.Linear(embed, 1))

    def forward(self, q, state):
        """q [.., N], state [.., S] -> [.., 1]."""
        w_1 = self.hyper_w_1(state).abs().unflatten(-1, (self.agents, self.embed))
        w_final = self.hyper_w_final(state).abs()
        # Products of one row: a sum of products is faster here than torch.bmm.
        hidden = F.elu((q.unsqueeze(-1) * w_1).sum(-2) + self.hyper_b_1(state))
        return (hidden * w_final).sum(-1, keepdim=True) + self.V(state)


def synthetic_batch(size):
    """Episodes of full length [B, T+1, ..]; action 0 is always available, the others mostly."""
    b, t, n, a = size["batch"], size["steps"], size["agents"], size["actions"]
    available = torch.rand(b, t + 1, n, a) < 0.8
    available[..., 0] = True
    terminated = torch.zeros(b, t, 1)
    terminated[:, -1] = 1.0
    return {
        "obs": torch.rand(b, t + 1, n, size["obs"]) * 2 - 1,
        "state": torch.rand(b, t + 1, size["state"]) * 2 - 1,
        "available": available.float(),
        "actions": torch.multinomial(available[:, :-1].reshape(-1, a).float(), 1).view(b, t, n, 1),
        "reward": torch.rand(b, t, 1) * 2 - 1,
        "terminated": terminated,
        "mask": torch.ones(b, t, 1),
    }


class Learner:
    """The training call: double-Q targets, masked TD loss, gradient, clip at 10, optimizer step. Axes of time and batch are
    0, 1 in the fused variant and 1, 0 in the other."""

    def __init__(self, size, fused, optimizer="rmsprop"):
        self.size, self.fused, self.time = size, fused, 0 if fused else 1
        self.agent, self.target_agent = Agent(size, fused), Agent(size, fused)
        self.mixer, self.target_mixer = Mixer(size), Mixer(size)
        self.target_agent.load_state_dict(self.agent.state_dict())
        self.target_mixer.load_state_dict(self.mixer.state_dict())
        self.parameters = list(self.agent.parameters()) + list(self.mixer.parameters())
        self.optimizer = (torch.optim.RMSprop(self.parameters, lr=5e-4, alpha=0.99, eps=1e-5) if optimizer == "rmsprop"
                          else torch.optim.Adam(self.parameters, lr=5e-4, eps=1e-5))
        self.ids = torch.eye(size["agents"])

    def arrange(self, batch):
        """From [B, T, ..] to the order of this variant, once."""
        return {name: x.transpose(0, 1).contiguous() if self.fused else x for name, x in batch.items()}

    def inputs_at(self, batch, t):
        """[obs, one-hot last action, one-hot agent] of step t as [B N, F], from a batch [B, T, ..]."""
        obs = batch["obs"][:, t]
        last = torch.zeros_like(batch["onehot"][:, 0]) if t == 0 else batch["onehot"][:, t - 1]
        ids = self.ids.expand(obs.shape[0], -1, -1)
        return torch.cat([obs, last, ids], -1).flatten(0, 1)

    def inputs(self, batch):
        """The same of all steps, [T+1, B N, F], from a batch [T, B, ..]."""
        obs = batch["obs"]
        onehot = F.pad(batch["onehot"], (0, 0, 0, 0, 0, 0, 1, 0))
        ids = self.ids.expand(obs.shape[0], obs.shape[1], -1, -1)
        return torch.cat([obs, onehot, ids], -1).flatten(1, 2)

    def values(self, agent, batch, inputs):
        """q of all steps: [T+1, B, N, A] or [B, T+1, N, A]."""
        n, actions = self.size["agents"], self.size["actions"]
        if self.fused:
            return agent.sequence(inputs).unflatten(1, (-1, n))
        rows = batch["obs"].shape[0]
        h, outputs = torch.zeros(rows * n, self.size["hidden"]), []
        for t in range(batch["obs"].shape[1]):
            q, h = agent.step(self.inputs_at(batch, t), h)
            outputs.append(q.view(rows, n, actions))
        return torch.stack(outputs, 1)

    def loss(self, batch):
        """sum mask (Q_tot - y)^2 / sum mask."""
        steps = batch["actions"].shape[self.time]
        batch["onehot"] = torch.zeros(*batch["actions"].shape[:-1], self.size["actions"]).scatter_(-1, batch["actions"], 1.0)
        inputs = self.inputs(batch) if self.fused else None
        q = self.values(self.agent, batch, inputs)
        chosen = q.narrow(self.time, 0, steps).gather(-1, batch["actions"]).squeeze(-1)
        with torch.no_grad():
            next_q = self.values(self.target_agent, batch, inputs).narrow(self.time, 1, steps)
            unavailable = batch["available"].narrow(self.time, 1, steps) == 0
            greedy = q.detach().narrow(self.time, 1, steps).masked_fill(unavailable, -1e9).argmax(-1, keepdim=True)
            next_chosen = next_q.gather(-1, greedy).squeeze(-1)
            next_total = self.target_mixer(next_chosen, batch["state"].narrow(self.time, 1, steps))
            target = batch["reward"] + 0.99 * (1 - batch["terminated"]) * next_total
        total = self.mixer(chosen, batch["state"].narrow(self.time, 0, steps))
        error = (total - target) * batch["mask"]
        return (error ** 2).sum() / batch["mask"].sum()

    def update(self, batch):
        """One training call; returns loss and gradient norm as tensors."""
        loss = self.loss(batch)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(self.parameters, 10.0)
        self.optimizer.step()
        return loss, norm


def training_call(size, variant):
    """What is timed: one update of a batch of episodes."""
    learner = Learner(size, fused=variant == "fused")
    batch = learner.arrange(synthetic_batch(size))
    return lambda: learner.update(batch)
