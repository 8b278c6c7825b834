"""The .arch files that a command line names, folders included."""

from __future__ import annotations

from pathlib import Path

import click

from archc.library import SUFFIX

__all__ = ["files_of"]


def files_of(name: str) -> list[str]:
    """What a word of the command line names: itself, or every .arch file in a folder and below.

    Hidden folders are left out.

    Raises:
        click.UsageError: for a folder without any.
    """
    folder = Path(name)
    if not folder.is_dir():
        return [name]
    found = [path for path in sorted(folder.rglob(f"*{SUFFIX}")) if _is_shown(path, folder)]
    if not found:
        message = f"there is no {SUFFIX} file in {name}"
        raise click.UsageError(message, click.get_current_context())
    return [str(path) for path in found]


def _is_shown(path: Path, folder: Path) -> bool:
    inside = path.relative_to(folder).parts
    return path.is_file() and not any(part.startswith(".") for part in inside)
