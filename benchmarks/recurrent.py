"""How fast cells are that are written as equations, beside what is written by hand.

    python benchmarks/recurrent.py [--device cuda] [--threads 2] [--pairs 15]
    python benchmarks/recurrent.py --write    # and puts the table into docs/benchmarks.md

Times forward, and forward with backward, in alternating pairs in one process. B=32, 256 features,
256 units, float32. The LSTM is recognised, and beside it stands nn.LSTM; the minimal gated unit is
not, and beside it stands the loop over a module of one step that a person writes first; then both
have scores of 64 classes at each step.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import torch
from timing import options, report, row, step_of
from torch import Tensor, nn

import archc

BATCH, FEATURES, UNITS, CLASSES = 32, 256, 256, 64
LSTM = 'from "cells/lstm.arch" import LSTM4\nnet N = SEQUENCE(T, 256) -> LSTM4(256)'
MGU = 'from "cells/mgu.arch" import MGU\nnet N = SEQUENCE(T, 256) -> MGU(256)'
SCORED = """cell Scored(n, classes) {
  f    = { x[t] | h[t-1] } -> FC(n) -> SIGMOID
  g    = { x[t] | f * h[t-1] } -> FC(n) -> TANH
  h[t] = (1 - f) * h[t-1] + f * g
  out h[t] -> FC(classes) -> SOFTMAX
}
net N = SEQUENCE(T, 256) -> Scored(256, 64)"""


class FusedLSTM(nn.Module):
    """nn.LSTM, its states left out."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(FEATURES, UNITS, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        made: Tensor = self.lstm(x)[0]
        return made


class Unit(nn.Module):
    """One step of the minimal gated unit."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = nn.Linear(FEATURES + UNITS, UNITS)
        self.candidate = nn.Linear(FEATURES + UNITS, UNITS)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        f = torch.sigmoid(self.gate(torch.cat((x, h), 1)))
        g = torch.tanh(self.candidate(torch.cat((x, f * h), 1)))
        return (1 - f) * h + f * g


class Loop(nn.Module):
    """The loop over it, which hands out the state or what a head makes of it."""

    def __init__(self, head: nn.Module | None = None) -> None:
        super().__init__()
        self.unit, self.head = Unit(), head or nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        h = x.new_zeros(x.shape[0], UNITS)
        steps = []
        for x_t in x.unbind(1):
            h = self.unit(x_t, h)
            steps.append(self.head(h))
        return torch.stack(steps, 1)


def compiled(source: str) -> nn.Module:
    """The module of a program."""
    return archc.load(source=f"dim T\n{source}").to_torch()


def rows(given: argparse.Namespace) -> Iterator[str]:
    """The rows of the table."""
    head = nn.Sequential(nn.Linear(UNITS, CLASSES), nn.Softmax(-1))
    for name, source, theirs, steps in (
        ("LSTM as equations / nn.LSTM", LSTM, FusedLSTM(), 128),
        ("minimal gated unit / loop over a module", MGU, Loop(), 128),
        ("minimal gated unit / loop over a module", MGU, Loop(), 4),
        ("the same with scores at each step", SCORED, Loop(head), 128),
    ):
        x = torch.randn(BATCH, steps, FEATURES, device=given.device)
        pair = compiled(source).to(given.device), theirs.to(given.device)
        for backward in (False, True):
            what = f"T={steps}, {'with backward' if backward else 'forward'}"
            count = given.pairs * (1 if steps > 4 else 8)
            first, second = [step_of(model, x, backward=backward) for model in pair]
            yield row(name, what, first, second, count)


def main() -> None:
    """Print the table."""
    parser = options(__doc__)
    parser.add_argument("--write", action="store_true", help="put it into docs/benchmarks.md")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    torch.manual_seed(0)
    report("recurrent", rows(given), given)


if __name__ == "__main__":
    main()
