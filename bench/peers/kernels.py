"""Single kernels: each function takes a size and the name of a variant and returns what is timed."""

import torch
from torch import nn


def gemm(size, variant):
    """c = a b (nn), c = a b^T (nt: a layer forwards) or c = a^T b (tn: the gradient of its weights), c [m, n], depth k."""
    m, n, k = size["m"], size["n"], size["k"]
    c = torch.empty(m, n)
    if variant == "nn":
        a, b = torch.randn(m, k), torch.randn(k, n)
    elif variant == "nt":
        a, b = torch.randn(m, k), torch.randn(n, k).t()
    else:
        a, b = torch.randn(k, m).t(), torch.randn(k, n)
    return lambda: torch.mm(a, b, out=c)


def gru(size, variant):
    """A sequence forwards and backwards, gradients of the input and of all weights: nn.GRU, or nn.GRUCell step by step."""
    steps, rows, inputs, hidden = size["steps"], size["rows"], size["inputs"], size["hidden"]
    x = torch.randn(steps, rows, inputs, requires_grad=True)
    h0 = torch.zeros(rows, hidden)
    dy = torch.full((steps, rows, hidden), 1e-3)
    net = nn.GRU(inputs, hidden) if variant == "fused" else nn.GRUCell(inputs, hidden)

    def forward():
        if variant == "fused":
            return net(x, h0.unsqueeze(0))[0]
        h, outputs = h0, []
        for x_t in x.unbind(0):
            h = net(x_t, h)
            outputs.append(h)
        return torch.stack(outputs)

    def run():
        x.grad = None
        net.zero_grad(set_to_none=True)
        forward().backward(dy)

    return run


def optimizer(size, variant):
    """One step over parameters of the given shapes: tensor by tensor, all in one list call, or as one flat tensor."""
    shapes = size["shapes"]
    if variant == "flat":
        shapes = [[sum(torch.Size(shape).numel() for shape in shapes)]]
    parameters = [nn.Parameter(0.1 * torch.randn(shape)) for shape in shapes]
    for parameter in parameters:
        parameter.grad = 0.1 * torch.randn_like(parameter)
    many = variant == "foreach"
    if size["rule"] == "adam":
        step = torch.optim.Adam(parameters, lr=5e-4, foreach=many).step
    else:
        step = torch.optim.RMSprop(parameters, lr=5e-4, alpha=0.99, eps=1e-5, foreach=many).step
    return lambda: step()


def pointwise(size, variant):
    """y = f(x) into memory that is there."""
    del variant
    count, op = size["count"], size["op"]
    x, y = torch.rand(count) * 8 - 4, torch.empty(count)
    if op == "copy":
        return lambda: y.copy_(x)
    if op == "add":
        z = torch.rand(count)
        return lambda: torch.add(x, z, out=y)
    if op == "relu":
        # torch.relu has no out; clamp_min is the same function with one.
        return lambda: torch.clamp_min(x, 0.0, out=y)
    function = {"tanh": torch.tanh, "sigmoid": torch.sigmoid, "exp": torch.exp}[op]
    return lambda: function(x, out=y)
