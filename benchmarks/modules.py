"""How fast compiled modules are: for inference, and beside torchvision's where that is installed.

    python benchmarks/modules.py [NET ...]

Eager forward of the module as compiled and of the one for inference, and, with torchvision
installed, of its module of the same network; forward with backward, and the peak memory of a step
of training, of the plain one beside torchvision's. Alternating pairs in one process, so that a busy
machine slows both sides. Batch 8, float32, two threads.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

import archc

BATCH, PAIRS, THREADS = 8, 7, 2
NETS = ("resnet18", "resnet50", "densenet121", "googlenet")
Step = Callable[[], None]


def forward(model: nn.Module) -> Step:
    """One forward pass outside training."""
    model.eval()
    images = torch.randn(BATCH, 3, 224, 224)

    def step() -> None:
        with torch.inference_mode():
            model(images)

    return step


def training(model: nn.Module) -> Step:
    """One forward and one backward pass in training."""
    model.train()
    images = torch.randn(BATCH, 3, 224, 224)

    def step() -> None:
        model.zero_grad(set_to_none=True)
        model(images).sum().backward()

    return step


def seconds(step: Step) -> float:
    """The time of one step."""
    started = time.perf_counter()
    step()
    return time.perf_counter() - started


def pairs(ours: Step, theirs: Step) -> list[tuple[float, float]]:
    """Times of both, taken in turns."""
    for step in (ours, theirs):
        step()
    found = []
    for number in range(PAIRS):
        steps = (ours, theirs) if number % 2 else (theirs, ours)
        times = {id(step): seconds(step) for step in steps}
        found.append((times[id(ours)], times[id(theirs)]))
    return found


def row(name: str, what: str, ours: Step, theirs: Step) -> str:
    """A row of the table: medians in milliseconds, the ratio with its quartiles."""
    times = pairs(ours, theirs)
    ratios = [b / a for a, b in times]
    low, middle, high = statistics.quantiles(ratios, n=4)
    medians = [statistics.median(side) * 1000 for side in zip(*times, strict=True)]
    cells = [f"{median:.0f} ms" for median in medians]
    return f"| {name} | {what} | {' | '.join(cells)} | {middle:.2f} ({low:.2f} to {high:.2f}) |"


def torchvision_model(name: str) -> nn.Module | None:
    """The same network by torchvision; None where that is not installed."""
    try:
        import torchvision
    except ImportError:
        return None
    options: dict[str, Any] = {"init_weights": False} if name == "googlenet" else {}
    if name == "googlenet":
        options["aux_logits"] = False
    made: nn.Module = getattr(torchvision.models, name)(weights=None, **options)
    return made


def peak(step: Step) -> int:
    """The most bytes of tensors that a step holds at once beside what is there before it."""
    with torch.profiler.profile(profile_memory=True) as record:
        step()
    held = most = 0
    for event in record.profiler.kineto_results.events():  # type: ignore[union-attr]
        if event.name() == "[memory]":
            held += event.nbytes()
            most = max(most, held)
    return most


def measure(name: str) -> None:
    """Print the rows of a network."""
    net = archc.load(name)
    plain = net.to_torch()
    infer = net.to_torch(optimize="inference", weights=plain)
    print(row(name, "inference, plain", forward(infer), forward(plain)), flush=True)
    theirs = torchvision_model(name)
    if theirs is None:
        return
    print(row(name, "inference, torchvision", forward(infer), forward(theirs)), flush=True)
    print(row(name, "plain, torchvision", forward(plain), forward(theirs)), flush=True)
    steps = training(plain), training(theirs)
    print(row(name, "plain, torchvision, with backward", *steps), flush=True)
    ours, other = [peak(step) / 1e6 for step in steps]
    print(f"| {name} | peak of training | {ours:.0f} MB | {other:.0f} MB | {ours / other:.3f} |")


def main(names: list[str]) -> None:
    """Print the table."""
    torch.set_num_threads(THREADS)
    torch.manual_seed(0)
    print(f"torch {torch.__version__}, batch {BATCH}, {THREADS} threads, {PAIRS} pairs\n")
    print("| net | first, second | first | second | second / first (quartiles) |")
    print("|---|---|---|---|---|")
    for name in names:
        measure(name)


if __name__ == "__main__":
    main(sys.argv[1:] or list(NETS))
