"""Operators without weights, each by its formula."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from functools import reduce
from typing import Any

import torch
from torch import Tensor

from interpreter.layers import along, each, padded, rank
from interpreter.streams import Many, Stream, join, matmul, merge

__all__ = ["PLAIN", "rotated"]

ELEMENTWISE: dict[str, Callable[[Tensor], Tensor]] = {
    "RELU": lambda x: torch.clamp(x, min=0),
    "RELU6": lambda x: torch.clamp(x, 0, 6),
    "SIGMOID": lambda x: 1 / (1 + torch.exp(-x)),
    "TANH": torch.tanh,
    "SILU": lambda x: x / (1 + torch.exp(-x)),
    "MISH": lambda x: x * torch.tanh(torch.log1p(torch.exp(x))),
    "HARDSIGMOID": lambda x: torch.clamp(x + 3, 0, 6) / 6,
    "HARDSWISH": lambda x: x * torch.clamp(x + 3, 0, 6) / 6,
    "EXP": torch.exp,
    "LOG": torch.log,
    "ABS": torch.abs,
    "SQRT": torch.sqrt,
    "SQUARE": lambda x: x * x,
}


def gelu(x: Stream, approximate: str = "none") -> Stream:
    if approximate == "tanh":
        inner = math.sqrt(2 / math.pi) * (x.data + 0.044715 * x.data**3)
        return x.with_data(0.5 * x.data * (1 + torch.tanh(inner)))
    return x.with_data(0.5 * x.data * (1 + torch.erf(x.data / math.sqrt(2))))


def leaky(x: Stream, slope: float = 0.01) -> Stream:
    return x.with_data(torch.where(x.data > 0, x.data, slope * x.data))


def elu(x: Stream, alpha: float = 1.0) -> Stream:
    return x.with_data(torch.where(x.data > 0, x.data, alpha * torch.expm1(x.data)))


def softplus(x: Stream, beta: float = 1.0) -> Stream:
    return x.with_data(torch.log1p(torch.exp(beta * x.data)) / beta)


def swish(x: Stream, beta: float = 1.0) -> Stream:
    return x.with_data(x.data / (1 + torch.exp(-beta * x.data)))


def softmax(x: Stream, axis: str = "c") -> Stream:
    at = x.position(axis)
    powers = torch.exp(x.data - x.data.amax(at, keepdim=True))
    return x.with_data(powers / powers.sum(at, keepdim=True))


def logsoftmax(x: Stream, axis: str = "c") -> Stream:
    return x.with_data(torch.log(softmax(x, axis).data))


def mask(x: Stream, what: str = "causal", size: int | None = None) -> Stream:
    made = x.data.clone()
    for query, key in itertools.product(range(made.shape[-2]), range(made.shape[-1])):
        late, far = key > query, size is not None and abs(query - key) >= size
        if {"causal": late, "window": far}[what]:
            made[..., query, key] = -math.inf
    return x.with_data(made)


def dropout(x: Stream, p: float = 0.5) -> Stream:
    return x  # whoever compares turns it off


def windows(data: Tensor, kernel: list[int], stride: list[int], ceil: bool) -> Any:
    """The windows of the last axes as views, with the sizes of the output."""
    sizes = data.shape[-len(kernel) :]
    out = []
    for size, k, s in zip(sizes, kernel, stride, strict=True):
        whole = (size - k) / s
        out.append((math.ceil(whole) if ceil else math.floor(whole)) + 1)
    return out


def pooled(
    x: Stream, kernel: Any, stride: Any, pad: Any, ceil: bool, how: str, count_pad: bool = True
) -> Stream:
    axes = rank(x)
    k = each(kernel, axes)
    s = k if stride is None else each(stride, axes)
    if pad == "same" or pad == "auto":
        wide = [
            ((n - 1) // 2,) * 2 if (m == 1 if pad == "auto" else m < n) else (0, 0)
            for n, m in zip(k, s, strict=True)
        ]
    else:
        listed = [pad] if axes == 1 and isinstance(pad, tuple) else _listed(pad, axes)
        wide = [one if isinstance(one, tuple) else (one, one) for one in listed]
    assert not ceil, "the naive pool does not round up"

    def compute(data: Tensor) -> Tensor:
        filled = padded(data, wide, -math.inf if how == "max" else 0.0)
        ones = padded(torch.ones_like(data), wide)
        parts, counts = [], []
        out = windows(filled, k, s, ceil)
        for offset in itertools.product(*[range(n) for n in k]):
            part, count = filled, ones
            for axis, start in enumerate(offset):
                at = axis + 2
                places = torch.arange(out[axis]) * s[axis] + start
                part, count = part.index_select(at, places), count.index_select(at, places)
            parts.append(part)
            counts.append(count)
        if how == "max":
            return torch.stack(parts).amax(0)
        total = torch.stack(parts).sum(0)
        return total / (math.prod(k) if count_pad else torch.stack(counts).sum(0))

    return along(x, compute)


def _listed(value: Any, axes: int) -> list[Any]:
    return list(value) if isinstance(value, (tuple, list)) else [value] * axes


def maxpool(
    x: Stream, kernel: Any = 2, stride: Any = None, pad: Any = "auto", ceil: bool = False
) -> Stream:
    return pooled(x, kernel, stride, pad, ceil, "max")


def avgpool(
    x: Stream, kernel: Any = 2, stride: Any = None, pad: Any = "auto", ceil: bool = False,
    count_pad: bool = True,
) -> Stream:  # fmt: skip
    return pooled(x, kernel, stride, pad, ceil, "avg", count_pad)


def over_space(x: Stream, compute: Callable[[Tensor, list[int]], Tensor]) -> Stream:
    """All of space at once."""
    space = x.space or ("t",)
    places = [x.position(axis) for axis in space]
    kept = tuple([axis for axis in x.axes if axis not in space])
    return Stream(compute(x.data, places), kept)


def gap(x: Stream) -> Stream:
    return over_space(x, lambda data, places: data.mean(places))


def gmp(x: Stream) -> Stream:
    return over_space(x, lambda data, places: data.amax(places))


def reduced(x: Stream, axis: Any, compute: Callable[[Tensor, list[int]], Tensor]) -> Stream:
    names = axis if isinstance(axis, (tuple, list)) else [axis]
    places = [x.position(name) for name in names]
    if names == ["c"]:  # one feature is left
        return x.with_data(compute(x.data, places).unsqueeze(places[0]))
    kept = [name for at, name in enumerate(x.axes, 1) if at not in places]
    return Stream(compute(x.data, places), tuple(kept))


def mean(x: Stream, axis: Any = "c") -> Stream:
    return reduced(x, axis, lambda data, places: data.mean(places))


def largest(x: Stream, axis: Any = "c") -> Stream:
    return reduced(x, axis, lambda data, places: data.amax(places))


def last(x: Stream) -> Stream:
    return Stream(x.data[:, -1], x.axes[1:])


def first(x: Stream) -> Stream:
    return Stream(x.data[:, 0], x.axes[1:])


def reverse(x: Stream, axis: str = "t") -> Stream:
    return x.with_data(x.data.flip(x.position(axis)))


def flatten(x: Stream) -> Stream:
    kept = 1 if x.axes[0] == "t" and len(x.axes) > 2 else 0
    return Stream(x.data.flatten(1 + kept), ("t", "c") if kept else ("c",))


def concat(x: Any, axis: str = "c") -> Stream:
    return merge(list(x), axis)


def select(x: Any, which: Any, axis: str = "c") -> Any:
    if isinstance(x, Many):
        return x[which]
    at = x.position(axis)
    if isinstance(which, int):
        return Stream(
            x.data.select(at, which), tuple(a for i, a in enumerate(x.axes, 1) if i != at)
        )
    return x.with_data(x.data.index_select(at, torch.tensor(list(which))))


def split(x: Stream, parts: Any, axis: str = "c") -> Many:
    at = x.position(axis)
    sizes = list(parts) if isinstance(parts, (tuple, list)) else [x.data.shape[at] // parts] * parts
    return Many([x.with_data(part) for part in x.data.split(sizes, at)])


def shuffle(x: Stream, groups: int) -> Stream:
    at = x.position("c")
    channels = x.data.shape[at]
    order = [g * (channels // groups) + i for i in range(channels // groups) for g in range(groups)]
    return x.with_data(x.data.index_select(at, torch.tensor(order)))


def roll(x: Stream, shift: Any, axis: Any = "c") -> Stream:
    names = list(axis) if isinstance(axis, (tuple, list)) else [axis]
    shifts = list(shift) if isinstance(shift, (tuple, list)) else [shift] * len(names)
    made = x.data
    for name, steps in zip(names, shifts, strict=True):
        made = made.roll(steps, x.position(name))
    return x.with_data(made)


def upsample(x: Stream, scale: Any = 2, mode: str = "nearest", corners: bool = False) -> Stream:
    assert mode == "nearest"
    made = x.data
    space = x.space or ("t",)
    for axis, times in zip(space, each(scale, len(space)), strict=True):
        made = made.repeat_interleave(times, x.position(axis))
    return x.with_data(made)


def posenc(x: Stream, base: float = 10000.0) -> Stream:
    steps, features = x.size("t"), x.size("c")
    table = torch.zeros(steps, features, dtype=x.data.dtype)
    for t, i in itertools.product(range(steps), range(features)):
        angle = t / base ** ((i - i % 2) / features)
        table[t, i] = math.sin(angle) if i % 2 == 0 else math.cos(angle)
    return x.with_data(x.data + table)


def rotated(data: Tensor, base: float) -> Tensor:
    """Feature i and feature i + d / 2 of step t (last axes) turned by t / base ** (2i / d)."""
    made, features = data.clone(), data.shape[-1]
    half = features // 2
    for t, i in itertools.product(range(data.shape[-2]), range(half)):
        angle = t / base ** (2 * i / features)
        one, other = data[..., t, i], data[..., t, i + half]
        made[..., t, i] = one * math.cos(angle) - other * math.sin(angle)
        made[..., t, i + half] = other * math.cos(angle) + one * math.sin(angle)
    return made


def rope(x: Stream, base: float = 10000.0) -> Stream:
    return x.with_data(rotated(x.data, base))


def repeat(x: Stream, count: int) -> Stream:
    return Stream(torch.stack([x.data] * count, 1), ("t", *x.axes))


def onehot(x: Stream, size: int) -> Stream:
    return Stream(torch.eye(size, dtype=torch.float64)[x.data], (*x.axes, "c"))


def _elementwise(name: str) -> Callable[..., Stream]:
    return lambda x: x.with_data(ELEMENTWISE[name](x.data))


PLAIN: dict[str, Callable[..., Any]] = {
    **{name: _elementwise(name) for name in ELEMENTWISE},
    "GELU": gelu, "LEAKYRELU": leaky, "ELU": elu, "SOFTPLUS": softplus, "SWISH": swish,
    "SOFTMAX": softmax, "LOGSOFTMAX": logsoftmax, "DROPOUT": dropout, "DROPPATH": dropout,
    "MASK": mask,
    "MAXPOOL": maxpool, "POOL": maxpool, "AVGPOOL": avgpool, "GAP": gap, "GMP": gmp, "MEAN": mean,
    "MAX": largest, "LAST": last, "FIRST": first, "REVERSE": reverse, "FLATTEN": flatten,
    "CONCAT": concat, "SELECT": select, "SPLIT": split, "SHUFFLE": shuffle, "ROLL": roll,
    "UPSAMPLE": upsample, "POSENC": posenc, "ROPE": rope, "REPEAT": repeat, "ID": lambda x: x,
    "ADD": lambda x: reduce(lambda a, b: join(a, b, torch.add), x),
    "MUL": lambda x: reduce(lambda a, b: join(a, b, torch.mul), x),
    "MATMUL": lambda x: matmul(x[0], x[1]),
}  # fmt: skip
