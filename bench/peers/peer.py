"""The peer's side of the comparison: does on request what the other side does, and says how long it took.

A line of JSON in, a line of JSON out:
  {"do": "prepare", "case": "train", "variant": "fused", "size": {..}}  ->  {"ok": true}
  {"do": "run", "seconds": 0.2}                                         ->  {"seconds": [per call, ..]}
  {"do": "agree", "variant": "fused", "weights": .., ..}                ->  what agreement.py returns
  {"do": "drop"}                                                        ->  {"ok": true}
Several variants may be prepared; "run" names its "case" and "variant". How many threads torch and its BLAS have is decided by
the environment that the process is started with.
"""

import gc
import json
import sys
import time
import traceback

import torch

import acting
import agreement
import kernels
import qmix

CASES = {
    "gemm": kernels.gemm,
    "gru": kernels.gru,
    "optimizer": kernels.optimizer,
    "pointwise": kernels.pointwise,
    "train": qmix.training_call,
    "act": acting.acting_step,
}


def calls_per_sample(run):
    """So many calls that reading the clock does not count, 0.2 ms at least; by then the call is warm."""
    calls = 1
    while True:
        start = time.perf_counter()
        for _ in range(calls):
            run()
        if time.perf_counter() - start > 2e-4:
            return calls
        calls *= 2


def measure(run, seconds):
    """Seconds per call, a sample after the other until the time is up; one at least."""
    calls = calls_per_sample(run)
    samples = []
    begin = time.perf_counter()
    while not samples or time.perf_counter() - begin < seconds:
        start = time.perf_counter()
        for _ in range(calls):
            run()
        samples.append((time.perf_counter() - start) / calls)
    return samples


def answer(request, prepared):
    """One request; `prepared` maps (case, variant) to a function without arguments."""
    what = request["do"]
    if what == "prepare":
        torch.manual_seed(1)
        run = CASES[request["case"]](request["size"], request["variant"])
        prepared[request["case"], request["variant"]] = run
        return {"ok": True}
    if what == "run":
        return {"seconds": measure(prepared[request["case"], request["variant"]], request["seconds"])}
    if what == "agree":
        return agreement.updates(request)
    if what == "drop":
        prepared.clear()
        gc.collect()
        return {"ok": True}
    raise ValueError(f"cannot '{what}'")


def main():
    prepared = {}
    for line in sys.stdin:
        try:
            reply = answer(json.loads(line), prepared)
        except Exception:
            reply = {"error": traceback.format_exc()}
        print(json.dumps(reply), flush=True)


if __name__ == "__main__":
    main()
