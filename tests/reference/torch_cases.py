"""Writes the cases op_conv2d*, op_pow*, op_divide, loss_ppo_plain, loss_policy_branches, optim_value_norm* and train_* of tests/reference/learners with PyTorch:

    python3 tests/reference/torch_cases.py

Every case is computed in float32 and in float64; the latter is the reference, their difference bounds the tolerance.
"""

import json
import os
import struct

import torch
import torch.nn.functional as F

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "learners")
SOURCE = f"PyTorch {torch.__version__.split('a')[0]} CPU operators; float64 run of the same operators as exact reference"
FORMATS = {torch.float32: ("F32", "f"), torch.float64: ("F64", "d")}


def safetensors(path, tensors, metadata):
    header, blocks, at = {"__metadata__": metadata}, [], 0
    for name, tensor in tensors.items():
        word, code = FORMATS[tensor.dtype]
        block = struct.pack(f"<{tensor.numel()}{code}", *tensor.flatten().tolist())
        header[name] = {"dtype": word, "shape": list(tensor.shape), "data_offsets": [at, at + len(block)]}
        blocks.append(block)
        at += len(block)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(blocks))


def write(name, family, algorithm, formula, hyper, inputs, compute, least=1e-5):
    """compute: from a dictionary of tensors of one precision to a dictionary of results."""
    single = compute({k: v.clone() for k, v in inputs.items()})
    double = compute({k: v.double() for k, v in inputs.items()})
    table, tensors = {}, {}
    for k, v in double.items():
        tensors[k + ".f64"] = v.detach()
    for k, v in inputs.items():
        tensors[k] = v
        table[k] = {"dtype": "F32", "shape": list(v.shape), "role": "input"}
    for k, v in single.items():
        tensors[k] = v.detach()
        most, error = double[k].abs().max().item(), (v.double() - double[k]).abs().max().item()
        table[k] = {"dtype": "F32", "shape": list(v.shape), "role": "output", "max_abs": float(f"{most:.3g}"), "f32_err": float(f"{error:.2g}"),
                    "tol": float(f"{max(1e-7 + least * most, 8 * error):.2g}")}
    case = {"name": name, "family": family, "algorithm": algorithm, "source": SOURCE, "hyper": hyper, "formula": formula,
            "tolerance": f"|got - ref| must not exceed 'tol' of the tensor: max(1e-07 + {least:g} max_abs, 8 f32_err)", "tensors": table}
    with open(os.path.join(FOLDER, name + ".json"), "w") as file:
        json.dump(case, file, indent=1)
        file.write("\n")
    safetensors(os.path.join(FOLDER, name + ".safetensors"), tensors, {"name": name, "family": family, "format": "marl-reference-case/1"})


def op(name, algorithm, formula, hyper, inputs, forward):
    """A case with the gradient of sum(y cot.y) by every input that has one."""
    torch.manual_seed(len(name))
    inputs["cot.y"] = torch.randn(forward(inputs).shape)

    def compute(tensors):
        leaves = {k: v.requires_grad_() for k, v in tensors.items() if k != "cot.y"}
        y = forward(leaves)
        (y * tensors["cot.y"]).sum().backward()
        return {"y": y} | {"grad." + k: v.grad for k, v in leaves.items()}

    write(name, "op", algorithm, formula, hyper, inputs, compute)


def ops():
    torch.manual_seed(1)
    formula = ["y[n,o,i,j] = b[o] + sum_cpq w[o,c,p,q] x[n,c,i stride + p - padding, j stride + q - padding]"]
    for name, stride, padding in (("op_conv2d", 1, 0), ("op_conv2d_stride_padding", 2, 1)):
        inputs = {"x": torch.randn(3, 4, 7, 6), "w": torch.randn(5, 4, 3, 3) / 6, "b": torch.randn(5)}
        op(name, "2-d convolution", formula, {"stride": stride, "padding": padding}, inputs,
           lambda t, s=stride, p=padding: F.conv2d(t["x"], t["w"], t["b"], stride=s, padding=p))
    x = torch.tensor([-2.5, -1.0, -0.3, 0.0, 0.4, 1.0, 1.7, 3.2])
    for name, exponent in (("op_pow_square", 2.0), ("op_pow_cube", 3.0), ("op_pow_zero", 0.0)):
        op(name, "power", ["y = x^exponent"], {"exponent": exponent}, {"x": x.clone()}, lambda t, e=exponent: t["x"] ** e)
    positive = torch.tensor([0.05, 0.3, 0.9, 1.0, 1.6, 2.5, 7.0, 20.0])
    for name, exponent in (("op_pow_fraction", 0.75), ("op_pow_negative", -3.0)):
        op(name, "power", ["y = x^exponent"], {"exponent": exponent}, {"x": positive.clone()}, lambda t, e=exponent: t["x"] ** e)
    op("op_pow_variable", "power", ["y = a^b"], {}, {"a": torch.rand(4, 5) + 0.2, "b": torch.randn(5)}, lambda t: t["a"] ** t["b"])
    op("op_divide", "division", ["y = a / b + 2 / b"], {}, {"a": torch.randn(4, 5), "b": torch.rand(5) + 0.3}, lambda t: t["a"] / t["b"] + 2 / t["b"])


def losses():
    """PPO's loss, Schulman et al. 2017, equation 7, with the advantages as they are."""
    torch.manual_seed(3)
    hyper = {"eps_clip": 0.15, "value_clip": 0.3, "value_coef": 0.7, "entropy_coef": 0.02, "normalise_advantage": False}
    shape = (4, 5, 2)
    available = (torch.rand(*shape, 3) < 0.7).float()
    available[..., 1] = 1
    inputs = {"logits": torch.randn(*shape, 3), "avail": available, "mask": (torch.rand(shape) < 0.8).float(), "action": torch.ones(shape)}
    inputs |= {"old_log_pi": torch.randn(shape) * 0.2 - 0.9, "advantage": torch.randn(shape) * 2 + 1}
    inputs |= {"value": torch.randn(shape), "old_value": torch.randn(shape), "returns": torch.randn(shape)}

    def compute(t):
        logits, value = t["logits"].requires_grad_(), t["value"].requires_grad_()
        log_policy = torch.log_softmax(logits.masked_fill(t["avail"] == 0, -1e10), -1)
        entropy = -(log_policy.exp() * log_policy).sum(-1)
        log_pi = log_policy.gather(-1, t["action"].long().unsqueeze(-1)).squeeze(-1)
        mean = lambda x: (x * t["mask"]).sum() / t["mask"].sum()
        ratio, e, c = (log_pi - t["old_log_pi"]).exp(), hyper["eps_clip"], hyper["value_clip"]
        policy_loss = -mean(torch.min(ratio * t["advantage"], ratio.clamp(1 - e, 1 + e) * t["advantage"]))
        clipped = t["old_value"] + (value - t["old_value"]).clamp(-c, c)
        value_loss = 0.5 * mean(torch.max((value - t["returns"]) ** 2, (clipped - t["returns"]) ** 2))
        loss = policy_loss + hyper["value_coef"] * value_loss - hyper["entropy_coef"] * mean(entropy)
        loss.backward()
        results = {"policy_loss": policy_loss, "value_loss": value_loss, "entropy": mean(entropy), "loss": loss}
        results["clip_fraction"] = mean(((ratio - 1).abs() > e).to(ratio.dtype))
        return {k: v.reshape(1) for k, v in results.items()} | {"ratio": ratio, "grad.logits": logits.grad, "grad.value": value.grad}

    write("loss_ppo_plain", "loss", "PPO's loss without normalized advantages", ["as loss_ppo, A = advantage"], hyper, inputs, compute)


def branches():
    """The policy gradient of actions with branches: agents with two branches, and one with a single branch."""
    torch.manual_seed(21)
    T, B, N, K, W = 5, 3, 3, 2, 4
    sizes = [(4, 3), (2,), (3, 4)]
    mask = torch.ones(T, B, 1)
    mask[3:, 1], mask[4:, 2] = 0, 0
    avail, action = torch.zeros(T, B, N, K, W), torch.zeros(T, B, N, K)
    for t, b, n in ((t, b, n) for t in range(T) for b in range(B) for n in range(N) if mask[t, b] > 0):
        for k, size in enumerate(sizes[n]):
            avail[t, b, n, k, :size] = (torch.rand(size) < 0.7).float()
            action[t, b, n, k] = torch.randint(size, ())
            avail[t, b, n, k, int(action[t, b, n, k])] = 1
    inputs = {"logits": torch.randn(T, B, N, K * W), "avail": avail.reshape(T, B, N, K * W), "action": action, "advantage": torch.randn(T, B, N), "mask": mask}

    def compute(t):
        logits = t["logits"].requires_grad_()
        log_pi, entropy = torch.zeros_like(t["advantage"]), torch.zeros_like(t["advantage"])
        for i in avail.sum(-1).nonzero().tolist():
            choices = avail[tuple(i)].nonzero().flatten()
            log_p = F.log_softmax(logits.reshape(T, B, N, K, W)[tuple(i)][choices], dim=0)
            one = torch.zeros_like(log_pi)
            one[tuple(i[:3])] = 1
            log_pi = log_pi + one * log_p[(choices == int(action[tuple(i)])).nonzero().item()]
            entropy = entropy - one * (log_p.exp() * log_p).sum()
        loss = (-(log_pi * t["advantage"] + 0.01 * entropy) * t["mask"]).sum() / t["mask"].sum()
        loss.backward()
        return {"log_pi": log_pi, "entropy": entropy, "loss": loss, "grad.logits": logits.grad}

    write("loss_policy_branches", "loss", "policy gradient of actions with branches",
          ["pi(u) = prod_k pi_k(u_k)", "log pi(u) = sum_k log_softmax(logits_k)(u_k)", "H = sum_k H_k",
           "loss = sum_tbn -(log_pi advantage + entropy_coef entropy) mask / sum mask"],
          {"entropy_coef": 0.01, "branches": K, "branch_size": W}, inputs, compute)


def statistics():
    """ValueNorm, Yu et al. 2022: moving averages of x and x^2, both divided by that of 1."""
    torch.manual_seed(4)
    formula = ["m <- beta m + (1 - beta) mean(x); q <- beta q + (1 - beta) mean(x^2); d <- beta d + (1 - beta)", "mean = m / d; var = q / d - (m / d)^2"]
    for name, beta in (("optim_value_norm", 0.9), ("optim_value_norm_slow", 0.99999)):
        inputs = {f"x{i}": torch.randn(20, 2) * (1 + 3 * i) + 10 * i - 40 for i in range(12)}

        def compute(t, beta=beta):
            m, q, d, results = 0, 0, 0, {}
            for i in range(len(t)):
                x = t[f"x{i}"].double()
                m, q, d = beta * m + (1 - beta) * x.mean(0), beta * q + (1 - beta) * (x ** 2).mean(0), beta * d + 1 - beta
                results |= {f"mean{i}": (m / d).to(t["x0"].dtype), f"var{i}": (q / d - (m / d) ** 2).to(t["x0"].dtype)}
            return results

        write(name, "optimiser", "moving mean and variance", formula, {"decay": beta, "count0": 0.0, "unbiased": False}, inputs, compute)


def train(name, algorithm, formula, hyper, inputs, forward, loss, optimizer):
    """Full-batch training: the loss before every step, and the weights at the end."""
    def compute(tensors):
        weights = {k: v.requires_grad_() for k, v in tensors.items() if k not in ("x", "y")}
        step, losses = optimizer(list(weights.values())), []
        for _ in range(hyper["steps"]):
            step.zero_grad()
            value = loss(forward(weights, tensors["x"]), tensors["y"])
            value.backward()
            step.step()
            losses.append(value.detach())
        return {"loss": torch.stack(losses)} | {"final." + k: v for k, v in weights.items()}

    write(name, "train", algorithm, formula, hyper, inputs, compute, least=1e-4)


def linear(inputs, outputs, prefix):
    bound = inputs ** -0.5
    return {prefix + "weight": (2 * torch.rand(outputs, inputs) - 1) * bound, prefix + "bias": (2 * torch.rand(outputs) - 1) * bound}


def trainings():
    torch.manual_seed(2)
    points = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    inputs = {"x": points, "y": torch.tensor([[0.0], [1.0], [1.0], [0.0]])} | linear(2, 8, "0.") | linear(8, 1, "2.")
    train("train_xor", "XOR by a multilayer perceptron", ["mean((Mlp(x) - y)^2), tanh between the layers, Adam"], {"steps": 150, "learning_rate": 0.03},
          inputs, lambda w, x: torch.tanh(x @ w["0.weight"].T + w["0.bias"]) @ w["2.weight"].T + w["2.bias"],
          lambda y, target: ((y - target) ** 2).mean(), lambda w: torch.optim.Adam(w, lr=0.03))


if __name__ == "__main__":
    torch.set_num_threads(1)
    ops()
    losses()
    branches()
    statistics()
    trainings()
