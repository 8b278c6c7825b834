"""How fast compiled modules are: for inference, and beside torchvision's where that is installed.

    python benchmarks/modules.py [NET ...] [--device cuda] [--threads 2] [--pairs 7]

Eager forward of the module as compiled and of the one for inference, and, with torchvision
installed, of its module of the same network; forward with backward, and the peak memory of a step
of training, of the plain one beside torchvision's. Alternating pairs in one process, so that a busy
machine slows both sides. Batch 8 (64 on a GPU), float32.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from peers import torchvision_network
from torch import nn

import archc


@dataclass(frozen=True)
class Setting:
    """Where and how often is measured."""

    device: str
    batch: int
    pairs: int

    def images(self) -> torch.Tensor:
        """A batch, (B, 3, 224, 224)."""
        return torch.randn(self.batch, 3, 224, 224, device=self.device)


NETS = ("resnet18", "resnet50", "densenet121", "googlenet", "mobilenet_v2", "vgg16")
Step = Callable[[], None]


def forward(model: nn.Module, setting: Setting) -> Step:
    """One forward pass outside training."""
    model.eval()
    images = setting.images()

    def step() -> None:
        with torch.inference_mode():
            model(images)

    return step


def training(model: nn.Module, setting: Setting) -> Step:
    """One forward and one backward pass in training."""
    model.train()
    images = setting.images()

    def step() -> None:
        model.zero_grad(set_to_none=True)
        model(images).sum().backward()

    return step


def seconds(step: Step) -> float:
    """The time of one step."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    started = time.perf_counter()
    step()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - started


def alternate(ours: Step, theirs: Step, count: int) -> list[tuple[float, float]]:
    """Times of both, taken in turns."""
    for step in (ours, theirs, ours, theirs):
        step()
    found = []
    for number in range(count):
        steps = (ours, theirs) if number % 2 else (theirs, ours)
        times = {id(step): seconds(step) for step in steps}
        found.append((times[id(ours)], times[id(theirs)]))
    return found


def row(name: str, what: str, ours: Step, theirs: Step, count: int) -> str:
    """A row of the table: medians in milliseconds, the ratio with its quartiles."""
    times = alternate(ours, theirs, count)
    low, middle, high = statistics.quantiles([b / a for a, b in times], n=4)
    medians = [statistics.median(side) * 1000 for side in zip(*times, strict=True)]
    cells = [f"{median:.1f} ms" for median in medians]
    return f"| {name} | {what} | {' | '.join(cells)} | {middle:.2f} ({low:.2f} to {high:.2f}) |"


def torchvision_model(name: str) -> nn.Module | None:
    """The same network by torchvision; None where that is not installed."""
    options: dict[str, Any] = {}
    if name == "googlenet":
        options = {"aux_logits": False, "init_weights": False}
    try:
        return torchvision_network(name, **options)
    except ImportError:
        return None


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


def device_peak(step: Step) -> int:
    """The same on a GPU, by its allocator."""
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    step()
    return torch.cuda.max_memory_allocated() - before


def measure(name: str, setting: Setting) -> None:
    """Print the rows of a network."""
    net = archc.load(name)
    plain = net.to_torch()
    infer = net.to_torch(optimize="inference", weights=plain).to(setting.device)
    plain = plain.to(setting.device)

    def show(what: str, ours: Step, theirs: Step) -> None:
        print(row(name, what, ours, theirs, setting.pairs), flush=True)

    show("inference, plain", forward(infer, setting), forward(plain, setting))
    theirs = torchvision_model(name)
    if theirs is None:
        return
    theirs = theirs.to(setting.device)
    show("inference, torchvision", forward(infer, setting), forward(theirs, setting))
    show("plain, torchvision", forward(plain, setting), forward(theirs, setting))
    steps = training(plain, setting), training(theirs, setting)
    show("plain, torchvision, with backward", *steps)
    most = device_peak if setting.device == "cuda" else peak
    ours, other = [most(step) / 1e6 for step in steps]
    print(f"| {name} | peak of training | {ours:.0f} MB | {other:.0f} MB | {ours / other:.3f} |")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("nets", nargs="*", default=NETS)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--batch", type=int)
    given = parser.parse_args()
    setting = Setting(
        given.device, given.batch or (8 if given.device == "cpu" else 64), given.pairs
    )
    torch.set_num_threads(given.threads)
    torch.manual_seed(0)
    where = f"{given.threads} threads"
    if given.device == "cuda":
        where = torch.cuda.get_device_name()
    print(f"torch {torch.__version__}, batch {setting.batch}, {where}, {setting.pairs} pairs\n")
    print("| net | first, second | first | second | second / first (quartiles) |")
    print("|---|---|---|---|---|")
    for name in given.nets:
        measure(name, setting)


if __name__ == "__main__":
    main()
