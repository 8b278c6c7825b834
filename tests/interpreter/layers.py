"""Operators with weights, each by its formula."""

from __future__ import annotations

import itertools
import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from interpreter.streams import Stream, over_steps
from interpreter.weights import Layer, Weights

__all__ = ["LAYERS", "affine", "affine_of", "each", "normalised", "padded", "sides"]

CONVOLVE = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
BACK = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}


def each(value: Any, axes: int) -> list[int]:
    """A number for each axis."""
    return [int(one) for one in value] if isinstance(value, (tuple, list)) else [int(value)] * axes


def sides(pad: Any, kernel: list[int], stride: list[int], dilation: list[int]) -> list[Any]:
    """What is added before and behind, for each axis."""
    axes = len(kernel)
    if pad == "same":
        return [
            (0, 0) if s >= k else (d * (k - 1) // 2,) * 2
            for k, s, d in zip(kernel, stride, dilation, strict=True)
        ]
    if pad == "causal":
        return [(d * (k - 1), 0) for k, d in zip(kernel, dilation, strict=True)]
    given = list(pad) if isinstance(pad, (tuple, list)) else [pad] * axes
    return [tuple(one) if isinstance(one, (tuple, list)) else (one, one) for one in given]


def padded(data: Tensor, added: list[Any], value: float = 0.0) -> Tensor:
    """More positions at the ends of the last axes."""
    flat = [size for pair in reversed(added) for size in pair]
    return F.pad(data, flat, value=value)


def along(stream: Stream, compute: Any) -> Stream:
    """Let maps (B, C, space...) be computed; a sequence of vectors is one along T."""
    if stream.axes == ("t", "c"):
        return stream.with_data(compute(stream.data.transpose(1, 2)).transpose(1, 2))
    axes = 1 + len(stream.space)
    return stream.with_data(over_steps(stream, axes, compute))


def rank(stream: Stream) -> int:
    """The number of axes that a kernel slides over."""
    return 1 if stream.axes == ("t", "c") else len(stream.space)


def conv(
    weights: Weights, x: Stream, filters: int, kernel: Any = 3, stride: Any = 1, pad: Any = "same",
    groups: int = 1, dilation: Any = 1, bias: bool = True,
) -> Stream:  # fmt: skip
    axes = rank(x)
    if axes == 0:
        return fc(weights, x, filters, bias)
    layer = weights.take("Conv")
    k, s, d = each(kernel, axes), each(stride, axes), each(dilation, axes)
    assert tuple(layer["weight"].shape) == (filters, _channels(x) // groups, *k)
    assert (layer.get("bias") is not None) == bias

    def compute(data: Tensor) -> Tensor:
        wide = padded(data, sides(pad, k, s, d))
        return CONVOLVE[axes](wide, layer["weight"], layer.get("bias"), s, 0, d, groups)

    return along(x, compute)


def dwconv(
    weights: Weights, x: Stream, kernel: Any = 3, stride: Any = 1, pad: Any = "same",
    multiplier: int = 1, bias: bool = True, dilation: Any = 1,
) -> Stream:  # fmt: skip
    channels = _channels(x)
    return conv(
        weights, x, channels * multiplier, kernel, stride, pad, channels, dilation, bias
    )  # fmt: skip


def deconv(
    weights: Weights, x: Stream, filters: int, kernel: Any = 3, stride: Any = None,
    pad: Any = "same", groups: int = 1, dilation: Any = 1, bias: bool = True,
) -> Stream:  # fmt: skip
    axes = rank(x)
    layer = weights.take("ConvTranspose")
    k, d = each(kernel, axes), each(dilation, axes)
    s = k if stride is None else each(stride, axes)

    def compute(data: Tensor) -> Tensor:
        made = BACK[axes](data, layer["weight"], layer.get("bias"), s, 0, 0, groups, d)
        for axis in range(axes):
            at, size, wanted = axis + 2, made.shape[axis + 2], data.shape[axis + 2] * s[axis]
            before = behind = 0
            if pad == "same":
                before = (max(size - wanted, 0) + 1) // 2
                if size < wanted:
                    made = padded(made, [(0, 0)] * axis + [(0, wanted - size)])
                made = made.narrow(at, before, wanted)
                continue
            before, behind = sides(pad, k, s, d)[axis]
            made = made.narrow(at, before, size - before - behind)
        return made

    return along(x, compute)


def fc(weights: Weights, x: Stream, units: int, bias: bool = True) -> Stream:
    layer = weights.take("Linear")
    assert tuple(layer["weight"].shape) == (units, x.data.shape[-1])
    assert (layer.get("bias") is not None) == bias
    made = torch.einsum("...i,oi->...o", x.data, layer["weight"])
    added = layer.get("bias")
    return x.with_data(made if added is None else made + added)


def embed(weights: Weights, x: Stream, d: int) -> Stream:
    layer = weights.take("Embedding")
    assert layer["weight"].shape[1] == d
    return Stream(layer["weight"][x.data], (*x.axes, "c"))


def posembed(weights: Weights, x: Stream, n: int | None = None) -> Stream:
    layer = weights.take("PositionEmbedding")
    return x.with_data(x.data + layer["weight"][: x.size("t")])


def relpos(weights: Weights, x: Stream, grid: Any = None) -> Stream:
    steps = x.data.shape[-1]
    sizes = each(steps if grid is None else grid, 1)
    table, made = weights.take("RelativePositions")["weight"], x.data.clone()
    assert table.shape[0] == math.prod([2 * size - 1 for size in sizes])
    places = list(itertools.product(*[range(size) for size in sizes]))
    for i, query in enumerate(places):
        for j, key in enumerate(places):
            row = 0
            for q, k, size in zip(query, key, sizes, strict=True):
                row = row * (2 * size - 1) + size - 1 + q - k
            made[..., i, j] += table[row] if x.data.dim() > 3 else table[row, 0]
    return x.with_data(made)


def affine(layer: Layer | None, normal: Tensor, at: int) -> Tensor:
    """A learned scale and shift along an axis, where there are any."""
    if layer is None:
        return normal
    shape = [1] * normal.dim()
    shape[at] = -1
    made = normal * layer["weight"].reshape(shape)
    shift = layer.get("bias")
    return made if shift is None else made + shift.reshape(shape)


def normalised(data: Tensor, axes: list[int], eps: float) -> Tensor:
    """Zero mean and unit variance over some axes."""
    mean = data.mean(axes, keepdim=True)
    variance = ((data - mean) ** 2).mean(axes, keepdim=True)
    return (data - mean) / torch.sqrt(variance + eps)


class Training:
    """Whether batch statistics and noise are those of training."""

    on = False


def bn(
    weights: Weights, x: Stream, eps: float = 1e-5, momentum: float = 0.1, affine: bool = True
) -> Stream:
    layer = weights.take("BatchNorm")
    at = x.position("c")
    if Training.on:
        axes = [axis for axis in range(x.data.dim()) if axis != at]
        made = normalised(x.data, axes, eps)
    else:
        shape = [1] * x.data.dim()
        shape[at] = -1
        mean, variance = layer["running_mean"], layer["running_var"]
        made = (x.data - mean.reshape(shape)) / torch.sqrt(variance.reshape(shape) + eps)
    return x.with_data(affine_of(layer, affine, made, at))


def affine_of(layer: Layer | None, wanted: bool, made: Tensor, at: int) -> Tensor:
    """The same where it is wanted."""
    return affine(layer if wanted else None, made, at)


def ln(
    weights: Weights, x: Stream, eps: float = 1e-5, affine: bool = True, bias: bool = True
) -> Stream:
    at = x.position("c")
    layer = weights.take("LayerNorm") if affine else None
    return x.with_data(affine_of(layer, affine, normalised(x.data, [at], eps), at))


def rmsnorm(weights: Weights, x: Stream, eps: float | None = None, affine: bool = True) -> Stream:
    at = x.position("c")
    layer = weights.take("RMSNorm") if affine else None
    small = torch.finfo(x.data.dtype).eps if eps is None else eps
    mean = (x.data**2).mean(at, keepdim=True)
    return x.with_data(affine_of(layer, affine, x.data / torch.sqrt(mean + small), at))


def gn(
    weights: Weights, x: Stream, groups: int = 32, eps: float = 1e-5, affine: bool = True
) -> Stream:
    layer = weights.take("GroupNorm") if affine else None

    def compute(data: Tensor) -> Tensor:
        split = data.reshape(data.shape[0], groups, -1)
        return normalised(split, [2], eps).reshape(data.shape)

    made = along(x, compute) if rank(x) else x.with_data(compute(x.data))
    return x.with_data(affine_of(layer, affine, made.data, x.position("c")))


def scale(weights: Weights, x: Stream, start: float = 1.0) -> Stream:
    return x.with_data(affine(weights.take("Scale"), x.data, x.position("c")))


def prelu(weights: Weights, x: Stream, shared: bool = True, start: float = 0.25) -> Stream:
    slope = weights.take("PReLU")["weight"]
    shape = [1] * x.data.dim()
    shape[x.position("c")] = -1
    return x.with_data(torch.where(x.data > 0, x.data, x.data * slope.reshape(shape)))


def _channels(x: Stream) -> int:
    return x.size("c")


LAYERS = {
    "CONV": conv, "DWCONV": dwconv, "DECONV": deconv, "FC": fc, "EMBED": embed,
    "POSEMBED": posembed, "BN": bn, "LN": ln, "RMSNORM": rmsnorm, "GN": gn, "SCALE": scale,
    "PRELU": prelu, "RELPOS": relpos,
}  # fmt: skip
