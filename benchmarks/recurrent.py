"""How fast cells are that are written as equations, beside what is written by hand.

    python benchmarks/recurrent.py [--device cuda] [--threads 2] [--pairs 15]

Times forward, and forward with backward, in alternating pairs in one process. B=32, 256 features,
256 units, float32. The LSTM is recognised, and beside it stands nn.LSTM; the minimal gated unit is
not, and beside it stands the loop over a module of one step that a person writes first.
"""

from __future__ import annotations

import argparse

import torch
from timing import compared, step_of
from torch import Tensor, nn

import archc

BATCH, FEATURES, UNITS = 32, 256, 256
LSTM = """cell Memory(n) {
  z    = x[t] | h[t-1]
  f    = z -> FC(n) -> SIGMOID
  i    = z -> FC(n) -> SIGMOID
  g    = z -> FC(n) -> TANH
  o    = z -> FC(n) -> SIGMOID
  c[t] = f * c[t-1] + i * g
  h[t] = o * (c[t] -> TANH)
  out h[t]
}
net N = SEQUENCE(T, 256) -> Memory(256)"""
MGU = """cell MGU(n) {
  f    = { x[t] | h[t-1] } -> FC(n) -> SIGMOID
  g    = { x[t] | f * h[t-1] } -> FC(n) -> TANH
  h[t] = (1 - f) * h[t-1] + f * g
}
net N = SEQUENCE(T, 256) -> MGU(256)"""


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
    """The loop over it."""

    def __init__(self) -> None:
        super().__init__()
        self.unit = Unit()

    def forward(self, x: Tensor) -> Tensor:
        h = x.new_zeros(x.shape[0], UNITS)
        steps = []
        for x_t in x.unbind(1):
            h = self.unit(x_t, h)
            steps.append(h)
        return torch.stack(steps, 1)


def compiled(source: str) -> nn.Module:
    """The module of a program."""
    return archc.load(source=f"dim T\n{source}").to_torch()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--pairs", type=int, default=15)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    torch.manual_seed(0)
    rows = [
        ("LSTM as equations / nn.LSTM", LSTM, FusedLSTM(), 128),
        ("minimal gated unit / loop over a module", MGU, Loop(), 128),
        ("the same", MGU, Loop(), 4),
    ]
    print("| ours / theirs | T | | ours | theirs | times faster (quartiles) |")
    print("|---|---|---|---|---|---|")
    for name, source, theirs, steps in rows:
        x = torch.randn(BATCH, steps, FEATURES, device=given.device)
        pair = compiled(source).to(given.device), theirs.to(given.device)
        for backward in (False, True):
            what = "with backward" if backward else "forward"
            count = given.pairs * (1 if steps > 4 else 8)
            first, second = [step_of(model, x, backward=backward) for model in pair]
            a, b, (low, middle, high) = compared(first, second, count)
            times = f"{middle:.2f} ({low:.2f} to {high:.2f})"
            print(f"| {name} | {steps} | {what} | {a:.2f} ms | {b:.2f} ms | {times} |", flush=True)


if __name__ == "__main__":
    main()
