"""Random programs for as long as there is time: `python -m tests.soak --minutes 10 --seed 1000`.

Each program is held to every property of `tests/properties.py`; with `--types` the sources of 500
at once to `mypy --strict`, `ruff check` and `ruff format --check`. What fails is printed with its
seed, which makes the same program again; the last line has the totals. Exit status 1 when anything
failed.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).parent))
os.environ.setdefault("OMP_NUM_THREADS", "1")

from properties import PROPERTIES
from random_maps import write_maps
from random_nets import Program, write_program
from random_sequences import write_sequences
from typed_sources import complaints, write_sources

__all__ = ["Property", "failure_of", "main", "program_of"]

BATCH = 500  # sources for one run of mypy
CACHE = Path(tempfile.gettempdir()) / "archc-soak-mypy"  # of torch's stubs
Property = Callable[[Program, Random], None]


def main(arguments: list[str] | None = None) -> int:
    """Run, and print what fails and the totals."""
    options = _options(arguments)
    started = time.monotonic()
    programs, failures, checks = 0, 0, 0
    while not _done(options, programs, time.monotonic() - started):
        if options.types:
            count = min(BATCH, (options.programs or BATCH + programs) - programs)
            failures += _check_types(options.seed + programs, count)
        else:
            count = 1
            failures += _check(options.seed + programs)
        programs += count
        checks += count * (1 if options.types else len(PROPERTIES))
    seconds = time.monotonic() - started
    print(
        f"{programs:,} programs from seed {options.seed}, {checks:,} checks, "
        f"{failures:,} failures, {seconds:.0f} s"
    )
    return 1 if failures else 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--minutes", type=float, help="how long to go on")
    parser.add_argument("--programs", type=int, help="how many programs, if fewer")
    parser.add_argument("--seed", type=int, default=0, help="the number of the first program")
    parser.add_argument("--types", action="store_true", help="hold the sources to mypy and ruff")
    options = parser.parse_args(arguments)
    if options.minutes is None and options.programs is None:
        parser.error("give --minutes or --programs")
    return options


def program_of(seed: int) -> Program:
    """The program of a seed: with cells and attention where it is odd, some of those on maps."""
    if seed % 16 == 15:
        return write_maps(Random(seed))
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


def _check_types(seed: int, count: int) -> int:
    """Sources of some programs through mypy --strict, ruff check and ruff format --check."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "sources"
        folder.mkdir()
        write_sources([(n, program_of(n).text) for n in range(seed, seed + count)], folder)
        said = complaints(folder, CACHE)
    # One line of mypy or ruff for each place.
    places = [line for line in said.splitlines() if f"{folder}" in line or "/net" in line]
    if said:
        print(f"--- types, seeds {seed} to {seed + count - 1}\n{said}", flush=True)
    return len(places) or bool(said)


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
