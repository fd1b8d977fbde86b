"""Whether both sides compute the same thing: updates from the same weights and the same episodes, read from files."""

import json
import struct

import torch

from qmix import Learner


def read_safetensors(path):
    """{name: tensor} of a safetensors file: eight bytes of header length, a JSON header, the arrays, here all F32."""
    with open(path, "rb") as file:
        length, = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        data = bytearray(file.read())
    tensors = {}
    for name, entry in header.items():
        if name != "__metadata__":
            first, end = entry["data_offsets"]
            tensors[name] = torch.frombuffer(data[first:end], dtype=torch.float32).reshape(entry["shape"])
    return tensors


def load(agent, mixer, path):
    """Puts weights in their places. nn.GRU numbers the weights of its layers, nn.GRUCell has one layer."""
    weights = read_safetensors(path)
    for prefix, module in (("agent.", agent), ("mixer.", mixer)):
        state = {name[len(prefix):]: value for name, value in weights.items() if name.startswith(prefix)}
        wanted = module.state_dict().keys()
        module.load_state_dict({name if name in wanted else name + "_l0": value for name, value in state.items()})


def updates(request):
    """Loss and gradient norm of some updates in a row."""
    learner = Learner(request["size"], request["variant"] == "fused", request["optimizer"])
    load(learner.agent, learner.mixer, request["weights"])
    load(learner.target_agent, learner.target_mixer, request["target"])
    episodes = read_safetensors(request["episodes"])
    episodes["actions"] = episodes["actions"].long()
    batch = learner.arrange({name: x.transpose(0, 1) for name, x in episodes.items()})
    results = [learner.update(batch) for _ in range(request["updates"])]
    return {"loss": [loss.item() for loss, _ in results], "norm": [norm.item() for _, norm in results]}
