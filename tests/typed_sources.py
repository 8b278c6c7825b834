"""Holds generated sources, many at once, to what a reviewer would hold them to."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import archc
from archlang.diagnostics import ArchError

__all__ = ["complaints", "write_sources"]


def write_sources(texts: Iterable[tuple[int, str]], folder: Path) -> int:
    """Write the source of each program that has one, by its number; gives how many those are."""
    written = 0
    for number, text in texts:
        try:
            source = archc.load(source=text).source()
        except ArchError:
            continue
        (folder / f"net{number}.py").write_text(source, encoding="utf-8")
        written += 1
    return written


def complaints(folder: Path, cache: Path) -> str:
    """What ruff format, ruff check and mypy --strict say of a folder; nothing if all is well."""
    run = [sys.executable, "-m"]
    said = []
    for command in (
        [*run, "ruff", "format", "--isolated", "--no-cache", "--diff", "-q", str(folder)],
        [*run, "ruff", "check", "--isolated", "--no-cache", "-q", str(folder)],
        [*run, "mypy", "--strict", "--cache-dir", str(cache), str(folder)],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            said.append(done.stdout + done.stderr)
    return "\n".join(said)
