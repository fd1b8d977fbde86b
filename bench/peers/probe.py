"""What PyTorch is here and how fast its two engines are, in one line of JSON: the BLAS (Gemm) and its own vectorized loops."""

import ctypes
import json
import time

import torch


def best_seconds(run, count=30):
    """The least of several."""
    run()
    least = float("inf")
    for _ in range(count):
        start = time.perf_counter()
        run()
        least = min(least, time.perf_counter() - start)
    return least


def gemm_rate():
    """FLOP/s over the products of a training call: a whole sequence at once, and one step of it."""
    flop = seconds = 0.0
    weight = torch.randn(192, 64)
    for rows, calls in ((9600, 1), (160, 60)):
        x = torch.randn(rows, 64)
        seconds += calls * best_seconds(lambda: torch.mm(x, weight.t()))
        flop += calls * 2.0 * rows * 64 * 192
    return flop / seconds


def pointwise_rate():
    """Elements per second of tanh and of a sum."""
    x, y = torch.randn(1 << 18), torch.empty(1 << 18)
    return x.numel() / (best_seconds(lambda: torch.tanh(x, out=y)) + best_seconds(lambda: torch.add(x, x, out=y)))


def blas():
    """The libraries that are loaded, by what they say of themselves."""
    with open("/proc/self/maps", encoding="utf-8") as maps:
        files = {line.split()[-1] for line in maps if "blas" in line or "mkl_core" in line}
    for file in sorted(files):
        try:
            library = ctypes.CDLL(file)
            library.openblas_get_corename.restype = ctypes.c_char_p
            return "OpenBLAS, core " + library.openblas_get_corename().decode()
        except (AttributeError, OSError):
            continue
    return ", ".join(sorted(file.rsplit("/", 1)[-1] for file in files)) or "unknown BLAS"


if __name__ == "__main__":
    torch.set_num_threads(1)
    print(json.dumps({
        "torch": torch.__version__,
        "gemm": gemm_rate(),
        "pointwise": pointwise_rate(),
        "blas": blas(),
    }))
