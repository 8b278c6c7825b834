"""Random programs for as long as there is time: `python -m tests.soak --minutes 10 --seed 1000`.

Each program is held to every property of `tests/properties.py`. What fails is printed with its
seed, which makes the same program again; the last line has the totals. Exit status 1 when anything
failed.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).parent))
os.environ.setdefault("OMP_NUM_THREADS", "1")

from properties import PROPERTIES
from random_nets import Program, write_program
from random_sequences import write_sequences

__all__ = ["Property", "failure_of", "main", "program_of"]

Property = Callable[[Program, Random], None]


def main(arguments: list[str] | None = None) -> int:
    """Run, and print what fails and the totals."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--minutes", type=float, help="how long to go on")
    parser.add_argument("--programs", type=int, help="how many programs, if fewer")
    parser.add_argument("--seed", type=int, default=0, help="the number of the first program")
    options = parser.parse_args(arguments)
    if options.minutes is None and options.programs is None:
        parser.error("give --minutes or --programs")
    started = time.monotonic()
    programs, failures = 0, 0
    while not _done(options, programs, time.monotonic() - started):
        failures += _check(options.seed + programs)
        programs += 1
    seconds = time.monotonic() - started
    checks = programs * len(PROPERTIES)
    print(
        f"{programs:,} programs from seed {options.seed}, {checks:,} checks, "
        f"{failures:,} failures, {seconds:.0f} s"
    )
    return 1 if failures else 0


def program_of(seed: int) -> Program:
    """The program of a seed: with cells and attention where it is odd."""
    return (write_sequences if seed % 2 else write_program)(Random(seed))


def failure_of(holds: Property, seed: int) -> str | None:
    """What goes wrong with one property on the program of a seed; None if nothing does."""
    program = program_of(seed)
    try:
        holds(program, Random(seed))
    except Exception:
        return f"{program.text}\n{traceback.format_exc()}"
    return None


def _done(options: argparse.Namespace, programs: int, seconds: float) -> bool:
    if options.programs is not None and programs >= options.programs:
        return True
    return options.minutes is not None and seconds >= 60 * options.minutes


def _check(seed: int) -> int:
    failures = 0
    for holds in PROPERTIES:
        failure = failure_of(holds, seed)
        if failure is not None:
            failures += 1
            print(f"--- {holds.__name__}, seed {seed}\n{failure}", flush=True)
    return failures


if __name__ == "__main__":
    sys.exit(main())
