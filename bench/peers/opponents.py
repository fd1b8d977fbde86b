"""The opponents that EPyMARL's authors trained beforehand (Papoudakis et al. 2021), as policies that `marl` reads:

    python3 bench/peers/opponents.py <a checkout of EPyMARL> runs/opponents

writes tag.safetensors and adversary.safetensors there, for environments `against:runs/opponents/tag.safetensors` and
`against:runs/opponents/adversary.safetensors?team=1`. Needs PyTorch. Their networks, relu(fc2 relu(fc1 norm(x))) and a layer of logits of which the greatest is
done, normalize what they see by statistics that no longer change: that is a linear map, which becomes a part of fc1. Printed is how far the outputs are
from those of PyTorch's own layers.
"""

import json
import struct
import sys
from pathlib import Path

import torch
from torch import nn

# What stands where: the file, the world by the rules under which they were trained, the teams of its agents.
OPPONENTS = {
    "tag": ("prey_params.pt", "mpe-v0:tag", [0, 0, 0, 1]),
    "adversary": ("adv_params.pt", "mpe-v0:adversary", [0, 1, 1]),
}


def original(weights):
    """The authors' network, of PyTorch's layers."""
    hidden, size = weights["fc1.weight"].shape
    actions = weights["fc3.weight"].shape[0]
    names = ["in_fn", "fc1", "", "fc2", "", "fc3"]
    net = nn.Sequential(nn.BatchNorm1d(size), nn.Linear(size, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, actions))
    net.load_state_dict({f"{names.index(name.split('.')[0])}.{name.split('.')[1]}": value for name, value in weights.items()})
    return net.eval()


def folded(net, width):
    """Its layers (weight, bias) with the normalization in the first, which takes observations padded to a width."""
    norm, fc1, _, fc2, _, fc3 = net
    scale = norm.weight / (norm.running_var + norm.eps).sqrt()
    shift = norm.bias - norm.running_mean * scale
    weight = nn.functional.pad(fc1.weight * scale, (0, width - fc1.in_features))
    return [(weight, fc1.bias + fc1.weight @ shift), (fc2.weight, fc2.bias), (fc3.weight, fc3.bias)]


def error(net, layers, width):
    """The greatest difference of the two for observations drawn at random."""
    x = torch.randn(1000, net[0].num_features)
    y = nn.functional.pad(x, (0, width - x.shape[1]))
    for i, (weight, bias) in enumerate(layers):
        y = nn.functional.linear(y if i == 0 else y.relu(), weight, bias)
    return (net(x) - y).abs().max().item()


def write(path, policy, tensors):
    """A safetensors file whose metadata describes the policy."""
    header, data = {"__metadata__": {"policy": json.dumps(policy)}}, b""
    for name, tensor in tensors.items():
        raw = struct.pack(f"<{tensor.numel()}f", *tensor.flatten().tolist())
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


@torch.no_grad()
def convert(checkout, folder):
    """Writes all of them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, (file, world, teams) in OPPONENTS.items():
        saved = torch.load(checkout / "src/envs/pretrained" / file, map_location="cpu")
        nets = [original(agent["policy"]) for agent in saved["agent_params"]]
        sizes = [net[0].num_features for net in nets]
        agents = [folded(net, max(sizes)) for net in nets]
        policy = {
            "environment": world,
            "network": {"network": {"type": "mlp", "layers": 2, "layerNorm": False}, "hidden": nets[0][1].out_features, "shareParameters": False, "agentId": False},
            "agents": [{"observationSize": size, "actionCount": net[-1].out_features, "team": team} for size, net, team in zip(sizes, nets, teams)],
            "stateSize": sum(sizes),
        }
        tensors = {
            f"agent.{layer}.{part}": torch.stack([agent[i][j] for agent in agents])
            for i, layer in enumerate(["fc1", "rnn", "fc2"])
            for j, part in enumerate(["weight", "bias"])
        }
        path = folder / f"{name}.safetensors"
        write(path, policy, tensors)
        print(f"{path}: {len(nets)} agents of {world}, greatest error {max(error(n, a, max(sizes)) for n, a in zip(nets, agents)):.1e}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    convert(Path(sys.argv[1]), Path(sys.argv[2]))
