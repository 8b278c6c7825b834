"""How fast ATTENTION and attention as an equation are, beside what is written by hand.

    python benchmarks/attention.py [--device cuda] [--threads 2] [--pairs 15]
    python benchmarks/attention.py --write    # and puts the table into docs/benchmarks.md

Times forward, and forward with backward, in alternating pairs in one process, so that a busy
machine slows both sides. B=8, T=512, d=512, 8 heads, float32.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from timing import options, report, row, step_of
from torch import Tensor, nn

import archc

BATCH, STEPS, FEATURES, HEADS = 8, 512, 512, 8
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


class Merged(nn.Module):
    """Attention as a person writes it: one product for queries, keys and values."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv = nn.Linear(FEATURES, 3 * FEATURES)
        self.out = nn.Linear(FEATURES, FEATURES)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.qkv(x).unflatten(2, (3, HEADS, -1)).permute(2, 0, 3, 1, 4)
        made: Tensor = self.out(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))
        return made


class Torch(nn.Module):
    """nn.MultiheadAttention of a sequence to itself, without the weights."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.MultiheadAttention(FEATURES, HEADS, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.inner(x, x, x, need_weights=False)[0]


def rows(given: argparse.Namespace) -> Iterator[str]:
    """The rows of the table."""
    built_in = archc.load(source="net N = SEQUENCE(512, 512) -> ATTENTION(8)").to_torch()
    equation = archc.load(source=EQUATION).to_torch()
    pairs: list[tuple[str, nn.Module, nn.Module]] = [
        ("ATTENTION / nn.MultiheadAttention", built_in, Torch()),
        ("by hand / nn.MultiheadAttention", Merged(), Torch()),
        ("ATTENTION / by hand", built_in, Merged()),
        ("the equation / the fused kernel by hand", equation, ByHand()),
    ]
    x = torch.randn(BATCH, STEPS, FEATURES, device=given.device)
    for name, ours, theirs in pairs:
        pair = ours.to(given.device), theirs.to(given.device)
        for backward in (False, True):
            first, second = [step_of(model, x, backward=backward) for model in pair]
            what = "with backward" if backward else "forward"
            yield row(name, what, first, second, given.pairs)


def main() -> None:
    """Print the table."""
    parser = options(__doc__)
    parser.add_argument("--write", action="store_true", help="put it into docs/benchmarks.md")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    torch.manual_seed(0)
    report("attention", rows(given), given)


if __name__ == "__main__":
    main()
