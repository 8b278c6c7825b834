"""Two steps timed in turns, so that a busy machine slows both."""

from __future__ import annotations

import argparse
import platform
import statistics
import time
from collections.abc import Callable, Iterable

import torch
from pages import BENCHMARKS, write
from torch import Tensor, nn

__all__ = ["HEAD", "Step", "options", "report", "row", "step_of"]

Step = Callable[[], None]
HEAD = "| first / second | | first | second | times faster (quartiles) |\n|---|---|---|---|---|"


def options(description: str | None) -> argparse.ArgumentParser:
    """The options that every benchmark of modules takes."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--pairs", type=int, default=15)
    return parser


def report(name: str, rows: Iterable[str], given: argparse.Namespace) -> None:
    """Print a table as its rows come, and put it into the page where `--write` says so.

    Args:
        name: of the marks of the page, with the device behind it: `recurrent cpu`.
        rows: below `HEAD`.
        given: the options.
    """
    lines = [HEAD]
    print(HEAD)
    for one in rows:
        print(one, flush=True)
        lines.append(one)
    if given.write:
        write(BENCHMARKS, f"{name} {given.device}", "\n".join([*lines, "", _machine(given)]))


def _machine(given: argparse.Namespace) -> str:
    """The sentence about where the table comes from."""
    where = f"{given.threads} threads of a CPU, {platform.system()} {platform.machine()}"
    if given.device == "cuda":
        where = torch.cuda.get_device_name()
    return f"torch {torch.__version__}, {where}, {given.pairs} pairs."


def step_of(model: nn.Module, x: Tensor, *, backward: bool) -> Step:
    """One forward pass, with one backward pass behind it in training."""

    def forward() -> None:
        with torch.no_grad():
            model(x)

    def training() -> None:
        model.zero_grad(set_to_none=True)
        model(x).sum().backward()

    return training if backward else forward


def row(name: str, what: str, ours: Step, theirs: Step, pairs: int) -> str:
    """A row below `HEAD`: medians in milliseconds, how many times faster, with the quartiles."""
    for step in (ours, theirs, ours, theirs):
        step()
    found = []
    for number in range(pairs):
        steps = (ours, theirs) if number % 2 else (theirs, ours)
        times = {id(step): _seconds(step) for step in steps}
        found.append((times[id(ours)], times[id(theirs)]))
    first, second = [statistics.median(side) * 1000 for side in zip(*found, strict=True)]
    low, middle, high = statistics.quantiles([b / a for a, b in found], n=4)
    times_faster = f"{middle:.2f} ({low:.2f} to {high:.2f})"
    return f"| {name} | {what} | {first:.2f} ms | {second:.2f} ms | {times_faster} |"


def _seconds(step: Step) -> float:
    _wait()
    started = time.perf_counter()
    step()
    _wait()
    return time.perf_counter() - started


def _wait() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()
