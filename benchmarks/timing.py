"""Two steps timed in turns, so that a busy machine slows both."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn

__all__ = ["Step", "compared", "step_of"]

Step = Callable[[], None]


def step_of(model: nn.Module, x: Tensor, *, backward: bool) -> Step:
    """One forward pass, with one backward pass behind it in training."""

    def forward() -> None:
        with torch.no_grad():
            model(x)

    def training() -> None:
        model.zero_grad(set_to_none=True)
        model(x).sum().backward()

    return training if backward else forward


def compared(ours: Step, theirs: Step, pairs: int) -> tuple[float, float, tuple[float, ...]]:
    """The median times in milliseconds, and the quartiles of how many times faster ours is."""
    for step in (ours, theirs, ours, theirs):
        step()
    found = []
    for number in range(pairs):
        steps = (ours, theirs) if number % 2 else (theirs, ours)
        times = {id(step): _seconds(step) for step in steps}
        found.append((times[id(ours)], times[id(theirs)]))
    medians = [statistics.median(side) * 1000 for side in zip(*found, strict=True)]
    return medians[0], medians[1], tuple(statistics.quantiles([b / a for a, b in found], n=4))


def _seconds(step: Step) -> float:
    _wait()
    started = time.perf_counter()
    step()
    _wait()
    return time.perf_counter() - started


def _wait() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()
