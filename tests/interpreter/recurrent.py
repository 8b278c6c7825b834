"""RNN, GRU, LSTM and attention, each by its equations, step by step and head by head."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from interpreter.plain import rotated
from interpreter.streams import Stream
from interpreter.weights import Layer, Weights

__all__ = ["SEQUENCES"]


def _sigmoid(x: Tensor) -> Tensor:
    return 1 / (1 + torch.exp(-x))


def _pre(layer: Layer, side: str, end: str, data: Tensor) -> Tensor:
    """W x + b of all gates, for the input (`ih`) or the state (`hh`)."""
    made = torch.einsum("bi,oi->bo", data, layer[f"weight_{side}_{end}"])
    bias = layer.get(f"bias_{side}_{end}")
    return made if bias is None else made + bias


def _rnn(into: Tensor, back: Tensor, states: list[Tensor]) -> list[Tensor]:
    return [torch.tanh(into + back)]


def _gru(into: Tensor, back: Tensor, states: list[Tensor]) -> list[Tensor]:
    (r1, z1, n1), (r2, z2, n2) = into.chunk(3, 1), back.chunk(3, 1)
    r, z = _sigmoid(r1 + r2), _sigmoid(z1 + z2)
    return [(1 - z) * torch.tanh(n1 + r * n2) + z * states[0]]


def _lstm(into: Tensor, back: Tensor, states: list[Tensor]) -> list[Tensor]:
    i, f, g, o = (into + back).chunk(4, 1)
    c = _sigmoid(f) * states[1] + _sigmoid(i) * torch.tanh(g)
    return [_sigmoid(o) * torch.tanh(c), c]


CELLS: dict[str, Any] = {"RNN": (_rnn, 1), "GRU": (_gru, 1), "LSTM": (_lstm, 2)}


def _direction(kind: str, layer: Layer, end: str, data: Tensor, units: int) -> Any:
    """All outputs (B, T, units) and the last states of one layer in one direction."""
    step, count = CELLS[kind]
    states = [torch.zeros(data.shape[0], units, dtype=data.dtype)] * count
    order = list(range(data.shape[1]))
    found: dict[int, Tensor] = {}
    for t in reversed(order) if end.endswith("_reverse") else order:
        into, back = _pre(layer, "ih", end, data[:, t]), _pre(layer, "hh", end, states[0])
        states = step(into, back, states)
        found[t] = states[0]
    return torch.stack([found[t] for t in order], 1), states


def _recurrent(kind: str) -> Any:
    def run(
        weights: Weights, x: Stream, units: int, layers: int = 1, bidirectional: bool = False,
        dropout: float = 0, bias: Any = True,
    ) -> Stream:  # fmt: skip
        layer = weights.take(kind)
        assert dropout == 0, "the naive layer drops nothing"
        data, last = x.data, []
        for number in range(layers):
            ends = [f"l{number}", f"l{number}_reverse"][: 1 + bool(bidirectional)]
            made = [_direction(kind, layer, end, data, units) for end in ends]
            data = torch.cat([sequence for sequence, _ in made], 2)
            last = [torch.cat(parts, 1) for parts in zip(*[s for _, s in made], strict=True)]
        found = x.with_data(data)
        states = [Stream(one, ("c",)) for one in last]
        found.state = dict(zip(("h", "c"), states, strict=False))
        return found

    return run


def attention(
    weights: Weights, x: Stream, heads: int, kv: Stream | None = None,
    kv_heads: int | None = None, causal: bool = False, bias: bool = True, dropout: float = 0,
    rope: float | None = None, window: int | None = None,
) -> Stream:  # fmt: skip
    kv_heads, width = kv_heads or heads, x.size("c") // heads
    if kv is None:
        q, k, v = _project(weights, x, bias).split(
            [heads * width, kv_heads * width, kv_heads * width], 2
        )
    else:
        q = _project(weights, x, bias)
        k, v = _project(weights, kv, bias).chunk(2, 2)
    means = []
    for head in range(heads):
        of = head // (heads // kv_heads)
        own, keys, values = [
            one[..., at * width : (at + 1) * width] for one, at in ((q, head), (k, of), (v, of))
        ]
        if rope is not None:
            own, keys = rotated(own, rope), rotated(keys, rope)
        means.append(_mean(own, keys, values, causal, window))
    return x.with_data(_project(weights, x.with_data(torch.cat(means, 2)), bias))


def _project(weights: Weights, x: Stream, bias: bool) -> Tensor:
    layer = weights.take("Linear")
    made = torch.einsum("bti,oi->bto", x.data, layer["weight"])
    assert (layer.get("bias") is not None) == bias
    return made + layer["bias"] if bias else made


def _mean(q: Tensor, k: Tensor, v: Tensor, causal: bool, window: int | None) -> Tensor:
    """One head: for each query the mean of the values that it sees."""
    found = []
    for i in range(q.shape[1]):
        seen = [
            j
            for j in range(k.shape[1])
            if not (causal and j > i) and (window is None or abs(i - j) < window)
        ]
        scores = torch.einsum("bc,bjc->bj", q[:, i], k[:, seen]) / math.sqrt(q.shape[2])
        powers = torch.exp(scores - scores.amax(1, keepdim=True))
        shares = powers / powers.sum(1, keepdim=True)
        found.append(torch.einsum("bj,bjc->bc", shares, v[:, seen]))
    return torch.stack(found, 1)


SEQUENCES = {**{kind: _recurrent(kind) for kind in CELLS}, "ATTENTION": attention}
