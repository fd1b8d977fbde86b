"""The rows of PyTorch in the table of `bench gpu`, the same update of the same sizes on the same device:

    bench gpu sizes | python3 bench/peers/gpu.py [device]

Variants: eager as PyMARL does it (step by step), eager with nn.GRU over the sequence, that compiled by torch.compile with CUDA graphs, and that with the whole
update captured as one CUDA graph. A variant that this version of torch or this device cannot do says why.
"""

import json
import sys
import time

import torch
from torch import nn

from qmix import Learner, synthetic_batch

SAMPLES, SAMPLE_SECONDS, MOST_CALLS = 5, 0.1, 1000


def eager(size, fused):
    learner = Learner(size, fused)
    batch = learner.arrange(synthetic_batch(size))
    return lambda: learner.update(batch)


def compiled(size):
    learner = Learner(size, fused=True)
    batch = learner.arrange(synthetic_batch(size))
    learner.loss = torch.compile(learner.loss, mode="reduce-overhead")
    return lambda: learner.update(batch)


def captured(size):
    learner = Learner(size, fused=True)
    # A graph cannot ask how many steps were taken: the optimizer has to count on the device.
    learner.optimizer = torch.optim.Adam(learner.parameters, lr=5e-4, eps=1e-5, capturable=True)
    batch = learner.arrange(synthetic_batch(size))
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            learner.update(batch)
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    learner.optimizer.zero_grad(set_to_none=True)
    with torch.cuda.graph(graph):
        loss = learner.loss(batch)
        loss.backward()
        nn.utils.clip_grad_norm_(learner.parameters, 10.0)
        learner.optimizer.step()
    return graph.replay


VARIANTS = {
    "eager, step by step": lambda size: eager(size, fused=False),
    "eager, nn.GRU": lambda size: eager(size, fused=True),
    "torch.compile, nn.GRU": compiled,
    "one CUDA graph, nn.GRU, Adam": captured,
}


def seconds(run, wait):
    """As bench/Gpu/Timing.cs does it: the median of samples from the first call to the last result."""
    def sample(calls):
        start = time.perf_counter()
        for _ in range(calls):
            run()
        wait()
        return time.perf_counter() - start

    sample(3)
    calls = min(MOST_CALLS, max(1, int(SAMPLE_SECONDS / sample(1))))
    return sorted(sample(calls) / calls for _ in range(SAMPLES))[SAMPLES // 2]


def cell(make, size, wait):
    try:
        torch.manual_seed(1)
        return f"{seconds(make(size), wait) * 1e3:.3g} ms"
    except Exception as error:  # what cannot be done is a cell of the table, too
        return f"none: {type(error).__name__}: {str(error).splitlines()[0][:80] if str(error) else ''}"


def main():
    device = sys.argv[1] if len(sys.argv) > 1 else "cuda"
    sizes = json.load(sys.stdin)
    wait = torch.cuda.synchronize if device.startswith("cuda") else (lambda: None)
    if device != "cpu":
        torch.set_default_device(device)
    # Products in float32, as they are here without +tf32.
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    name = torch.cuda.get_device_name(device) if device.startswith("cuda") else device
    for variant, make in VARIANTS.items():
        print(f"| PyTorch {torch.__version__} on {name}, {variant} | " + " | ".join(cell(make, size, wait) for size in sizes.values()) + " |", flush=True)


if __name__ == "__main__":
    main()
