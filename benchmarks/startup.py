"""How long `archc stats resnet152` takes from start to end, against its floor and a peer.

    python benchmarks/startup.py            # prints the table
    python benchmarks/startup.py --write    # and puts it into docs/benchmarks.md

Whole processes are timed, in alternating pairs, so that a busy machine slows both sides. The floor
is what importing the libraries costs; the peer builds the module with torch and asks torchinfo. The
first run after an installation is timed in a fresh virtual environment.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "benchmarks.md"
MARKS = ("<!-- startup: begin -->", "<!-- startup: end -->")

FLOOR = "import lark, click, rich.table"
TORCHVISION = "from torchvision.models import resnet152"
SUMMARY = "from torchinfo import summary; print(summary(resnet152(), (1, 3, 224, 224), verbose=0))"

Command = list[str]


def main() -> None:
    """Measure, print, and write the page when asked to."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--pairs", type=int, default=15, help="how many pairs are timed")
    parser.add_argument("--write", action="store_true", help=f"put the table into {PAGE.name}")
    parser.add_argument("--no-install", action="store_true", help="leave out the first run")
    options = parser.parse_args()
    rows = measure(options.pairs, install=not options.no_install)
    text = "\n".join(rows)
    print(text)
    if options.write:
        write(text)


def measure(pairs: int, *, install: bool) -> list[str]:
    """The lines of the table."""
    stats = [sys.executable, "-m", "archc", "stats", "resnet152"]
    floor = [sys.executable, "-c", FLOOR]
    ours, theirs = in_pairs(stats, floor, pairs)
    rows = [
        "| process | median | `archc stats resnet152` takes |",
        "|---|---|---|",
        row("`archc stats resnet152`", ours, ""),
        row(f'`python -c "{FLOOR}"` (the floor)', theirs, times_as_long(ours, theirs)),
    ]
    if install:
        first = first_run()
        note = f"(that run: {times_as_long(first, theirs)} as the floor)"
        rows.append(row("the first run after an installation", first, note))
    peer = peer_command()
    if peer is not None:
        name, command = peer
        ours_again, peer_times = in_pairs(stats, command, max(pairs // 3, 3))
        rows.append(row(name, peer_times, times_as_long(ours_again, peer_times)))
    where = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    return [*rows, "", f"CPython {platform.python_version()}, {where}, {pairs} pairs."]


def row(name: str, times: list[float], comparison: str) -> str:
    """One line: the median in milliseconds, and what it says."""
    return f"| {name} | {statistics.median(times) * 1000:.0f} ms | {comparison} |"


def times_as_long(ours: list[float], theirs: list[float]) -> str:
    """The ratio of the medians in words."""
    ratio = statistics.median(ours) / statistics.median(theirs)
    return f"{ratio:.2f} times as long" if ratio >= 1 else f"1/{1 / ratio:.0f} of the time"


def in_pairs(first: Command, second: Command, pairs: int) -> tuple[list[float], list[float]]:
    """Times of both commands in seconds, run in turn; a first pair warms the caches."""
    seconds(first), seconds(second)
    timed = [(seconds(first), seconds(second)) for _ in range(pairs)]
    return [one for one, _ in timed], [two for _, two in timed]


def seconds(command: Command, directory: Path | None = None) -> float:
    """The wall time of one whole process."""
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=directory)
    return time.perf_counter() - started


def first_run() -> list[float]:
    """The first run ever in a fresh environment, whose cache directory is empty too."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        venv.create(home / "venv", with_pip=True)
        python = str(home / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python")
        subprocess.run([python, "-m", "pip", "install", "-q", str(ROOT)], check=True)
        os.environ["XDG_CACHE_HOME"] = str(home / "cache")
        return [seconds([python, "-m", "archc", "stats", "resnet152"], home)]


def peer_command() -> tuple[str, Command] | None:
    """The script that prints torchinfo's summary; None where torchinfo is not installed."""
    if find_spec("torchinfo") is None or find_spec("torch") is None:
        return None
    if find_spec("torchvision") is not None:
        return "`torchinfo.summary(resnet152())`", [
            sys.executable,
            "-c",
            f"{TORCHVISION}; {SUMMARY}",
        ]
    path = Path(tempfile.mkdtemp()) / "resnet152_peer.py"
    compiled = [sys.executable, "-m", "archc", "compile", "resnet152", "--class-name", "resnet152"]
    source = subprocess.run(compiled, check=True, capture_output=True, text=True).stdout
    path.write_text(f"{source}\n{SUMMARY}\n", encoding="utf-8")
    return "`torchinfo.summary` of the compiled ResNet-152", [sys.executable, str(path)]


def write(text: str) -> None:
    """Put the table between the marks of the page."""
    page = PAGE.read_text(encoding="utf-8")
    begin, end = MARKS
    inside = f"{begin}\n{text}\n{end}"
    pattern = re.escape(begin) + ".*?" + re.escape(end)
    PAGE.write_text(re.sub(pattern, lambda _: inside, page, flags=re.DOTALL), encoding="utf-8")


if __name__ == "__main__":
    main()
