"""Operators that few nets have, each by its formula."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from functools import reduce
from typing import Any

import torch
from torch import Tensor

from interpreter.layers import affine_of, each, normalised, sides
from interpreter.streams import Stream, join
from interpreter.weights import Weights

__all__ = ["RARER", "RARER_LAYERS"]


def selu(x: Stream) -> Stream:
    alpha, scale = 1.6732632423543772, 1.0507009873554805
    return x.with_data(scale * torch.where(x.data > 0, x.data, alpha * torch.expm1(x.data)))


def glu(x: Stream, axis: str = "c") -> Stream:
    first, second = x.data.chunk(2, x.position(axis))
    return x.with_data(first / (1 + torch.exp(-second)))


def lrn(
    x: Stream, size: int = 5, alpha: float = 1e-4, beta: float = 0.75, k: float = 2.0
) -> Stream:
    at, squares = x.position("c"), x.data**2
    channels = x.data.shape[at]
    sums = []
    for channel in range(channels):
        near = range(max(channel - size // 2, 0), min(channel + (size - 1) // 2 + 1, channels))
        sums.append(sum(squares.select(at, one) for one in near))
    total = torch.stack([torch.as_tensor(one) for one in sums], at)
    return x.with_data(x.data / (k + alpha / size * total) ** beta)


def pad(x: Stream, pad: Any, value: float = 0.0, axis: Any = None) -> Stream:
    space = [axis] if axis is not None else list(x.space or ("t",))
    made = x.data
    for name, (before, behind) in zip(space, sides(pad, *[each(1, len(space))] * 3), strict=True):
        at = x.position(name)
        ends = []
        for size in (before, behind):
            sizes = [size if i == at else n for i, n in enumerate(made.shape)]
            ends.append(made.new_full(sizes, value))
        made = torch.cat((ends[0], made, ends[1]), at)
    return x.with_data(made)


def crop(x: Stream, size: Any) -> Stream:
    made, space = x.data, x.space or ("t",)
    for axis, wanted in zip(space, each(size, len(space)), strict=True):
        at = x.position(axis)
        made = made.narrow(at, (made.shape[at] - wanted) // 2, wanted)
    return x.with_data(made)


def adaptive(x: Stream, size: Any, mode: str = "avg") -> Stream:
    made, space = x.data, x.space
    for axis, wanted in zip(space, each(size, len(space)), strict=True):
        at = x.position(axis)
        count = made.shape[at]
        parts = []
        for i in range(wanted):
            first, last = i * count // wanted, math.ceil((i + 1) * count / wanted)
            part = made.narrow(at, first, last - first)
            parts.append(part.mean(at) if mode == "avg" else part.amax(at))
        made = torch.stack(parts, at)
    return x.with_data(made)


def transpose(x: Stream) -> Stream:
    return x.with_data(x.data.transpose(-1, -2))


def argmax(x: Stream, axis: str = "c") -> Stream:
    at = x.position(axis)
    return Stream(x.data.argmax(at), tuple([a for i, a in enumerate(x.axes, 1) if i != at]))


def reshape(x: Stream, pattern: str, **sizes: int) -> Stream:
    """By a pattern: take all names apart, order them, put groups together."""
    left, right = [re.findall(r"\([^)]*\)|\S+", side) for side in pattern.split("->")]
    known = dict(sizes)
    apart: list[str] = []
    for group, size in zip(left, x.data.shape[1:], strict=True):
        names = group.strip("()").split()
        rest = math.prod([known[name] for name in names if name in known])
        known.update({name: size // rest for name in names if name not in known})
        apart += names
    data = x.data.reshape(-1, *[known[name] for name in apart])
    order = [name for group in right for name in group.strip("()").split()]
    data = data.permute(0, *[apart.index(name) + 1 for name in order])
    wanted = [math.prod([known[n] for n in group.strip("()").split()]) for group in right]
    axes = {1: ("c",), 2: ("t", "c"), 3: ("h", "t", "c")}[len(right)]
    return Stream(data.reshape(-1, *wanted), axes)


def inorm(weights: Weights, x: Stream, eps: float = 1e-5, affine: bool = False) -> Stream:
    layer = weights.take("InstanceNorm") if affine else None
    places = [x.position(axis) for axis in x.space or ("t",)]
    return x.with_data(affine_of(layer, affine, normalised(x.data, places, eps), x.position("c")))


def bilinear(weights: Weights, x: Any, units: int, bias: bool = True) -> Stream:
    layer, (left, right) = weights.take("Bilinear"), x
    made = torch.einsum("...i,oij,...j->...o", left.data, layer["weight"], right.data)
    return left.with_data(made + layer["bias"] if bias else made)


def _joined(compute: Callable[[Any, Any], Tensor]) -> Callable[[Any], Stream]:
    return lambda x: reduce(lambda a, b: join(a, b, compute), x)


RARER: dict[str, Callable[..., Any]] = {
    "SELU": selu, "GLU": glu, "LRN": lrn, "PAD": pad, "CROP": crop, "ADAPTIVEPOOL": adaptive,
    "TRANSPOSE": transpose, "ARGMAX": argmax, "RESHAPE": reshape, "SUB": _joined(torch.sub),
    "DIV": _joined(torch.div), "POW": _joined(torch.pow),
}  # fmt: skip
RARER_LAYERS = {"IN": inorm, "BILINEAR": bilinear}
