"""How much faster `generate` is than forward of all that was said, again for each token.

    python benchmarks/generation.py [--device cuda] [--threads 2] [--pairs 5]
    python benchmarks/generation.py --write    # and puts the table into docs/benchmarks.md

Goes on with 16 tokens for 48 and for 112, in alternating pairs in one process; both say the same.
GPT-2 of 124 million parameters, one example, float32.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

import torch
from timing import options, report, row
from torch import Tensor

import archc

START = 16


def again(model: Any, start: Tensor, steps: int) -> Tensor:
    """The likeliest token each time, by forward of the whole."""
    made = start
    with torch.no_grad():
        for _ in range(steps):
            made = torch.cat((made, model(made)[:, -1:].argmax(-1)), dim=1)
    return made


def rows(given: argparse.Namespace) -> Iterator[str]:
    """The rows of the table."""
    for name in ("gpt2", "lm_medium"):
        model: Any = archc.load(name).to_torch().to(given.device).eval()
        start = torch.randint(10_000, (1, START), device=given.device)
        for steps in (48, 112):
            same = torch.equal(model.generate(start, steps), again(model, start, steps))
            assert same, f"{name} says something else step by step"

            def kept(model: Any = model, start: Tensor = start, steps: int = steps) -> None:
                model.generate(start, steps)

            def anew(model: Any = model, start: Tensor = start, steps: int = steps) -> None:
                again(model, start, steps)

            what = f"{START} + {steps} tokens"
            yield row(f"{name}: generate / forward", what, kept, anew, given.pairs)


def main() -> None:
    """Print the table."""
    parser = options(__doc__)
    parser.set_defaults(pairs=5)
    parser.add_argument("--write", action="store_true", help="put it into docs/benchmarks.md")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    torch.manual_seed(0)
    report("generation", rows(given), given)


if __name__ == "__main__":
    main()
