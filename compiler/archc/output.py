"""Files are written whole or not at all: beside their place first, then moved there in one step."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["OutputError", "staged", "write_text"]


class OutputError(Exception):
    """A file that could not be written; the message says which and why."""


@contextmanager
def staged(path: Path) -> Iterator[Path]:
    """Give a new file to write to, with the suffix of `path`, that takes its place at the end.

    When the block ends with an exception nothing is left behind, and what `path` had stays. A file
    that is replaced keeps its permissions, and a symbolic link keeps pointing where it did.

    Raises:
        OutputError: when there can be no such file.
    """
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise OutputError(f"cannot write {path}: it is a directory")
    # A pipe or a device such as /dev/null is written to, never replaced.
    device = target.exists() and not target.is_file()
    try:
        folder = None if device else target.parent
        handle, name = tempfile.mkstemp(suffix=path.suffix, prefix=".archc-", dir=folder)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {_reason(error)}") from error
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        if device:
            target.write_bytes(temporary.read_bytes())
        else:
            temporary.chmod(_permissions(target))
            temporary.replace(target)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {_reason(error)}") from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text as UTF-8 with "\\n" line ends.

    Raises:
        OutputError: when it cannot be written.
    """
    with staged(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def _permissions(target: Path) -> int:
    if target.exists():
        return target.stat().st_mode & 0o7777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
