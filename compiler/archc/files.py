"""The .arch files that a command line names, folders included."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from archc.library import SUFFIX

__all__ = ["arch_files"]


def arch_files(folder: Path) -> Iterator[Path]:
    """Every .arch file in a folder and below, sorted; hidden folders are left out."""
    for path in sorted(folder.rglob(f"*{SUFFIX}")):
        inside = path.relative_to(folder).parts
        if path.is_file() and not any(part.startswith(".") for part in inside):
            yield path
