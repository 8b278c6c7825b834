"""How long a network takes to become source and a module, beside torchvision's construction.

    python benchmarks/compiling.py [--pairs 7]
    python benchmarks/compiling.py --write    # and puts the table into docs/benchmarks.md

Seconds of the processor, the least of some runs in one process, all modules on the meta device, so
that no weights are drawn. Text to source is reading the file, checking the net and its claims, and
writing the class, its hyperparameters proved by lowering the net with other values.
"""

from __future__ import annotations

import argparse
import platform
import time
from collections.abc import Callable
from typing import Any

import torch
from pages import BENCHMARKS, write
from peers import torchvision_models

import archc

NETS = (
    "vgg16", "resnet18", "resnet50", "resnet152", "googlenet", "mobilenet_v2", "densenet121",
    "efficientnet_b0",
)  # fmt: skip
HEAD = (
    "| | torchvision | text to source | without hyperparameters | text to module |\n"
    "|---|---|---|---|---|"
)


def least(what: Callable[[], Any], runs: int) -> float:
    """The least milliseconds of the processor."""
    found = []
    for _ in range(runs + 1):
        started = time.process_time()
        what()
        found.append(time.process_time() - started)
    return min(found[1:]) * 1000


def line(name: str, models: Any, runs: int) -> str:
    """The row of one network."""
    options = {"init_weights": False} if name == "googlenet" else {}
    with torch.device("meta"):
        peer = least(lambda: getattr(models, name)(**options), runs)
        module = least(lambda: archc.load(name).to_torch(), runs)
    source = least(lambda: archc.load(name).source(), runs)
    fixed = least(lambda: _fixed(name), runs)
    return f"| {name} | {peer:.0f} ms | {source:.0f} ms | {fixed:.0f} ms | {module:.0f} ms |"


def _fixed(name: str) -> str:
    from archc.emit import emit

    return emit(archc.load(name).program)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=7, help="runs")
    parser.add_argument("--write", action="store_true", help="put it into docs/benchmarks.md")
    given = parser.parse_args()
    models = torchvision_models()
    lines = [HEAD, *[line(name, models, given.pairs) for name in NETS]]
    print("\n".join(lines))
    if given.write:
        where = f"torch {torch.__version__}, one thread of a CPU, {platform.machine()}."
        write(BENCHMARKS, "compiling", "\n".join([*lines, "", where]))


if __name__ == "__main__":
    main()
