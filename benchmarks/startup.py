"""How long `archc stats resnet152` takes from start to end, against its floor and a peer.

    python benchmarks/startup.py            # prints the table
    python benchmarks/startup.py --write    # and puts it into docs/benchmarks.md

Installs the project into a fresh virtual environment, as users do, and times whole processes there,
in alternating pairs, so that a busy machine slows both sides. The floor is what importing the
libraries costs; the peer builds the module with torch and asks torchinfo (not with `--no-peer`).
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import tempfile
import time
import venv
from pathlib import Path

from pages import BENCHMARKS, write

ROOT = Path(__file__).parents[1]

FLOOR = "import lark, click, rich.table"
TORCHVISION = "from torchvision.models import resnet152"
SUMMARY = "from torchinfo import summary; print(summary(resnet152(), (1, 3, 224, 224), verbose=0))"

Command = list[str]


def main() -> None:
    """Measure, print, and write the page when asked to."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--pairs", type=int, default=15, help="how many pairs are timed")
    parser.add_argument("--no-peer", action="store_true", help="leave torch and torchinfo out")
    parser.add_argument(
        "--write", action="store_true", help=f"put the table into {BENCHMARKS.name}"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CACHE_HOME"] = str(Path(folder, "cache"))
        text = "\n".join(measure(Path(folder), options.pairs, peer=not options.no_peer))
    print(text)
    if options.write:
        write(BENCHMARKS, "startup", text)


def measure(folder: Path, pairs: int, *, peer: bool) -> list[str]:
    """The lines of the table.

    Args:
        folder: an empty one for the environment and its cache.
        pairs: how many pairs are timed.
        peer: whether to install and time torchinfo too.
    """
    programs = install(folder, str(ROOT))
    stats = [str(programs / "archc"), "stats", "resnet152"]
    floor = [str(programs / "python"), "-c", FLOOR]
    first = [seconds(stats)]
    ours, theirs = in_pairs(stats, floor, pairs)
    rows = [
        "| process | median | `archc stats resnet152` takes |",
        "|---|---|---|",
        row("`archc stats resnet152`", ours, ""),
        row(f'`python -c "{FLOOR}"` (the floor)', theirs, times_as_long(ours, theirs)),
        row("the first run after an installation", first, f"then: {times_as_long(first, theirs)}"),
    ]
    if peer:
        name, command = peer_command(folder, programs)
        ours_again, peer_times = in_pairs(stats, command, max(pairs // 3, 3))
        rows.append(row(name, peer_times, times_as_long(ours_again, peer_times)))
    where = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    return [*rows, "", f"CPython {platform.python_version()}, {where}, {pairs} pairs."]


def install(folder: Path, *packages: str) -> Path:
    """Install into the environment in that folder; the folder of its programs."""
    home = folder / "venv"
    programs = home / ("Scripts" if os.name == "nt" else "bin")
    if not home.exists():
        venv.create(home, with_pip=True)
    pip = [str(programs / "python"), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    subprocess.run([*pip, "-c", str(ROOT / "constraints.txt"), *packages], check=True)
    return programs


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


def seconds(command: Command) -> float:
    """The wall time of one whole process."""
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=tempfile.gettempdir())
    return time.perf_counter() - started


def peer_command(folder: Path, programs: Path) -> tuple[str, Command]:
    """The script that prints torchinfo's summary; of torchvision's module where that imports."""
    install(folder, f"{ROOT}[torch]", "torchinfo")
    python = str(programs / "python")
    works = subprocess.run([python, "-c", TORCHVISION], capture_output=True)
    if works.returncode == 0:
        return "`torchinfo.summary(resnet152())`", [python, "-c", f"{TORCHVISION}; {SUMMARY}"]
    compiled = [str(programs / "archc"), "compile", "resnet152", "--class-name", "resnet152"]
    done = subprocess.run(compiled, check=True, capture_output=True, text=True)
    path = folder / "peer.py"
    path.write_text(f"{done.stdout}\n{SUMMARY}\n", encoding="utf-8")
    return "`torchinfo.summary` of the same module", [python, str(path)]


if __name__ == "__main__":
    main()
