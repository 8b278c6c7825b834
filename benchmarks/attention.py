"""How fast ATTENTION and attention as an equation are, beside what is written by hand.

    python benchmarks/attention.py

Times forward, and forward with backward, in alternating pairs in one process, so that a busy
machine slows both sides. B=8, T=512, d=512, 8 heads, float32, two threads.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import archc

BATCH, STEPS, FEATURES, HEADS = 8, 512, 512, 8
PAIRS = 15
EQUATION = """
block Heads(h) = FC(x.c) -> RESHAPE("t (h d) -> h t d", h=h)
block Attend {
  in q, k, v
  out ({ q @ k' / sqrt(q.c) } -> SOFTMAX) @ v
}
net N = SEQUENCE(512, 512) -> { Heads(8), Heads(8), Heads(8) } -> Attend
  -> RESHAPE("h t d -> t (h d)")
"""


class ByHand(nn.Module):
    """What the equation says, with the fused kernel."""

    def __init__(self) -> None:
        super().__init__()
        self.q = nn.Linear(FEATURES, FEATURES)
        self.k = nn.Linear(FEATURES, FEATURES)
        self.v = nn.Linear(FEATURES, FEATURES)

    def forward(self, x: Tensor) -> Tensor:
        heads = [
            part(x).unflatten(2, (HEADS, -1)).transpose(1, 2) for part in (self.q, self.k, self.v)
        ]
        return F.scaled_dot_product_attention(*heads).transpose(1, 2).flatten(2)


class Torch(nn.Module):
    """nn.MultiheadAttention of a sequence to itself, without the weights."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.MultiheadAttention(FEATURES, HEADS, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.inner(x, x, x, need_weights=False)[0]


def seconds(model: nn.Module, backward: bool) -> float:
    """The time of one run."""
    x = torch.randn(BATCH, STEPS, FEATURES)
    started = time.perf_counter()
    with torch.set_grad_enabled(backward):
        made = model(x)
    if backward:
        made.sum().backward()
    return time.perf_counter() - started


def ratio(ours: nn.Module, theirs: nn.Module, backward: bool) -> tuple[float, float, float]:
    """The least times in milliseconds, and the median of how many times faster ours is."""
    seconds(ours, backward), seconds(theirs, backward)
    pairs = []
    for number in range(PAIRS):
        order = (ours, theirs) if number % 2 else (theirs, ours)
        times = {id(model): seconds(model, backward) for model in order}
        pairs.append((times[id(ours)], times[id(theirs)]))
    median = statistics.median([b / a for a, b in pairs])
    return min(a for a, _ in pairs) * 1e3, min(b for _, b in pairs) * 1e3, median


def main() -> None:
    """Print the table."""
    torch.set_num_threads(2)
    built_in = archc.load(source="net N = SEQUENCE(512, 512) -> ATTENTION(8)").to_torch()
    equation = archc.load(source=EQUATION).to_torch()
    rows: list[tuple[str, nn.Module, Callable[[], nn.Module]]] = [
        ("ATTENTION / nn.MultiheadAttention", built_in, Torch),
        ("equation / F.scaled_dot_product_attention by hand", equation, ByHand),
    ]
    print(f"{'':50} {'ours':>8} {'theirs':>8} {'times faster':>13}")
    for name, ours, theirs in rows:
        for backward in (False, True):
            a, b, median = ratio(ours, theirs(), backward)
            what = f"{name}, {'with backward' if backward else 'forward'}"
            print(f"{what:64} {a:6.1f} ms {b:6.1f} ms {median:6.2f}")


if __name__ == "__main__":
    main()
